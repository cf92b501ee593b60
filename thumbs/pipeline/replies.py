"""Replies to requests: what is known of one at once, and one whose answer waits for a flight, which threads end."""

import asyncio
import contextlib
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, NamedTuple

from thumbs.cache.layers import Found
from thumbs.errors import ThumbError
from thumbs.http.messages import Request
from thumbs.pipeline.jobs import Outcome, VersionOnly
from thumbs.pipeline.reporting.tracing import Arrival
from thumbs.pipeline.singleflight import Ticket
from thumbs.request.resolve import ThumbRequest


class Lookup(NamedTuple):
    """What is known of `request` without blocking: `found` in a layer, or `error`, or neither (a miss).

    `thumb` is None if the request could not be resolved.
    """

    request: Request
    thumb: ThumbRequest | None = None
    found: Found | None = None
    error: ThumbError | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Pending:
    """A request whose answer waits for a flight, for `seconds` at most.

    `arrival` is when it came, where answers are logged or traced. `missing` is the request whose original is
    missing, where `thumb` is for the storage's fallback.
    """

    request: Request
    thumb: ThumbRequest
    ticket: Ticket[Outcome | VersionOnly]
    seconds: float
    arrival: Arrival
    missing: ThumbRequest | None = None


async def done(future: "Future[Any]", seconds: float) -> None:
    """Return when `future` is done, with a result or an error, or when `seconds` have passed."""
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not waiter.done():
            waiter.set_result(None)

    def wake_from_thread(_: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, so nothing waits any more
            loop.call_soon_threadsafe(wake)

    timer = loop.call_later(seconds, wake)
    future.add_done_callback(wake_from_thread)
    try:
        await waiter
    finally:
        timer.cancel()
