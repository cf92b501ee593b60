"""Requests to origins: redirects are followed here, and every hop is judged like the first one."""

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from thumbs.errors import SourceDenied, SourceMissing, StorageFailed, ThumbError
from thumbs.sources.http.exchange import Head, discard_body, location_of, read_body, read_head, request_of
from thumbs.sources.http.lookup import Lookup, Resolve
from thumbs.sources.http.pool import Pool
from thumbs.sources.http.retries import pause_of
from thumbs.sources.http.settings import HttpSettings
from thumbs.sources.http.url import Origin, RemoteUrl, redirected
from thumbs.sources.http.wire import Wire
from thumbs.sources.outgoing import OUTGOING
from thumbs.sources.per_process import PerProcess
from thumbs.sources.reading import Deadline, Interrupted
from thumbs.version import VERSION

T = TypeVar("T")

# A constant, so that an origin that negotiates gives every process the same.
_ACCEPT = "image/jpeg, image/png, image/*;q=0.9, */*;q=0.5"
# RFC 8586: a request for an `http` storage that carries it is refused.
_LOOP = "mage"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MISSING, _WITHHELD = frozenset({404, 410, 451}), frozenset({401, 403})


@dataclass(slots=True)
class Hops:
    """One fetch on its way: `first` is the URL of the original, `url` that of the hop. `why` is for the log."""

    first: RemoteUrl
    url: RemoteUrl
    deadline: Deadline
    why: str = ""

    @classmethod
    def of(cls, url: RemoteUrl, deadline: Deadline) -> "Hops":
        return cls(url, url, deadline)


class Response:
    """A response whose body is not read yet. Its connection is kept if all of it was read."""

    def __init__(self, head: Head, wire: Wire) -> None:
        self.head = head
        self._wire = wire
        self.is_done = False

    def body(self, max_bytes: int) -> bytes:
        """As `exchange.read_body`."""
        data = read_body(self._wire, self.head, max_bytes)
        self.is_done = self.head.keeps_alive
        return data

    def discard(self) -> None:
        """Read the body away if it is short."""
        with suppress(StorageFailed):
            self.is_done = discard_body(self._wire, self.head)


class Client:
    """Sends the requests of one storage. Names and connections are those of the process."""

    def __init__(self, settings: HttpSettings, resolve: Resolve) -> None:
        self._settings = settings
        self._redirects = settings.redirects
        self._trusted = settings.trusted
        self._resolve = resolve
        self._pool = PerProcess(self._open_pool)
        self._headers = {
            "User-Agent": settings.user_agent or f"mage/{VERSION}",
            "Accept": _ACCEPT,
            "Accept-Encoding": "identity",
            "CDN-Loop": _LOOP,
        }

    def follow(self, hops: Hops, condition: Mapping[str, str], use: Callable[[Response], T]) -> T:
        """What `use` makes of the first response that is 200 or 304, behind all redirects.

        Raises the `ThumbError` that any other status stands for.
        """
        for _ in range(self._settings.max_redirects + 1):
            with self._response(hops, condition) as response:
                status = response.head.status
                if status in (200, 304):
                    return use(response)
                response.discard()
                if status not in _REDIRECTS:
                    raise _failure_of(response.head, hops)
                hops.url = self._redirected(hops, response.head)
        hops.why = "too many redirects"
        raise StorageFailed

    def status(self, hops: Hops) -> int:
        """The status of one response; no redirect is followed."""
        with self._response(hops, {}) as response:
            response.discard()
            return response.head.status

    def candidates(self, origin: Origin, deadline: Deadline) -> int:
        """How many addresses of `origin` may be connected to. Raises as `Lookup.candidates` does."""
        return len(self._pool.get().lookup.candidates(origin, deadline))

    def close(self) -> None:
        pool = self._pool.made
        if pool is not None:
            pool.close()

    def _redirected(self, hops: Hops, head: Head) -> RemoteUrl:
        location = location_of(head)
        hops.why = f"{head.status} without a usable Location"
        if not location:
            raise StorageFailed
        try:
            target = redirected(hops.url, location)
        except ValueError as error:
            raise StorageFailed from error
        hops.why = f"a redirect to {target.origin.scheme}://{target.origin.authority}/ that no entry admits"
        if not any(entry.admits(target) for entry in self._redirects):
            raise StorageFailed
        hops.why = ""
        return target

    @contextmanager
    def _response(self, hops: Hops, condition: Mapping[str, str]) -> Iterator[Response]:
        """The response of one hop."""
        pool, origin = self._pool.get(), hops.url.origin
        headers = self._headers | dict(condition)
        if origin == hops.first.origin and origin in self._trusted:
            headers |= {**OUTGOING.get(), **self._settings.request_headers}
        with pool.place(origin, hops.deadline):
            wire, head = self._exchange(pool, hops, request_of(hops.url, headers))
            response = Response(head, wire)
            try:
                yield response
            finally:
                if response.is_done:
                    pool.give(origin, wire)
                else:
                    wire.close()

    def _exchange(self, pool: Pool, hops: Hops, request: bytes) -> tuple[Wire, Head]:
        """Send `request`. A kept connection that breaks before its response is replaced by a new one, once."""
        wire = pool.take(hops.url.origin, hops.deadline)
        try:
            return wire, self._ask(wire, hops, request)
        except Interrupted:
            if not wire.reused or wire.received:
                raise
        wire = pool.take(hops.url.origin, hops.deadline, fresh=True)
        return wire, self._ask(wire, hops, request)

    def _ask(self, wire: Wire, hops: Hops, request: bytes) -> Head:
        try:
            wire.send(request)
            wire.deadline = hops.deadline.within(self._settings.response_header_timeout_sec)
            head = read_head(wire)
            wire.deadline = hops.deadline
        except BaseException:
            wire.close()
            raise
        return head

    def _open_pool(self) -> Pool:
        settings = self._settings
        absolute = any(entry.host == "*" for entry in self._redirects)
        lookup = Lookup(settings.networks, self._resolve, absolute=absolute)
        return Pool(settings, lookup, partial(context_of, settings))


def context_of(settings: HttpSettings) -> ssl.SSLContext:
    """TLS 1.2 or later, with the system's authorities (`SSL_CERT_FILE`) and those of `ca_file`. Raises OSError."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if settings.ca_file is not None:
        context.load_verify_locations(settings.ca_file)
    if settings.client_cert is not None:
        context.load_cert_chain(settings.client_cert, settings.client_key)
    return context


def _failure_of(head: Head, hops: Hops) -> ThumbError:
    """What a status stands for that brings no original."""
    hops.why = f"status {head.status}"
    if head.status in _MISSING:
        return SourceMissing()
    if head.status in _WITHHELD:
        return SourceDenied()
    error = StorageFailed()
    error.remembered = pause_of(head.get("Retry-After"))
    return error
