"""The file of one entry: it is what was written, whole and under its own key, or it is refused.

The expiry is the file's modification time (0: never). A longer life is then one system call, and the
janitor need not open a file to know that its time is over. The access time is when it was last used,
set by us alone.
"""

import os
import stat
import struct
from typing import NamedTuple
from zlib import crc32

_PREFIX = b"MgEn\x01\x00\x00\x00"  # the magic, then the version of the format
_HEADER = struct.Struct("<8sIQd32s")  # prefix, checksum of all that follows, payload length, created, key digest
_CHECKED_FROM = 12
HEADER_BYTES = _HEADER.size

# One read must be able to return it; Linux ends every read at 2 GiB.
LARGEST_PAYLOAD = 1 << 30
# File systems end between 2038 and 2446; each clamps by itself, but none takes what overflows the call.
_LATEST_SECONDS = 1 << 33

# An entry made or used later than now, by more than clocks of machines differ, dates from a wrong clock.
CLOCK_SKEW = 60.0


class Found(NamedTuple):
    """An entry. `created` and `expires` are Unix seconds; `expires` is None for one that stays."""

    payload: bytes | bytearray
    created: float
    expires: float | None

    def fresh(self, now: float) -> bool:
        return self.created <= now + CLOCK_SKEW and (self.expires is None or now < self.expires)


class Damaged(ValueError):
    """A file that is not, or no longer, the entry of this key in this format."""


def header(payload: bytes, *, created: float, digest: bytes) -> bytes:
    """What goes before `payload` in its file."""
    checked = _HEADER.pack(_PREFIX, 0, len(payload), created, digest)[_CHECKED_FROM:]
    checksum = crc32(payload, crc32(checked))
    return _HEADER.pack(_PREFIX, checksum, len(payload), created, digest)


def read(fd: int, status: os.stat_result, *, digest: bytes, flags: int = 0, verified: bool = False) -> Found:
    """The entry in the open file `fd` whose `fstat` is `status`; `verified` when its checksum is known to be right.

    With `flags=os.RWF_NOWAIT` raises BlockingIOError unless the page cache holds all of it.
    Raises Damaged for anything that is not the entry of `digest`.
    """
    size = status.st_size - HEADER_BYTES
    if not 0 <= size <= LARGEST_PAYLOAD or not stat.S_ISREG(status.st_mode):
        raise Damaged
    head, payload = bytearray(HEADER_BYTES), bytearray(size)
    if os.preadv(fd, (head, payload), 0, flags) < status.st_size:
        raise BlockingIOError if flags else Damaged
    prefix, checksum, length, created, owner = _HEADER.unpack(head)
    if prefix != _PREFIX or length != size or owner != digest:
        raise Damaged
    if not verified and checksum != crc32(payload, crc32(head[_CHECKED_FROM:])):
        raise Damaged
    return Found(payload, created, expiry(status))


def expiry(status: os.stat_result) -> float | None:
    """The Unix seconds at which the entry with this `stat` ends; None for never."""
    return status.st_mtime_ns / 1e9 if status.st_mtime_ns else None


def nanoseconds(expires: float | None) -> int:
    """The modification time that says `expires`."""
    return 0 if expires is None else max(1, int(min(expires, _LATEST_SECONDS) * 1e9))
