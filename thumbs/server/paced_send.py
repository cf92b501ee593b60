"""`send` of one ASGI answer to a client that may not read: in pieces, or refused where too much is unsent already."""

from collections.abc import Mapping, MutableMapping
from typing import Any

from thumbs.asgi import Send, respond
from thumbs.errors import Overloaded
from thumbs.http.messages import problem
from thumbs.server.send_limits import PIECE_BYTES, Unsent, UnsentAnswers


class PacedSend:
    """Passes the messages of one answer on to `send`, which waits while the client takes nothing.

    A large body is passed on in pieces: the transport would copy what it cannot send, or keep all of it to the end.
    """

    def __init__(self, send: Send, unsent: Unsent, answers: UnsentAnswers, *, method: str) -> None:
        self._send = send
        self._unsent = unsent
        self._answers = answers
        self._method = method
        self._refused = False

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if self._refused:
            return
        if message["type"] == "http.response.start" and not self._answers.admit(_size(message, self._method)):
            self._refused = True
            response = problem(Overloaded())
            await respond(response, self._send)
        elif len(message.get("body", b"")) <= PIECE_BYTES:
            await self._send(message)
        else:
            await self._send_in_pieces(message)

    async def _send_in_pieces(self, message: MutableMapping[str, Any]) -> None:
        body = message["body"]
        self._unsent.answer = body
        try:
            for start in range(0, len(body), PIECE_BYTES):
                more = message.get("more_body", False) or start + PIECE_BYTES < len(body)
                await self._send({**message, "body": body[start : start + PIECE_BYTES], "more_body": more})
        finally:
            self._unsent.answer = b""


def _size(start: Mapping[str, Any], method: str) -> int:
    """The size of the body that a `start` message announces; 0 if it does not."""
    if method == "HEAD" or start["status"] in (204, 304):
        return 0
    lengths = [value for name, value in start.get("headers", ()) if bytes(name).lower() == b"content-length"]
    return int(lengths[0]) if lengths and lengths[0].isdigit() else 0
