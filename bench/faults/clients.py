"""Clients that compare every body with the picture that it must be, and count what is lost.

A request is lost when its client has connected, or was not let connect, and got no complete answer.
"""

import random
import socket
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock, Thread

from bench.faults.pictures import STORAGES, Picture
from bench.processes import LOOPBACK

# (requests of pictures that the caches have, on a kept connection or on a new one for each)
_KINDS = ((True, True), (True, True), (True, True), (True, False), (True, False), (False, True), (False, False))
# Directly to two servers in turn: both have kept and new connections.
_DIRECT_KINDS = ((True, True), (True, True), (True, False), (True, False), (True, True), (True, False))
PAUSE_SECONDS = 0.004
_TIMEOUT_SECONDS = 120.0


@dataclass(slots=True)
class Tally:
    """What clients got. `cached` and `new` count statuses of requests for pictures that the caches had, and had not."""

    cached: Counter[int] = field(default_factory=Counter)
    new: Counter[int] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    stale: int = 0
    from_objects: int = 0  # those that the layer in object storage had
    without_retry_after: int = 0

    @property
    def requests(self) -> int:
        return self.cached.total() + self.new.total() + len(self.lost)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    closes: bool
    stale: bool
    from_objects: bool
    retry_after: bool


class _Client:
    def __init__(self, port: int, *, keeps: bool) -> None:
        self._port, self._keeps = port, keeps
        self._socket: socket.socket | None = None
        self.answered = 0

    def get(self, path: str) -> _Answer:
        """Raises OSError or ValueError for a request that is lost."""
        try:
            if self._socket is None:
                self._socket, self.answered = socket.create_connection((LOOPBACK, self._port), _TIMEOUT_SECONDS), 0
            self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            answer = _read(self._socket)
        except (OSError, ValueError):
            self.close()
            raise
        self.answered += 1
        if answer.closes or not self._keeps:
            self.close()
        return answer

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _read(connection: socket.socket) -> _Answer:
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection, data)
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    fields = {name: value.strip() for name, _, value in (line.partition(b":") for line in lines[1:])}
    length = int(fields[b"content-length"])
    while len(body) < length:
        body += _more(connection, body)
    closes = fields.get(b"connection") == b"close"
    stale = fields.get(b"x-cache") == b"stale"
    from_objects = b'desc="objects"' in fields.get(b"server-timing", b"")
    return _Answer(int(lines[0].split()[1]), body, closes, stale, from_objects, b"retry-after" in fields)


def _more(connection: socket.socket, before: bytes) -> bytes:
    more = connection.recv(1 << 16)
    if not more:
        raise ValueError(f"closed after {len(before)} bytes of a part of the answer")
    return more


@contextmanager
def load(
    ports: Sequence[int],
    bodies: Mapping[Picture, bytes],
    *,
    seed: int,
    label: str,
    pause: float = PAUSE_SECONDS,
    direct: bool = False,
) -> Iterator[Tally]:
    """Clients that send requests to `ports` within the block. `label` makes URLs of new pictures unlike earlier ones.

    `pause` is the seconds between an answer and the next request of a client.
    `direct` clients connect to the servers themselves, for pictures that the caches have.
    """
    tally, over, lock, choices = Tally(), Event(), Lock(), tuple(bodies)

    def run(number: int, cached: bool, keeps: bool) -> None:
        chance = random.Random(f"{seed} {label} {number}")
        client = _Client(ports[number % len(ports)], keeps=keeps)
        count = 0
        while not over.is_set():
            count += 1
            picture = chance.choice(choices)
            path = picture.path(chance.choice(STORAGES), "" if cached else f"{label}-{number}-{count}")
            try:
                answer = client.get(path)
            except (OSError, ValueError) as error:
                with lock:
                    at = time.strftime("%H:%M:%S")
                    tally.lost.append(f"{at} {path} after {client.answered} answers of a connection: {error!r}")
                time.sleep(0.05)
                continue
            with lock:
                (tally.cached if cached else tally.new)[answer.status] += 1
                tally.stale += answer.stale
                tally.from_objects += answer.from_objects
                tally.without_retry_after += answer.status == 503 and not answer.retry_after
                if answer.status == 200 and answer.body != bodies[picture]:
                    tally.wrong.append(path)
            time.sleep(pause)
        client.close()

    kinds = _DIRECT_KINDS if direct else _KINDS
    threads = [
        Thread(target=run, args=(number, cached, keeps), daemon=True) for number, (cached, keeps) in enumerate(kinds)
    ]
    for thread in threads:
        thread.start()
    try:
        yield tally
    finally:
        over.set()
        for thread in threads:
            thread.join(_TIMEOUT_SECONDS)
