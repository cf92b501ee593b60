"""Processes that use one cache directory, to be run and killed by the tests.

Each is a copy of one process that has imported what they need: one more takes milliseconds, so that a test can kill
hundreds. What they store can be verified: a digest, then the bytes that it is of, which begin with the key.
"""

import hashlib
import multiprocessing
import os
import random
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from tests.support.waiting import WAIT_SECONDS
from thumbs.cache.filestore.entry_file import Damaged
from thumbs.cache.filestore.paths import path_of
from thumbs.cache.filestore.reader import Reader
from thumbs.cache.filestore.store import FileStore
from thumbs.cache.filestore.trust import PrivateDirectory

KEYS = [f"g{number % 12}/n{number}" for number in range(60)]
SMALLEST, LARGEST = 1_000, 2_000_000
READY = "ready"


def sealed(key: str, size: int) -> bytes:
    rest = key.encode().ljust(16) + os.urandom(64) * (size // 64)
    return hashlib.blake2b(rest, digest_size=32).digest() + rest


def is_whole(key: str, payload: bytes | bytearray) -> bool:
    digest, rest = payload[:32], payload[32:]
    return rest[:16].strip() == key.encode() and hashlib.blake2b(rest, digest_size=32).digest() == digest


def some_size(chance: random.Random) -> int:
    return int(SMALLEST * (LARGEST / SMALLEST) ** chance.random())


def written_by(directory: Path, seed: int) -> Path:
    """The file, beside the directory, in which the writer with this seed counts."""
    return directory.parent / f"written-{seed}"


def _write(results: Connection, directory: Path, max_bytes: int, seed: int) -> None:
    """Store over and over the same keys, in sizes of every order of magnitude. What was stored is counted in a file."""
    store = FileStore(directory, max_bytes=max_bytes)
    chance = random.Random(seed)
    announced, count = False, 0
    counter = written_by(directory, seed).open("w+b", buffering=0)
    while True:
        key = chance.choice(KEYS)
        store.set(key, sealed(key, some_size(chance)), expires=time.time() + chance.choice((1, 60)))
        count += 1
        os.pwrite(counter.fileno(), count.to_bytes(8, "big"), 0)
        if chance.random() < 0.02:
            store.delete_group(key.partition("/")[0])
        if not announced:
            announced = True
            results.send(READY)


def _flood(results: Connection, directory: Path, max_bytes: int, seed: int) -> None:
    """Store new keys until killed, without pauses."""
    store = FileStore(directory, max_bytes=max_bytes)
    chance = random.Random(seed)
    data = os.urandom(LARGEST)
    number = 0
    while True:
        number += 1
        key = f"g{seed}-{number // 3}/{number}" if number % 4 else f"{seed}-{number}"
        store.set(key, data[: some_size(chance)], expires=None)
        if number == 1:
            results.send(READY)


def _read(results: Connection, directory: Path) -> None:
    """Read until the file `stop` appears beside the directory; tell how many were whole and what was not.

    Writers come first: a test waits until the next one has begun.
    """
    os.nice(10)
    reader = Reader(PrivateDirectory(directory))
    whole, wrong = 0, []
    stop = directory.parent / "stop"
    results.send(READY)
    stopped = False
    while not stopped:
        stopped = stop.exists()  # before the round, so that the last round reads what is left at the end
        for key in KEYS:
            try:
                found = reader.read(path_of(key), now=time.time())
            except FileNotFoundError:
                continue
            except Damaged:
                wrong.append(f"{key} damaged")
                continue
            if is_whole(key, found.payload):
                whole += 1
            else:
                wrong.append(f"{key} torn")
    results.send((whole, wrong))


def _sweep(results: Connection, directory: Path, max_bytes: int, log: Path) -> None:
    """Be a janitor, or wait to be: log the begin and the end of each sweep in one line each."""
    store = FileStore(directory, max_bytes=max_bytes)
    out = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    results.send(READY)
    while True:
        with store.try_lock_janitor() as active:
            for _ in range(20 if active else 0):
                os.write(out, f"begin {os.getpid()}\n".encode())
                store.sweep()
                os.write(out, f"end {os.getpid()}\n".encode())
                time.sleep(0.01)
        time.sleep(0.01)


def _count(results: Connection, directory: Path, key: str, times: int) -> None:
    """Add one `times` times, and tell how often this process was the one to make the entry."""
    store = FileStore(directory, max_bytes=None)
    made = 0
    for _ in range(times):
        made += store.add(key, b"0", expires=None)
        store.update(key, lambda payload: b"%d" % (int(payload) + 1))
    results.send(made)


_JOBS: dict[str, Callable[..., None]] = {
    "write": _write,
    "flood": _flood,
    "read": _read,
    "sweep": _sweep,
    "count": _count,
}
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


def _work(job: str, errors: Path, results: Connection, *arguments: object) -> None:
    """The whole of one process: a warning is an error, and what it complains of is in the file `errors`."""
    os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT, 0o600), 2)
    warnings.simplefilter("error")
    _JOBS[job](results, *arguments)


@dataclass(eq=False)
class Worker:
    """One process. `errors` is what it complained of."""

    process: ForkServerProcess
    results: Connection
    errors: Path

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def runs(self) -> bool:
        return self.process.is_alive()

    def result(self) -> Any:
        """The next thing that it tells. Raises EOFError when it has ended without that."""
        assert self.results.poll(WAIT_SECONDS), "it tells nothing"
        return self.results.recv()


class Pool:
    """The processes of one test: each ready when it is returned, all ended with the test."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._workers: list[Worker] = []
        self._started = 0
        self._errors: list[str] = []

    def start(self, job: str, *arguments: object, ready: bool = True) -> Worker:
        self._started += 1
        errors = self.directory.parent / f"errors-{self._started}"
        ours, theirs = _CONTEXT.Pipe(duplex=False)
        process = _CONTEXT.Process(target=_work, args=(job, errors, theirs, self.directory, *arguments))
        process.start()
        theirs.close()
        worker = Worker(process, ours, errors)
        self._workers.append(worker)
        if ready:
            assert worker.result() == READY
        return worker

    def kill(self, worker: Worker) -> None:
        """End it as `kill -9` does; one that had ended by itself is an error of the test."""
        if not worker.runs():
            self._errors.append(f"ended by itself: {worker.process.exitcode}")
        worker.process.kill()
        self.join(worker)

    def join(self, worker: Worker) -> None:
        """Wait for its end."""
        worker.process.join(WAIT_SECONDS)
        assert not worker.runs(), "it does not end"
        worker.results.close()
        self._errors += [text for text in (worker.errors.read_text(),) if text]
        self._workers.remove(worker)

    def end(self) -> list[str]:
        """Kill all that still run, and return all of their errors."""
        for worker in list(self._workers):
            self.kill(worker)
        return self._errors


@contextmanager
def pool_in(directory: Path) -> Iterator[Pool]:
    """Processes that use `directory`, which need not exist."""
    pool = Pool(directory)
    try:
        yield pool
    finally:
        pool.end()
