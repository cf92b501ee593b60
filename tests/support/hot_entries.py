"""Disk stores that keep files open, and which files of a directory this process has open."""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.clock import Clock
from thumbs.cache.filestore.hot_files import HotFiles
from thumbs.cache.filestore.store import FileStore, Found

HEAD_BYTES = 4


@dataclass(frozen=True)
class Kept:
    """The key and the first bytes of a payload, and what follows them."""

    key: str
    head: bytes
    body: bytes = b""

    def with_body(self, body: bytes) -> "Kept":
        return replace(self, body=body)


def keep(key: str, payload: bytes | bytearray) -> tuple[Kept, int]:
    """Keeps the head of a payload. One that begins with a NUL is invalid."""
    if payload[:1] == b"\0":
        raise ValueError("invalid")
    return Kept(key, bytes(payload[:HEAD_BYTES])), HEAD_BYTES


def later() -> Clock:
    """A clock that is ahead of all files: to it, none has changed within the last seconds."""
    clock = Clock()
    clock.now = time.time() + 1000
    return clock


def is_hot(found: Found | None) -> bool:
    return found is not None and found.whole is not None


def whole(found: Found | None) -> bytes | None:
    """The payload, also of a hot file."""
    if found is None or found.whole is None:
        return None if found is None else bytes(found.payload)
    assert isinstance(found.whole, Kept)
    assert found.payload == b""
    return found.whole.head + found.whole.body


def heat(store: FileStore, *keys: str) -> None:
    """Read until the files stay open: the first read verifies one, the second keeps it."""
    for key in keys:
        try:
            for _ in range(2):
                store.get_now(key, keep)
        except BlockingIOError:
            pytest.skip("the file system of the temporary directory cannot read without waiting")


class Hot:
    """A store in `directory` with hot files, and another one of the same directory, as that of another process."""

    def __init__(self, directory: Path, *, max_bytes: int | None = None) -> None:
        self.directory = directory
        self.clock = later()
        self.files = HotFiles()
        self.store = FileStore(directory, max_bytes=max_bytes, clock=self.clock, hot_files=self.files)
        self.other = FileStore(directory, max_bytes=max_bytes, clock=self.clock)

    def put(self, key: str, payload: bytes, *, expires: float | None = None) -> Path:
        """Store `payload`, and have its file open. The path of the file."""
        before = set(self.directory.rglob("*.entry"))
        assert self.other.set(key, payload, expires=expires)
        heat(self.store, key)
        assert is_hot(self.get(key))
        (path,) = set(self.directory.rglob("*.entry")) - before
        return path

    def get(self, key: str) -> Found | None:
        return self.store.get_now(key, keep)


def open_entries(directory: Path, pid: int | str = "self") -> list[str]:
    """The entries below `directory` that a process has open; " (deleted)" follows the name of one that is removed."""
    found = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(link.readlink())
        except FileNotFoundError:  # closed meanwhile
            continue
        if target.startswith(f"{directory}/") and ".entry" in target:
            found.append(target)
    return found
