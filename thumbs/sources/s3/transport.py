"""HTTP to one object store, through urllib3's pools: reused connections with limits, and a deadline for each call.

botocore makes and signs a request, and a handler of its `before-send` event sends it here. botocore's own pool has no
setting for idle connections, for the wait for headers, or for a whole exchange. Why that matters is in
docs/architecture.md, "Decisions".
"""

import math
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cached_property, partial
from io import BytesIO
from itertools import islice
from typing import cast
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from urllib3 import HTTPConnectionPool, PoolManager, ProxyManager, Timeout
from urllib3.util import make_headers, parse_url

from thumbs.errors import StorageFailed, StorageTimeout
from thumbs.sources.reading import Deadline
from thumbs.sources.s3.connections import PlainPool, SecurePool, Stale, bounded, seconds_left
from thumbs.sources.s3.settings import S3Http

_CHUNK = 1 << 14
_MAX_CHUNKS = 64


class _Call(threading.local):
    """The open responses of the current thread's call."""

    responses: ExitStack


class _Response(AWSResponse):
    @cached_property
    def content(self) -> bytes:
        """The body of an error. Raises `StorageFailed` where it is longer than a mebibyte."""
        text = b"".join(islice(self.raw.stream(_CHUNK), _MAX_CHUNKS))
        if not self.raw.isclosed():
            raise StorageFailed
        return text


class Transport:
    """The connections of one process to the host of `endpoint`, or to the host that it redirects to.

    Register `send` for the client's event `before-send.s3`, and call the client inside `within`.
    """

    def __init__(self, endpoint: str, limits: S3Http, context: ssl.SSLContext) -> None:
        self._limits = limits
        self._call = _Call()
        self._slots = threading.Semaphore(limits.max_conns_per_host or sys.maxsize)
        idle = min(filter(None, (limits.max_idle_conns, limits.max_idle_conns_per_host)), default=0)
        self._pools = _pool_factory(endpoint)(num_pools=1, maxsize=idle, ssl_context=context)
        self._pools.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}

    @contextmanager
    def within(self, deadline: Deadline) -> Iterator[None]:
        """Requests of this thread end by `deadline`. Responses that were not read to the end are closed afterwards."""
        if not self._slots.acquire(timeout=deadline.left()):
            raise StorageTimeout
        try:
            with bounded(deadline), ExitStack() as self._call.responses:
                yield
        finally:
            self._slots.release()

    def close(self) -> None:
        """Close the idle connections. Those in use are closed after their response."""
        self._pools.clear()

    def send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        """The response to `request`, its body unread. Raises `StorageTimeout`, `Stale` and urllib3's `HTTPError`."""
        pool = self._pools.connection_from_url(request.url)
        forwarded = pool.proxy and pool.scheme == "http"
        exchange = partial(
            pool.urlopen,
            request.method,
            request.url if forwarded else "/" + request.url.split("/", 3)[3],
            body=cast(bytes | BytesIO | None, request.body),
            headers=_headers_of(request),
            timeout=Timeout(
                total=seconds_left(),
                connect=self._limits.connect_timeout_sec or None,
                read=self._limits.response_header_timeout_sec or None,
            ),
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
        )
        _close_idle(pool, since=time.monotonic() - (self._limits.idle_conn_timeout_sec or math.inf))
        try:
            response = exchange()
        except Stale:
            # The server may close idle connections just as one is used (RFC 9112, 9.3.1).
            _close_idle(pool, since=math.inf)
            request.reset_stream()  # a body is a file that has been read
            response = exchange()
        self._call.responses.enter_context(closing(response))
        if response.length_remaining == 0:
            response.drain_conn()
        return _Response(request.url, response.status, cast(HTTPHeaders, response.headers), response)


def _headers_of(request: AWSPreparedRequest) -> dict[str, str]:
    """Without `Expect`: nothing here waits for a 100 before it sends a body."""
    return {name: value for name, value in request.headers.items() if name.lower() != "expect"}


def _pool_factory(endpoint: str) -> Callable[..., PoolManager]:
    """Direct, or through the plain HTTP proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name."""
    parts = urlsplit(endpoint)
    url = None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
    if not url:
        return PoolManager
    proxy = parse_url(url)
    if proxy.scheme not in {None, "http"}:
        raise StorageFailed
    authorization = make_headers(proxy_basic_auth=proxy.auth and unquote(proxy.auth))
    return partial(ProxyManager, f"http://{proxy.netloc}", proxy_headers=authorization)


def _close_idle(pool: HTTPConnectionPool, *, since: float) -> None:
    """Close connections that are idle since `since` or longer. urllib3 connects them again at their next use."""
    if pool.pool:
        with pool.pool.mutex:
            for idle in filter(None, pool.pool.queue):
                if idle.answered <= since:
                    idle.close()
