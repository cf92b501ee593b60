"""Clients that count requests without a complete answer: on a new connection each, and on kept ones."""

import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from tests.support.waiting import LONG_WAIT_SECONDS, WAIT_SECONDS


@dataclass
class Tally:
    """Answers by status. A request is lost if its client has connected and got no complete answer."""

    answers: Counter[int] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)


@contextmanager
def clients(
    port: int,
    path: str,
    *,
    fresh: int,
    kept: int,
    pause: float = 0.0,
    fresh_pause: float = 0.0,
    context: ssl.SSLContext | None = None,
) -> Iterator[Tally]:
    """`fresh` clients connect for each request, `kept` ones as rarely as the server lets them.

    `pause` is the seconds between two requests of a client on a kept connection, `fresh_pause` those of the others.
    With a `context` they use TLS.
    """
    tally, over = Tally(), threading.Event()
    run = partial(_run, port, path, context, tally, over)
    threads = [threading.Thread(target=run, kwargs={"keep": False, "pause": fresh_pause}) for _ in range(fresh)]
    threads += [threading.Thread(target=run, kwargs={"keep": True, "pause": pause}) for _ in range(kept)]
    for thread in threads:
        thread.start()
    try:
        yield tally
    finally:
        over.set()
        for thread in threads:
            thread.join(LONG_WAIT_SECONDS)


def _run(
    port: int,
    path: str,
    context: ssl.SSLContext | None,
    tally: Tally,
    over: threading.Event,
    *,
    keep: bool,
    pause: float,
) -> None:
    request = f"GET /{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    connection: socket.socket | None = None
    answered = 0
    while not over.is_set():
        if connection is None:
            connection, answered = socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS), 0
        try:
            if context is not None and not isinstance(connection, ssl.SSLSocket):
                connection = context.wrap_socket(connection, server_hostname="127.0.0.1")
            connection.sendall(request)
            status, closes = _answer(connection)
        except (OSError, ValueError) as error:
            tally.lost.append(f"after {answered} answers: {error!r}")
            connection.close()
            connection = None
            continue
        tally.answers[status] += 1
        answered += 1
        if closes or not keep:
            connection.close()
            connection = None
        if pause:
            time.sleep(pause)
    if connection is not None:
        connection.close()


def _answer(connection: socket.socket) -> tuple[int, bool]:
    """The status, and whether the server closes the connection. Raises ValueError for an incomplete answer."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection, data)
    head, _, body = data.partition(b"\r\n\r\n")
    fields = head.lower().split(b"\r\n")
    (length,) = (int(line.partition(b":")[2]) for line in fields if line.startswith(b"content-length:"))
    while len(body) < length:
        body += _more(connection, body)
    return int(head.split()[1]), b"connection: close" in fields


def _more(connection: socket.socket, before: bytes) -> bytes:
    more = connection.recv(65536)
    if not more:
        raise ValueError(f"closed after {len(before)} bytes")
    return more
