"""Waits in an event loop for the future of a flight, which threads end."""

import asyncio
import contextlib
from concurrent.futures import Future
from typing import Any


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
