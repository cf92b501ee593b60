"""Every wait for an original ends by one monotonic deadline, and no more bytes are taken than promised or allowed."""

import time
from collections.abc import Callable

from thumbs.errors import SourceMissing, SourceTooLarge, StorageFailed, StorageTimeout

Read = Callable[[int], bytes]

_CHUNK = 1 << 20


class Interrupted(StorageFailed):
    """A failure of the moment: asking again may succeed."""


class Deadline:
    """A moment on the monotonic clock, `seconds` from now."""

    __slots__ = ("_end",)

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """The seconds that are left, always more than 0. Raises `StorageTimeout` when none are."""
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise StorageTimeout
        return seconds

    def within(self, seconds: float) -> "Deadline":
        """The sooner of this moment and `seconds` from now; 0 `seconds` set no bound of their own."""
        if not seconds:
            return self
        return Deadline(min(seconds, self.left()))


def key_bytes(path: str) -> bytes:
    """The UTF-8 of `path`. Raises `SourceMissing` for a text that has none: no storage holds such a name."""
    try:
        return path.encode("utf-8")
    except UnicodeEncodeError as error:
        raise SourceMissing from error


def read_exactly(read: Read, length: int, *, deadline: Deadline) -> bytes:
    """`length` bytes of what `read` gives, in chunks of at most a mebibyte.

    Raises `Interrupted` when it ends sooner, `StorageTimeout` at the deadline.
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
    """All that `read` gives, until it gives nothing.

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
