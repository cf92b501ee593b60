"""Calls the ASGI and the WSGI front alone, in this process."""

import asyncio
from collections.abc import Callable
from typing import Any
from wsgiref.util import setup_testing_defaults

from thumbs.asgi import ThumbsASGI
from thumbs.wsgi import ThumbsWSGI

Answered = tuple[int, bytes]
Ask = Callable[..., Answered | None]


def ask_asgi(target: str, *, prefix: str = "/", thumbnailer: Any = None, **scope: Any) -> Answered | None:
    """Status and body; None if the request was passed on."""
    passed: list[str] = []
    sent: list[dict[str, Any]] = []

    async def application(scope: dict[str, Any], _receive: object, _send: object) -> None:
        passed.append(scope["type"])

    async def receive() -> dict[str, object]:
        return await asyncio.Event().wait()  # type: ignore[return-value]

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    front = ThumbsASGI(application, prefix=prefix, thumbnailer=thumbnailer)  # type: ignore[arg-type]
    path, _, query = target.partition("?")
    default = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "headers": []}
    asyncio.run(front({**default, "query_string": query.encode(), **scope}, receive, send))  # type: ignore[arg-type]
    if not sent:
        assert len(passed) == 1
        return None
    assert passed == []
    start, body = sent
    return start["status"], body["body"]


def ask_wsgi(target: str, *, prefix: str = "/", thumbnailer: Any = None, **environ: Any) -> Answered | None:
    """As `ask_asgi`."""
    statuses: list[str] = []
    front = ThumbsWSGI(lambda *_: [b"passed on"], prefix=prefix, thumbnailer=thumbnailer)
    path, _, query = target.partition("?")
    given = {"RAW_URI": target, "PATH_INFO": path, "QUERY_STRING": query, **environ}
    setup_testing_defaults(given)
    body = b"".join(front(given, lambda status, *_: statuses.append(status)))  # type: ignore[arg-type]
    if not statuses:
        assert body == b"passed on"
        return None
    return int(statuses[0][:3]), body
