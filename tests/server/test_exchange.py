"""One ASGI answer: in pieces where it is large, 503 where it is refused, and at its end the request ends as well."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from thumbs.server.exchange import Exchange
from thumbs.server.send_limits import PIECE_BYTES, Unsent, UnsentAnswers
from thumbs.wiring.sending import SendLimits

Messages = list[MutableMapping[str, Any]]


class Full(UnsentAnswers):
    def admit(self, size: int) -> bool:
        return size <= PIECE_BYTES


def exchanged(*messages: MutableMapping[str, Any], method: str = "GET") -> tuple[Messages, MutableMapping[str, Any]]:
    """What is sent of `messages` where a large answer is refused, and what is received then."""
    sent: Messages = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def main() -> MutableMapping[str, Any]:
        exchange = Exchange(receive, send, unsent=Unsent(None), answers=Full(SendLimits()), method=method)
        for message in messages:
            await exchange.send(message)
        return await exchange.receive()

    received = asyncio.run(main())
    return sent, received


def start(length: int | None = None, status: int = 200) -> MutableMapping[str, Any]:
    headers = [] if length is None else [(b"Content-Length", str(length).encode())]
    return {"type": "http.response.start", "status": status, "headers": headers}


def body(data: bytes, **more: object) -> MutableMapping[str, Any]:
    return {"type": "http.response.body", "body": data, **more}


@pytest.mark.parametrize("more", [False, True])
def test_a_large_body_is_sent_in_pieces_without_a_change(more: bool) -> None:
    data = bytes(range(256)) * (3 * PIECE_BYTES // 256) + b"end"
    sent, _ = exchanged(start(), body(data, more_body=more))
    assert b"".join(each["body"] for each in sent[1:]) == data
    assert [len(each["body"]) for each in sent[1:]] == [PIECE_BYTES] * 3 + [3]
    assert [each["more_body"] for each in sent[1:]] == [True] * 3 + [more]


def test_a_small_body_is_sent_as_it_is() -> None:
    messages = [start(5), body(b"small")]
    assert exchanged(*messages)[0] == messages


def test_a_large_answer_that_is_refused_becomes_503() -> None:
    size = PIECE_BYTES + 1
    sent, received = exchanged(start(size), body(bytes(size), more_body=True), body(b""))
    assert sent[0]["status"] == 503
    assert (b"Retry-After", b"1") in sent[0]["headers"]
    assert b"problem" in dict(sent[0]["headers"])[b"Content-Type"]
    assert len(sent) == 2
    assert received["type"] == "http.disconnect"


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 304), ("GET", 204)])
def test_an_answer_without_a_body_is_not_refused(method: str, status: int) -> None:
    sent, _ = exchanged(start(PIECE_BYTES + 1, status), body(b""), method=method)
    assert sent[0]["status"] == status


def test_the_request_ends_with_its_answer_and_not_before() -> None:
    assert exchanged(start(), body(b"a", more_body=True))[1]["type"] == "http.request"
    assert exchanged(start(), body(b"a"))[1] == {"type": "http.disconnect"}
    assert exchanged(start(), body(bytes(PIECE_BYTES + 1)))[1] == {"type": "http.disconnect"}
