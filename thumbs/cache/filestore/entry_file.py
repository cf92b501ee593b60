"""The file of one entry. It is read only if it is whole and belongs to the key.

The expiry is the file's modification time (0: never). So a new expiry costs one system call, and the janitor does not
open a file to learn whether it has expired. The access time is the time of the last use. Only this program sets it.
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

# One read must return all of it: Linux returns at most 2 GiB.
LARGEST_PAYLOAD = 1 << 30
# The last time of a file system is between 2038 and 2446. Each clamps later ones, but the call itself can overflow.
_LATEST_SECONDS = 1 << 33

# Seconds by which the clocks of two machines may differ. An entry from later than that dates from a wrong clock.
CLOCK_SKEW = 60.0


class Found(NamedTuple):
    """An entry. `created` and `expires` are Unix seconds; `expires` is None for one that does not expire.

    Of a hot file, `whole` is what its head made of the payload, and `payload` is empty.
    """

    payload: bytes | bytearray
    created: float
    expires: float | None
    whole: object = None

    def fresh(self, now: float) -> bool:
        """Whether it has not expired at `now`, and was not made later than that."""
        return self.created <= now + CLOCK_SKEW and (self.expires is None or now < self.expires)


class Damaged(ValueError):
    """The file is not a whole entry of this key in this format."""


def header(payload: bytes, *, created: float, digest: bytes) -> bytes:
    """The bytes before `payload` in its file. `created` is Unix seconds, `digest` that of the `EntryPath`."""
    checked = _HEADER.pack(_PREFIX, 0, len(payload), created, digest)[_CHECKED_FROM:]
    checksum = crc32(payload, crc32(checked))
    return _HEADER.pack(_PREFIX, checksum, len(payload), created, digest)


def read(fd: int, status: os.stat_result, *, digest: bytes, flags: int = 0, verified: bool = False) -> Found:
    """The entry in the open file `fd`, of which `status` is the `fstat`. With `verified` its checksum is not computed.

    With `flags=os.RWF_NOWAIT` raises BlockingIOError unless the page cache holds all of it.
    Raises Damaged for anything that is not the entry of `digest`.
    """
    size = status.st_size - HEADER_BYTES
    if not 0 <= size <= LARGEST_PAYLOAD or not stat.S_ISREG(status.st_mode):
        raise Damaged
    head, payload = bytearray(HEADER_BYTES), bytearray(size)
    if os.preadv(fd, (head, payload), 0, flags) < status.st_size:
        raise BlockingIOError if flags else Damaged
    return Found(payload, _created(head, payload, digest, verified=verified), expiry(status))


def parse(data: bytes, *, digest: bytes) -> bytes:
    """The payload of an entry that is kept elsewhere, from all bytes of its file. Raises Damaged as `read` does."""
    head, payload = data[:HEADER_BYTES], data[HEADER_BYTES:]
    if len(head) < HEADER_BYTES:
        raise Damaged
    _created(head, payload, digest, verified=False)
    return payload


def _created(head: bytes | bytearray, payload: bytes | bytearray, digest: bytes, *, verified: bool) -> float:
    """When the entry of `digest` was created, in Unix seconds. Raises Damaged where it is another one or not whole."""
    prefix, checksum, length, created, written_digest = _HEADER.unpack(head)
    if prefix != _PREFIX or length != len(payload) or written_digest != digest:
        raise Damaged
    if not verified and checksum != crc32(payload, crc32(head[_CHECKED_FROM:])):
        raise Damaged
    return float(created)


def expiry(status: os.stat_result) -> float | None:
    """When the entry with this `stat` expires, in Unix seconds; None for never."""
    return status.st_mtime_ns / 1e9 if status.st_mtime_ns else None


def nanoseconds(expires: float | None) -> int:
    """The modification time that stands for `expires`."""
    return 0 if expires is None else max(1, int(min(expires, _LATEST_SECONDS) * 1e9))
