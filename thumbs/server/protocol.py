"""One connection of gunicorn's asgi worker, which writes the answer to a hit as soon as its bytes arrive.

Gunicorn needs a parser, two tasks and a scope to call an ASGI application, which costs more than a hit. So each piece
of data is looked at first. If it is exactly one plain request (`plain_request`), no other request is under way on the
connection, and a cache layer has the answer, that is written at once. In every other case gunicorn gets the data.

After bytes that are not exactly one plain request, gunicorn keeps the connection, so both always agree where a
request begins. A plain request that comes while gunicorn handles others is left to gunicorn, which answers in order.
"""

import time
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

from gunicorn.asgi.protocol import ASGIProtocol, FlowControl
from gunicorn.workers import gasgi

from thumbs.asgi import Receive, Scope, Send, ThumbsASGI, raw_target, respond
from thumbs.errors import Overloaded
from thumbs.http.messages import Response, problem
from thumbs.pipeline.replies import Lookup
from thumbs.server.connections import Connections, most_connections, unread_bytes
from thumbs.server.drops import CROWDED
from thumbs.server.exchange import Exchange
from thumbs.server.heads import dated, head
from thumbs.server.plain_request import plain_request
from thumbs.server.send_limits import PIECE_BYTES, Unsent, UnsentAnswers
from thumbs.wiring.sending import SendLimits

# All names of gunicorn's that this module and the worker use. Most are private, and a patch release may move them.
GUNICORN_NAMES = (
    *(("ASGIProtocol", name) for name in ("connection_made", "data_received", "_keepalive_timeout")),
    *(("ASGIProtocol", name) for name in ("connection_lost", "pause_writing", "resume_writing")),
    *(("ASGIProtocol", name) for name in ("_arm_keepalive_timer", "_close_transport", "_check_h1c_protocol_available")),
    *(("ASGIProtocol", name) for name in ("app", "cfg", "log", "transport", "worker", "req_count")),
    *(("ASGIProtocol", name) for name in ("_awaiting_request", "_callback_parser", "_closed", "_flow_control")),
    *(("ASGIProtocol", name) for name in ("_keepalive", "_keepalive_handle", "_pre_request", "_post_request")),
    *(("ASGIProtocol", name) for name in ("_proxy_protocol", "_request_ready", "_root_path", "_uses_uwsgi")),
    *(("ASGIProtocol", name) for name in ("_serve_http_request", "_will_close")),
    *(("FlowControl", name) for name in ("write_paused", "resume_writing")),
    ("Logger", "access_log_enabled"),
    *(("ASGIWorker", name) for name in ("alive", "loop", "max_requests", "nr", "nr_conns", "servers")),
    *(("ASGIWorker", name) for name in ("init_process", "load_wsgi", "notify", "_quick_shutdown", "_shutdown")),
    *(("ASGIWorker", name) for name in ("handle_exit_signal", "handle_quit_signal", "init_signals")),
    ("gasgi", "ASGIProtocol"),
)

# Until a connection whose time is over is looked at again, because its request was about to be handled.
_AGAIN_SECONDS = 0.1

connections = Connections()


def missing_names(worker: Any) -> list[str]:
    """Which of `GUNICORN_NAMES` this gunicorn lacks, as `Class.name`. `worker` is an asgi worker before its start."""
    try:
        connection = ASGIProtocol(SimpleNamespace(cfg=worker.cfg, log=worker.log, asgi=None))
    except Exception as error:  # a later gunicorn may need other arguments
        return [f"ASGIProtocol(worker) ({error!r})"]
    names = {
        "ASGIProtocol": dir(connection),
        "ASGIWorker": {*vars(worker), *dir(gasgi.ASGIWorker)},  # without the names of our subclass
        "FlowControl": dir(FlowControl),
        "Logger": dir(worker.log),
        "gasgi": dir(gasgi),
    }
    return [f"{owner}.{name}" for owner, name in GUNICORN_NAMES if name not in names[owner]]


def install() -> None:
    """Make gunicorn's asgi worker use `ThumbsProtocol` in this process, a worker."""
    # Gunicorn keeps the result of this check on the class that it is called on, but reads it from `ASGIProtocol`.
    ASGIProtocol._check_h1c_protocol_available()  # noqa: SLF001
    gasgi.ASGIProtocol = ThumbsProtocol  # the worker names its protocol class only there


def limit_sending(limits: SendLimits) -> None:
    """Apply `limits` to all connections of this process, instead of their defaults."""
    ThumbsProtocol.answers = UnsentAnswers(limits)


class _Large(NamedTuple):
    """An answer that is too large to be written at once, and the request that it is for."""

    method: str
    target: bytes
    response: Response


class ThumbsProtocol(ASGIProtocol):  # type: ignore[misc]  # gunicorn has no types
    """One connection. `_plain` is True until other bytes than plain requests have come."""

    answers: ClassVar[UnsentAnswers] = UnsentAnswers(SendLimits())

    def __init__(self, worker: Any) -> None:
        super().__init__(worker)
        front = worker.asgi if isinstance(worker.asgi, ThumbsASGI) else None
        self._front = front
        self._plain = front is not None and self._is_simply_configured()
        self._passed_on = 0
        self._answered_at = 0.0
        self._is_refused = False
        self._is_last: bool | None = None  # whether the answer under way ends the connection; None before its head
        self._peer = ""
        self._scheme = "https" if self.cfg.is_ssl else "http"
        # What was looked up for the request that was just passed on. The next call of the application takes it.
        self._lookup: Lookup | _Large | None = None
        self._unsent = Unsent(None)
        self.app = self._serve
        connections.accept(self)

    def connection_made(self, transport: Any) -> None:
        connections.add(self)
        self._unsent.transport = transport
        peer = transport.get_extra_info("peername")
        self._peer = str(peer[0]) if isinstance(peer, tuple) and peer else ""
        self.answers.add(self._unsent)
        super().connection_made(transport)
        # `pause_writing` then means that the client has not taken everything. With 0, TLS would never resume.
        transport.set_write_buffer_limits(high=1)
        # Gunicorn's timer begins with the second request, so a client could take any time for its first. The timer is
        # canceled when a request of HTTP/1 has come, and nowhere else.
        if self._callback_parser is not None:
            self._arm_keepalive_timer()
        most, refusals = most_connections(self.cfg.worker_connections)
        if self.worker.nr_conns > most:
            if not connections.make_room(self):
                self._refuse(self.worker.nr_conns - most <= refusals)
            self.answers.drops.add(CROWDED)

    def pause_writing(self) -> None:
        self.answers.hold(self._unsent)
        super().pause_writing()

    def resume_writing(self) -> None:
        self.answers.release(self._unsent)
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self.answers.remove(self._unsent)
        super().connection_lost(exc)
        if self._flow_control is not None:
            self._flow_control.resume_writing()  # what waits for the client ends now, and releases its answer

    def is_without_request(self) -> bool:
        """Whether the connection is open, and no request is under way on it."""
        return not self._closed and (self._awaiting_request or self.req_count == 0)

    def is_closed(self) -> bool:
        """Whether the connection is closed, or will be when everything that was written is sent."""
        return bool(self._closed)

    def idle_until(self) -> float:
        """The loop's time at which the connection is closed if no request comes."""
        handle = self._keepalive_handle
        until: float = max(self._answered_at + self._keepalive, 0.0 if handle is None else handle.when())
        return until

    def close(self) -> None:
        """Close the connection when everything that was written is sent."""
        self._close_transport()

    def unread(self) -> int:
        """The bytes that have arrived and were not read yet."""
        return unread_bytes(self.transport)

    def rank(self) -> int | None:
        """How well it can be closed for another one: first if it had an answer, never while it waits for its 503."""
        if self._is_refused:
            return None
        return 0 if self.req_count > 1 or self._answered_at > 0 else 1

    def _refuse(self, has_room: bool) -> None:
        """Answer the first request of this connection with 503, if not too many wait for that already; else close."""
        if has_room and self._callback_parser is not None:
            self._is_refused = True
        else:
            self.close()

    def _send_refusal(self, data: bytes) -> None:
        answer = problem(Overloaded(), ((b"Connection", b"close"),))
        body = b"" if data.startswith(b"HEAD ") else answer.body
        self.transport.writelines((head(answer.status, answer.headers), dated(int(time.time())), body))
        self.close()

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            if not self._closed:
                self._send_refusal(data)
            return
        self._lookup = None  # it may belong to an earlier request that gunicorn dropped
        if self._plain:
            request = plain_request(data)
            if request is None:
                self._plain = False
            elif self._is_idle() and self._answer(*request):
                return
            self._passed_on += 1
        super().data_received(data)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application as gunicorn calls it."""
        lookup, self._lookup = self._lookup, None
        if scope["type"] == "http" and self._flow_control is not None:  # HTTP/2 has a flow control of its own
            exchange = Exchange(receive, send, unsent=self._unsent, answers=self.answers, method=scope["method"])
            receive, send = exchange.receive, exchange.send
        if isinstance(lookup, _Large):
            if (scope["method"], raw_target(scope)) == (lookup.method, lookup.target):
                await respond(lookup.response, send)
                return
            lookup = None
        if self._front is None:
            await self.worker.asgi(scope, receive, send)
        else:
            await self._front(scope, receive, send, lookup)

    async def _serve_http_request(self, *arguments: Any) -> bool:
        """Answer one request through the application. Returns whether the connection waits for another one."""
        self._is_last = None
        kept: bool = await super()._serve_http_request(*arguments)
        worker = self.worker
        if worker.nr + 1 >= worker.limit and not worker.stopping:
            self.log.info("Autorestarting worker after current request.")
            worker.stopping = True
        return kept

    def _will_close(self, request: Any, response_requires_close: bool) -> bool:
        """Whether the answer to `request` ends the connection.

        It is asked before the head and after the answer. What the head has said stays true: the client may have sent
        its next request already, when the worker is told to stop in between.
        """
        if self._is_last is None:
            self._is_last = self.worker.stopping or self.worker.nr + 1 >= self.worker.limit
        return self._is_last or bool(super()._will_close(request, response_requires_close))

    def _is_simply_configured(self) -> bool:
        """Whether no setting needs gunicorn to handle every request: access log, hooks, protocols."""
        return (
            self._keepalive > 0
            and self._pre_request is None
            and self._post_request is None
            and self._proxy_protocol == "off"
            and not self._uses_uwsgi
            and not self._root_path
            and not self.log.access_log_enabled
        )

    def _is_idle(self) -> bool:
        """Whether gunicorn has answered all that was passed on to it, and waits for a request or has not begun to.

        It counts a request when it begins to wait for it.
        """
        if self.req_count == 0:
            return self._passed_on == 0
        return bool(self._awaiting_request and self.req_count == self._passed_on + 1)

    def _answer(self, method: str, target: bytes, fields: Mapping[bytes, str]) -> bool:
        """Write the answer if a layer has it; else keep what was looked up, and return False."""
        worker = self.worker
        # The last request on this connection, or of the worker: gunicorn answers it with `Connection: close`.
        is_last = worker.stopping or worker.nr + 1 >= worker.limit
        if self._front is None or is_last or self._closed:
            return False
        if self._flow_control is None or self._flow_control.write_paused:
            return False  # the client does not read: gunicorn stops reading from it until it does
        try:
            found = self._front.hit(method, target, fields, peer=self._peer, scheme=self._scheme)
        except Exception:  # the application will raise it again, and answer
            return False
        if not isinstance(found, Response):
            self._lookup = found
            return False
        if len(found.body) > PIECE_BYTES:  # gunicorn waits for the client after each piece
            self._lookup = _Large(method, target, found)
            return False
        self.transport.writelines((head(found.status, found.headers), dated(int(time.time())), found.body))
        worker.nr += 1
        self._answered_at = worker.loop.time()
        if self._keepalive_handle is None:
            self._arm_keepalive_timer()
        return True

    def _keepalive_timeout(self) -> None:
        """Close the connection if it was idle. `_answer` does not restart the timer; the time left is counted here.

        Where something held up the loop, such as a busy machine, a request may have come in time and was not read, as
        uvloop calls timers first, or its task has not run yet.
        """
        left = self._answered_at + self._keepalive - self.worker.loop.time()
        if left <= 0 and (self._request_ready.is_set() or self.unread()):
            left = _AGAIN_SECONDS
        if left > 0:
            self._keepalive_handle = self.worker.loop.call_later(left, self._keepalive_timeout)
        else:
            super()._keepalive_timeout()
