"""The address of a server, known to be free before anything is started or cleared for it."""

import errno
import socket

from django.core.management.base import CommandError

_ELSEWHERE = ("unix:", "fd://", "vsock:")  # what else gunicorn binds to; it says itself what is wrong there


def require_free(bind: str) -> None:
    """Raise CommandError unless a server could listen at `bind`, which is HOST:PORT or one that only gunicorn knows.

    Gunicorn itself would try five times, a second apart, and log each.
    """
    if bind.startswith(_ELSEWHERE):
        return
    host, colon, port = bind.removeprefix("tcp://").rpartition(":")
    if not colon or not (port.isdecimal() and int(port) < 65536):
        raise CommandError(f"--bind takes HOST:PORT or unix:PATH, not {bind!r}.")
    try:
        _listen(host.strip("[]") or None, int(port))
    except OSError as error:
        raise CommandError(_sentence(bind, port, error)) from error


def _listen(host: str | None, port: int) -> None:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        probe.listen()


def _sentence(bind: str, port: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken: choose another one with --bind HOST:PORT or PORT."
    if error.errno == errno.EACCES:
        return f"Port {port} needs more rights: choose one from 1024 up with --bind HOST:PORT or PORT."
    return f"Cannot listen at {bind}: {error.strerror or error}."
