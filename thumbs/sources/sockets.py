"""Sockets on which no wait outlives a deadline, however slowly the other side drips."""

import base64
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from thumbs.errors import StorageFailed, StorageTimeout
from thumbs.sources.reading import Deadline, Interrupted

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

_PORTS = {"http": 80, "https": 443}
_LINE = 1024


class TimedSocket(socket.socket):
    """Plain TCP. `deadline` must be set before anything is sent or received."""

    deadline: Deadline

    def recv_into(self, buffer: "WriteableBuffer", nbytes: int = 0, flags: int = 0) -> int:
        with _until(self, self.deadline):
            return super().recv_into(buffer, nbytes, flags)

    def sendall(self, data: "ReadableBuffer", flags: int = 0) -> None:
        with _until(self, self.deadline):
            super().sendall(data, flags)


class TimedTLSSocket(ssl.SSLSocket):
    """TLS over TCP. `deadline` must be set before anything is sent or received."""

    deadline: Deadline

    def recv_into(self, buffer: "WriteableBuffer", nbytes: int | None = None, flags: int = 0) -> int:
        with _until(self, self.deadline):
            return super().recv_into(buffer, nbytes, flags)

    def sendall(self, data: "ReadableBuffer", flags: int = 0) -> None:
        with _until(self, self.deadline):
            super().sendall(data, flags)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A forward proxy spoken to in plain HTTP; `authorization` is the value of its header, hidden from `repr`."""

    host: str
    port: int
    authorization: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Route:
    """Where requests go and how: what a connection can be shared for."""

    scheme: str
    host: str
    port: int
    proxy: Proxy | None

    @classmethod
    def of(cls, url: str) -> "Route":
        """The route of `url`, through the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name for it, if any."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        proxy = None if proxy_bypass(host) else getproxies().get(parts.scheme)
        return cls(parts.scheme, host, parts.port or _PORTS[parts.scheme], _proxy_of(proxy) if proxy else None)

    @property
    def authority(self) -> str:
        """The value of `Host`, as botocore signs it: without the scheme's own port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def tls_context(bundle: str | None) -> ssl.SSLContext:
    """A verifying context whose sockets are timed, with the authorities of the file `bundle`, else the system's."""
    context = ssl.create_default_context(cafile=bundle)
    context.sslsocket_class = TimedTLSSocket
    return context


def dial(route: Route, context: ssl.SSLContext, deadline: Deadline) -> TimedSocket | TimedTLSSocket:
    """A connected socket, its TLS handshake done. Raises OSError, `StorageFailed` or `StorageTimeout`.

    Looking up the name is left to the system's resolver, which cannot be interrupted and has time-outs of its own.
    """
    plain = _connected(route.proxy or route, deadline)
    if route.scheme == "http":
        return plain
    try:
        if route.proxy:
            _tunnel(plain, route, route.proxy)
        with _until(plain, deadline):
            secure = cast(TimedTLSSocket, context.wrap_socket(plain, server_hostname=route.host))
    except BaseException:
        plain.close()
        raise
    secure.deadline = deadline
    return secure


@contextmanager
def _until(waiting: socket.socket, deadline: Deadline) -> Iterator[None]:
    waiting.settimeout(deadline.left())
    try:
        yield
    except TimeoutError as error:
        raise StorageTimeout from error


def _connected(end: Route | Proxy, deadline: Deadline) -> TimedSocket:
    """The addresses are tried in turn, each with its share of the time, so that a dead one does not use it all up."""
    addresses = socket.getaddrinfo(end.host, end.port, type=socket.SOCK_STREAM)
    failure: OSError | None = None
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        share = deadline.left() / (len(addresses) - tried)
        plain = TimedSocket(family, kind, protocol)
        plain.deadline = deadline
        try:
            plain.settimeout(share)
            plain.connect(address)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            plain.close()
            failure = error
        else:
            return plain
    if isinstance(failure, TimeoutError):
        raise StorageTimeout from failure
    raise Interrupted from failure


def _proxy_of(url: str) -> Proxy:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme != "http" or not parts.hostname:
        raise StorageFailed
    authorization = None
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = "Basic " + base64.b64encode(pair.encode()).decode("ascii")
    return Proxy(parts.hostname, parts.port or _PORTS["http"], authorization)


def _tunnel(plain: TimedSocket, route: Route, proxy: Proxy) -> None:
    """Ask the proxy for a way through (RFC 9110, 9.3.6)."""
    target = f"{route.authority.removesuffix(f':{route.port}')}:{route.port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    plain.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
    # Unbuffered, so that no byte of the handshake that follows is swallowed.
    with plain.makefile("rb", buffering=0) as answer:
        status = answer.readline(_LINE).split(b" ", 2)
        while answer.readline(_LINE).strip():
            pass
    if len(status) < 2 or status[1] != b"200":
        raise StorageFailed
