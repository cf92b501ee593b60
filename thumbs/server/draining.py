"""How a worker stops without losing a request: it accepts no more connections, and answers those that it has.

A connection that waits for a request gets the answer to its next one, with `Connection: close`, or is closed after
five seconds. A client cannot know that the server is about to close: it may have sent its request just then. One in
its TLS handshake is waited for as well.
"""

import asyncio
from contextlib import suppress
from typing import Any

from thumbs.server.connections import Connections

SECONDS = 5.0
_LOOK_SECONDS = 0.05


async def drain(worker: Any, connections: Connections) -> None:
    """Close the listening sockets of `worker`, an asgi worker of gunicorn's, and wait for what was accepted.

    Returns when no connection waits for a request any more; at once where gunicorn wants a quick end.
    """
    await _stop_accepting(worker)
    if connections.has_idle():
        worker.log.info("No new connections; those that are open get the answer to their next request")
    loop = asyncio.get_running_loop()
    end = loop.time() + SECONDS
    while connections.has_idle() and loop.time() < end and not worker._quick_shutdown:  # noqa: SLF001
        worker.notify()
        await asyncio.sleep(_LOOK_SECONDS)
    connections.close_idle()


async def _stop_accepting(worker: Any) -> None:
    """asyncio drops a connection that it has accepted, and whose protocol was not called when the server closes.

    So it first accepts no more, and the server closes after two rounds of the loop. uvloop has no such gap.
    """
    loop = asyncio.get_running_loop()
    for server in worker.servers:
        with suppress(Exception):  # uvloop knows no reader of these sockets
            for sock in server.sockets:
                loop.remove_reader(sock.fileno())
    for _ in range(3):
        await asyncio.sleep(0)
    for server in worker.servers:
        server.close()
