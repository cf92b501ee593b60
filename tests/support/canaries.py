"""What sees connections to the own network: a port of all addresses, a hook of the process, and names of attackers."""

import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.support.origins import Names
from tests.support.private_targets import ADDRESSES_V4, ADDRESSES_V6, name_of

ORIGIN = "127.0.0.9"  # the only address that may be connected to; its name is public.test
LOCAL_NAMES = ("localhost", "localhost.localdomain", "ip6-localhost", "metadata", "metadata.google.internal")
_watched: list[list[tuple[str, int]]] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and _watched and isinstance(arguments[1], tuple):
        _watched[-1].append(arguments[1][:2])


sys.addaudithook(_watch)


@pytest.fixture
def begun() -> Iterator[list[tuple[str, int]]]:
    """Each connection that this process begins: address and port."""
    _watched.append([])
    yield _watched[-1]
    _watched.pop()


@pytest.fixture
def canary() -> Iterator[socket.socket]:
    """A port of all addresses of this machine, on which no connection may arrive."""
    with socket.create_server(("", 0)) as listener:
        listener.setblocking(False)
        yield listener
        with suppress(BlockingIOError):
            _, peer = listener.accept()
            pytest.fail(f"a connection from {peer} has arrived")


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Names of all addresses of the own network, as an attacker's name server has them."""
    found = Names(public_test=ORIGIN, **{name.replace(".", "_"): "127.0.0.1" for name in LOCAL_NAMES})
    for address in (*ADDRESSES_V4, *ADDRESSES_V6):
        found.set(name_of(address), [address])

    real = socket.getaddrinfo

    def look_up(host: str, port: int, *rest: Any, **more: Any) -> object:
        return real(host, port, *rest, **more) if host[:1].isdigit() else found(host.removesuffix("."), port)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return found
