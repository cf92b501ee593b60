"""Reading with limits: each wait ends by one monotonic deadline, and no more bytes are read than allowed."""

import time
from collections.abc import Callable

from thumbs.errors import SourceMissing, SourceTooLarge, StorageFailed, StorageTimeout

Read = Callable[[int], bytes]

_CHUNK = 1 << 20


class Interrupted(StorageFailed):
    """A temporary failure: another try may succeed."""


class Deadline:
    """A point on the monotonic clock, `seconds` from now."""

    __slots__ = ("_end",)

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """The seconds until the deadline, more than 0. Raises `StorageTimeout` when it has passed."""
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise StorageTimeout
        return seconds

    def within(self, seconds: float) -> "Deadline":
        """The earlier of this deadline and `seconds` from now; 0 means no bound of its own."""
        if not seconds:
            return self
        return Deadline(min(seconds, self.left()))


def key_bytes(path: str) -> bytes:
    """`path` in UTF-8. Raises `SourceMissing` for lone surrogates: no storage has such a name."""
    try:
        return path.encode("utf-8")
    except UnicodeEncodeError as error:
        raise SourceMissing from error


def read_exactly(read: Read, length: int, *, deadline: Deadline) -> bytes:
    """Exactly `length` bytes from `read`, in chunks of at most a mebibyte.

    Raises `Interrupted` when the data ends earlier, `StorageTimeout` at the deadline.
    """
    chunks = []
    missing = length
    while missing:
        deadline.left()
        chunk = read(min(missing, _CHUNK))
        if not chunk:
            raise Interrupted
        chunks.append(chunk)
        missing -= len(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def read_to_end(read: Read, *, max_bytes: int, deadline: Deadline) -> bytes:
    """All bytes from `read`, until it returns none.

    Raises `SourceTooLarge` at the first byte over `max_bytes`, `StorageTimeout` at the deadline.
    """
    chunks = []
    allowed = max_bytes
    while chunk := read(min(allowed + 1, _CHUNK)):
        allowed -= len(chunk)
        if allowed < 0:
            raise SourceTooLarge
        chunks.append(chunk)
        deadline.left()
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
