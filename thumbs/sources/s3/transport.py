"""HTTP to one object store, by urllib3's pools: connections are reused within their limits, and answer by a deadline.

It answers in botocore's `before-send` event, which lets a handler fulfil a request that botocore has made and signed.
botocore's own pool has no knob for the idle connections, the wait for headers or a whole exchange.
"""

import math
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cached_property, partial
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
    """The answers to what the current thread is asking for."""

    answers: ExitStack


class _Answer(AWSResponse):
    @cached_property
    def content(self) -> bytes:
        """What explains an error: what is longer than a mebibyte explains nothing."""
        text = b"".join(islice(self.raw.stream(_CHUNK), _MAX_CHUNKS))
        if not self.raw.isclosed():
            raise StorageFailed
        return text


class Transport:
    """The connections of one process to the host of `endpoint`, or to the one that it redirects to.

    Register `send` for the client's event `before-send.s3`, and call the client `within` a deadline.
    """

    def __init__(self, endpoint: str, limits: S3Http, context: ssl.SSLContext) -> None:
        self._limits = limits
        self._call = _Call()
        self._places = threading.Semaphore(limits.max_conns_per_host or sys.maxsize)
        idle = min(filter(None, (limits.max_idle_conns, limits.max_idle_conns_per_host)), default=0)
        self._pools = _way_to(endpoint)(num_pools=1, maxsize=idle, ssl_context=context)
        self._pools.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}

    @contextmanager
    def within(self, deadline: Deadline) -> Iterator[None]:
        """What this thread sends inside ends by `deadline`, and no connection is left half read."""
        if not self._places.acquire(timeout=deadline.left()):
            raise StorageTimeout
        try:
            with bounded(deadline), ExitStack() as self._call.answers:
                yield
        finally:
            self._places.release()

    def send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        """The answer to `request`, its body unread. Raises `StorageTimeout`, `Stale` and urllib3's `HTTPError`."""
        pool = self._pools.connection_from_url(request.url)
        forwarded = pool.proxy and pool.scheme == "http"
        ask = partial(
            pool.urlopen,
            request.method,
            request.url if forwarded else "/" + request.url.split("/", 3)[3],
            headers=dict(request.headers.items()),
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
            response = ask()
        except Stale:
            # The other side may close idle connections in the very moment that one is used (RFC 9112, 9.3.1).
            _close_idle(pool, since=math.inf)
            response = ask()
        self._call.answers.enter_context(closing(response))
        if response.length_remaining == 0:
            response.drain_conn()
        return _Answer(request.url, response.status, cast(HTTPHeaders, response.headers), response)


def _way_to(endpoint: str) -> Callable[..., PoolManager]:
    """Direct, or through the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name, to be spoken to in plain HTTP."""
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
    """Close those that have been idle since then or longer. urllib3 connects them again when it takes them."""
    if pool.pool:
        with pool.pool.mutex:
            for idle in filter(None, pool.pool.queue):
                if idle.answered <= since:
                    idle.close()
