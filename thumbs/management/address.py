"""Checks the address of `--bind` before anything is started or cleared: one error instead of gunicorn's retries."""

import errno
import os
import re
import socket
from pathlib import Path

from django.core.management.base import CommandError

from thumbs.conf.document import DocumentConf

_LONGEST_SOCKET = 107  # unix(7): sun_path without its terminating zero
_VSOCK = re.compile(r"vsock:[0-9]+:[0-9]+")
# A name, an IPv4 address, or an IPv6 address in brackets, as gunicorn parses them.
_HOST_PORT = re.compile(r"(?:tcp://)?(?P<host>[^\s:/\[\]]*|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})")


def require_free(bind: str) -> None:
    """Raise CommandError unless a server can listen at `bind`: HOST:PORT, `unix:PATH`, or a vsock (not checked).

    Gunicorn itself would try five times, a second apart, and log each failure.
    """
    if bind.startswith("unix:"):
        _require_socket_path(Path(bind.removeprefix("unix:").removeprefix("//")))
        return
    if _VSOCK.fullmatch(bind):
        return
    found = _HOST_PORT.fullmatch(bind)
    if found is None or int(found["port"]) > 65535:
        raise CommandError(f"--bind takes HOST:PORT or unix:PATH, not {bind!r}.")
    try:
        _listen(found["host"].strip("[]") or None, int(found["port"]))
    except UnicodeError as error:  # a name with an empty or overlong part
        raise CommandError(f"Cannot listen at {bind}: this is not the name of a host.") from error
    except OSError as error:
        raise CommandError(_sentence(bind, found["port"], error)) from error


def address_of(document: DocumentConf) -> str:
    """The address to listen at, HOST:PORT, where there is no `--bind`: by default, all addresses."""
    host = document.host or "0.0.0.0"
    return f"[{host}]:{document.port}" if ":" in host else f"{host}:{document.port}"


def host_of(bind: str) -> str:
    """The host of `--bind` without brackets; `0.0.0.0` where it has none. Of a socket, the whole text."""
    found = _HOST_PORT.fullmatch(bind)
    return bind if found is None else found["host"].strip("[]") or "0.0.0.0"


def _require_socket_path(path: Path) -> None:
    if path == Path():
        raise CommandError("--bind unix:PATH takes the path of a socket.")
    try:
        is_directory = path.parent.is_dir()
    except PermissionError:  # a directory above it may not be searched
        is_directory = True
    if not is_directory:
        raise CommandError(f"Cannot listen at {path}: there is no directory {path.parent}.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise CommandError(f"Cannot listen at {path}: the directory {path.parent} cannot be written.")
    if path.exists() and not path.is_socket():
        raise CommandError(f"Cannot listen at {path}: the path exists and is not a socket.")
    if len(os.fsencode(path)) > _LONGEST_SOCKET:
        raise CommandError(f"Cannot listen at {path}: a socket's path has at most {_LONGEST_SOCKET} bytes.")


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
        return f"Port {port} is in use: choose another one with --bind HOST:PORT or PORT."
    if error.errno == errno.EACCES:
        return f"Port {port} needs more privileges: choose one from 1024 on with --bind HOST:PORT or PORT."
    return f"Cannot listen at {bind}: {error.strerror or error}."
