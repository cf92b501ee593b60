"""Processes that use one cache directory, to be run and killed by the tests.

`python -m tests.support.cache_workers JOB DIR …` starts one.

What they store can be verified: a digest, then the bytes that it is of, which begin with the key.
"""

import hashlib
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

from thumbs.cache.filestore.entry_file import Damaged
from thumbs.cache.filestore.paths import path_of
from thumbs.cache.filestore.reader import Reader
from thumbs.cache.filestore.store import FileStore
from thumbs.cache.filestore.trust import PrivateDirectory

KEYS = [f"g{number % 12}/n{number}" for number in range(60)]
SMALLEST, LARGEST = 1_000, 2_000_000


def sealed(key: str, size: int) -> bytes:
    rest = key.encode().ljust(16) + os.urandom(64) * (size // 64)
    return hashlib.blake2b(rest, digest_size=32).digest() + rest


def is_whole(key: str, payload: bytes | bytearray) -> bool:
    digest, rest = payload[:32], payload[32:]
    return rest[:16].strip() == key.encode() and hashlib.blake2b(rest, digest_size=32).digest() == digest


def say(*lines: object) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def some_size(chance: random.Random) -> int:
    return int(SMALLEST * (LARGEST / SMALLEST) ** chance.random())


def write(directory: str, max_bytes: str, seed: str) -> None:
    """Store over and over the same keys, in sizes of every order of magnitude."""
    store = FileStore(directory, max_bytes=int(max_bytes))
    chance = random.Random(int(seed))
    announced = False
    while True:
        key = chance.choice(KEYS)
        store.set(key, sealed(key, some_size(chance)), expires=time.time() + chance.choice((1, 60)))
        if chance.random() < 0.02:
            store.delete_group(key.partition("/")[0])
        if not announced:
            announced = True
            say("ready")


def flood(directory: str, max_bytes: str, seed: str) -> None:
    """Store new keys until killed, without pauses."""
    store = FileStore(directory, max_bytes=int(max_bytes))
    chance = random.Random(int(seed))
    data = os.urandom(LARGEST)
    number = 0
    while True:
        number += 1
        key = f"g{seed}-{number // 3}/{number}" if number % 4 else f"{seed}-{number}"
        store.set(key, data[: some_size(chance)], expires=None)
        if number == 1:
            say("ready")


def read(directory: str) -> None:
    """Read until the file `stop` appears beside the directory; print how many were whole and what was not."""
    reader = Reader(PrivateDirectory(Path(directory)))
    whole, wrong = 0, []
    stop = Path(directory).parent / "stop"
    say("ready")
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
    say(whole, *wrong)


def sweep(directory: str, max_bytes: str, log: str) -> None:
    """Be a janitor, or wait to be: log the begin and the end of each sweep in one line each."""
    store = FileStore(directory, max_bytes=int(max_bytes))
    out = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    say("ready")
    while True:
        with store.try_lock_janitor() as active:
            for _ in range(20 if active else 0):
                os.write(out, f"begin {os.getpid()}\n".encode())
                store.sweep()
                os.write(out, f"end {os.getpid()}\n".encode())
                time.sleep(0.01)
        time.sleep(0.01)


def count(directory: str, key: str, times: str) -> None:
    """Add one `times` times, and print how often this process was the one to make the entry."""
    store = FileStore(directory, max_bytes=None)
    made = 0
    for _ in range(int(times)):
        made += store.add(key, b"0", expires=None)
        store.update(key, lambda payload: b"%d" % (int(payload) + 1))
    say(made)


JOBS: dict[str, Callable[..., None]] = {"write": write, "flood": flood, "read": read, "sweep": sweep, "count": count}

if __name__ == "__main__":
    JOBS[sys.argv[1]](*sys.argv[2:])
