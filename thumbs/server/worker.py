"""A gunicorn worker that answers hits as soon as their bytes arrive; everything else is gunicorn's asgi worker.

Between the bytes of a request and an ASGI application lie a parser, two tasks and a dictionary of the request: more
work than a hit itself. So this worker looks at each piece of data first. Where that is exactly one whole GET or HEAD
of the plainest kind, on a connection with nothing else under way, and a cache layer has the answer, it is written at
once. In every other case gunicorn gets the data, untouched, as if nobody had looked.

It stands on names inside gunicorn 27, which `pyproject.toml` asks for; `tests/system/test_worker.py` compares the two
workers, conversation by conversation.

The rule that keeps this safe: bytes that are not exactly one plain request switch the connection over to gunicorn for
good. So both always agree where a request begins. A plain request that comes while gunicorn is at work on others is
its to answer, in their order.
"""

import re
import sys
import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from typing import Any
from weakref import WeakSet

from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.workers import gasgi

from thumbs.asgi import ThumbsASGI
from thumbs.http.messages import Headers
from thumbs.http.targets import is_authority
from thumbs.observability import redaction

# RFC 9112, 3 and 5: a request line in origin form without a fragment, then fields; names are tokens, values visible.
_LINE = re.compile(rb"(GET|HEAD) (/[A-Za-z0-9/._~%!$&'()*+,;=:@?-]*) HTTP/1\.1")
_FIELDS = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e]*\r\n)+\r\n")
_LONGEST = 8190  # the limit of gunicorn's own on a request line; such a request is not a plain one
_CALLED = re.compile(rb"(?:\A|(?<=\n))[Xx]-[Rr]equest-[Ii][Dd]:([\t\x20-\x7e]*)\r\n")
# Fields that frame a message or change what becomes of the connection: gunicorn's to judge.
_FRAMING = frozenset(
    {
        *(b"connection", b"content-length", b"expect", b"http2-settings", b"keep-alive"),
        *(b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"),
    }
)
_STATUS_LINES = {200: b"HTTP/1.1 200 OK\r\n", 304: b"HTTP/1.1 304 Not Modified\r\n"}
_SERVER = b"Server: gunicorn/asgi\r\n"  # as gunicorn itself says under this worker


def plain_request(data: bytes) -> tuple[str, bytes, Mapping[bytes, str]] | None:
    """Method, target and fields (names lower case) when `data` is exactly one plain request, else None."""
    if len(data) > _LONGEST:
        return None
    line, _, rest = data.partition(b"\r\n")
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    fields = _fields(rest)
    return None if fields is None else (match[1].decode("ascii"), match[2], fields)


def _fields(data: bytes) -> Mapping[bytes, str] | None:
    """As `_plain_fields`, with the name that a proxy gives each request taken out: no two would be alike with it.

    That line must not be the last one, or what is left might end where `data` does not.
    """
    called = _CALLED.search(data) if b"equest-" in data and data.endswith(b"\r\n\r\n") else None
    if called is None:
        return _plain_fields(data)
    fields = _plain_fields(data[: called.start()] + data[called.end() :])
    if fields is None or b"x-request-id" in fields:
        return None
    return {**fields, b"x-request-id": called[1].strip().decode("ascii")}


@lru_cache(maxsize=256)  # a client says the same of itself again and again; 2 MB at most
def _plain_fields(data: bytes) -> Mapping[bytes, str] | None:
    """All that follows a request line, when it is the fields of exactly one plain request."""
    if not _FIELDS.fullmatch(data):
        return None
    fields: dict[bytes, str] = {}
    for line in data.split(b"\r\n")[:-2]:
        name, _, value = line.partition(b":")
        name = name.lower()
        if name in _FRAMING and not (name == b"connection" and value.strip().lower() == b"keep-alive"):
            return None
        if name in fields:
            return None  # repeated fields have rules of their own
        fields[name] = value.strip().decode("ascii")
    return fields if is_authority(fields.get(b"host", "").encode("ascii")) else None


# The open ones of this process.
_connections: "WeakSet[ThumbsProtocol]" = WeakSet()


class ThumbsProtocol(ASGIProtocol):  # type: ignore[misc]  # gunicorn has no types
    """One connection. `_plain` until something comes that is not for us to read."""

    def __init__(self, worker: Any) -> None:
        super().__init__(worker)
        self._front: ThumbsASGI | None = self.app if isinstance(self.app, ThumbsASGI) else None
        self._plain = self._front is not None and self._is_simply_configured()
        self._passed_on = 0
        self._answered_at = 0.0

    def connection_made(self, transport: Any) -> None:
        _connections.add(self)
        super().connection_made(transport)
        # Gunicorn's own timer begins with the second request: a client could be as slow with its first as it likes.
        # It is ended where a request of HTTP/1 has come, and nowhere else.
        if self._callback_parser is not None:
            self._arm_keepalive_timer()

    def close_if_idle(self) -> None:
        """Close the connection unless a request is under way on it."""
        if self._awaiting_request or self.req_count == 0:
            self._close_transport()

    def data_received(self, data: bytes) -> None:
        if self._plain:
            request = plain_request(data)
            if request is None:
                self._plain = False
            elif self._is_idle() and self._answer(*request):
                return
            self._passed_on += 1
        super().data_received(data)

    def _is_simply_configured(self) -> bool:
        """Nothing is set that wants to see every request: an access log, hooks, a count, another protocol."""
        return (
            self._keepalive > 0
            and self._pre_request is None
            and self._post_request is None
            and self._proxy_protocol == "off"
            and not self._uses_uwsgi
            and not self._root_path
            and not self.log.access_log_enabled
            and self.worker.max_requests == sys.maxsize
        )

    def _is_idle(self) -> bool:
        """Gunicorn's loop waits for a request, or has not begun to; what was passed on to it is done with.

        It counts a request when it begins to wait for it.
        """
        if self.req_count == 0:
            return self._passed_on == 0
        return bool(self._awaiting_request and self.req_count == self._passed_on + 1)

    def _answer(self, method: str, target: bytes, fields: Mapping[bytes, str]) -> bool:
        worker = self.worker
        if self._front is None or not worker.alive or self._closed:
            return False
        if self._flow_control is None or self._flow_control.write_paused:
            return False  # a client that does not read: gunicorn waits for it, and reads no more from it meanwhile
        try:
            response = self._front.hit(method, target, fields)
        except Exception:  # gunicorn's way meets it again, and answers
            return False
        if response is None:
            return False
        self.transport.writelines((_head(response.status, response.headers), _dated(int(time.time())), response.body))
        worker.nr += 1
        self._answered_at = worker.loop.time()
        if self._keepalive_handle is None:
            self._arm_keepalive_timer()
        return True

    def _keepalive_timeout(self) -> None:
        """Answering at once does not touch the timer: when it fires, look whether the connection was idle indeed."""
        left = self._answered_at + self._keepalive - self.worker.loop.time()
        if left > 0:
            self._keepalive_handle = self.worker.loop.call_later(left, self._keepalive_timeout)
        else:
            super()._keepalive_timeout()


class ThumbsWorker(gasgi.ASGIWorker):  # type: ignore[misc]  # gunicorn has no types
    """`gunicorn --worker-class thumbs.server.worker.ThumbsWorker`, for an application wrapped in `ThumbsASGI`."""

    @classmethod
    def setup(cls) -> None:
        """Gunicorn calls it before it forks: what a server of ours logs is clean, in any site."""
        redaction.install()

    def init_process(self) -> None:
        # gunicorn's worker names its protocol class in one place only, and this process is ours alone. What it finds
        # out about its C parser it keeps on the class that is asked, and then looks for it on its own.
        ASGIProtocol._check_h1c_protocol_available()  # noqa: SLF001
        gasgi.ASGIProtocol = ThumbsProtocol
        super().init_process()

    async def _shutdown(self) -> None:
        # Gunicorn's waits until every connection is closed, and a client keeps an idle one for as long as it likes:
        # at the end of the graceful time the worker would be killed, with whatever it does then.
        for server in self.servers:
            server.close()
        for connection in list(_connections):
            connection.close_if_idle()
        await super()._shutdown()


@lru_cache(maxsize=1024)
def _head(status: int, headers: Headers) -> bytes:
    lines = [_STATUS_LINES[status]]
    for name, value in headers:
        lines += (name, b": ", value, b"\r\n")
    return b"".join((*lines, _SERVER))


@lru_cache(maxsize=2)
def _dated(second: int) -> bytes:
    """The last line of the head, and its end."""
    return f"Date: {formatdate(second, usegmt=True)}\r\n\r\n".encode("ascii")
