"""`receive` and `send` of one ASGI answer to a client that may not read, or that may send without an end."""

from collections.abc import Mapping, MutableMapping
from typing import Any

from thumbs.asgi import Receive, Send, respond
from thumbs.errors import Overloaded
from thumbs.http.messages import problem
from thumbs.server.send_limits import PIECE_BYTES, Unsent, UnsentAnswers


class Exchange:
    """Passes the messages of one answer on to `send`, which waits while the client takes nothing.

    A large body is passed on in pieces where the transport would copy what it cannot send.
    Where too much is unsent already, a large answer becomes 503.
    """

    def __init__(self, receive: Receive, send: Send, *, unsent: Unsent, answers: UnsentAnswers, method: str) -> None:
        self._receive = receive
        self._send = send
        self._unsent = unsent
        self._answers = answers
        self._method = method
        self._is_complete = False
        self._is_refused = False

    async def receive(self) -> MutableMapping[str, Any]:
        """The next message of the request; `http.disconnect` after the answer, as ASGI has it.

        A client that goes on with its body would otherwise keep the application, and its connection, for ever.
        """
        return {"type": "http.disconnect"} if self._is_complete else await self._receive()

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Send a message of the answer. After a refusal, the rest of the answer is ignored."""
        if self._is_refused:
            return
        if message["type"] == "http.response.start" and not self._answers.admit(_size(message, self._method)):
            self._is_refused = self._is_complete = True
            await respond(problem(Overloaded()), self._send)
        elif len(message.get("body", b"")) <= PIECE_BYTES:
            await self._send(message)
            self._is_complete = message["type"] == "http.response.body" and not message.get("more_body", False)
        else:
            await self._send_in_pieces(message)
            self._is_complete = not message.get("more_body", False)

    async def _send_in_pieces(self, message: MutableMapping[str, Any]) -> None:
        body = message["body"]
        self._unsent.answer = body
        try:
            step = PIECE_BYTES if self._unsent.does_transport_copy() else len(body)
            for start in range(0, len(body), step):
                more = message.get("more_body", False) or start + step < len(body)
                await self._send({**message, "body": body[start : start + step], "more_body": more})
        finally:
            self._unsent.answer = b""


def _size(start: Mapping[str, Any], method: str) -> int:
    """The size of the body that a `start` message announces; 0 if it does not."""
    if method == "HEAD" or start["status"] in (204, 304):
        return 0
    lengths = [value for name, value in start.get("headers", ()) if bytes(name).lower() == b"content-length"]
    return int(lengths[0]) if lengths and lengths[0].isdigit() else 0
