"""What the account of a cache directory tells besides its weight: how often it was of use, and its last sweep."""

import struct
from typing import NamedTuple

_PACKED = struct.Struct("<2q2d4q")


class Stats(NamedTuple):
    """Since the account was begun: `hits`, reads that gave an entry, and `stores`, entries that had to be written.

    Of the last sweep: `swept_at` in Unix seconds (0: there was none), how many `seconds` it took, and what it removed,
    as in `sweep.Sweep`.
    """

    hits: int = 0
    stores: int = 0
    swept_at: float = 0.0
    seconds: float = 0.0
    expired: int = 0
    orphans: int = 0
    evicted: int = 0
    freed: int = 0

    @property
    def hit_ratio(self) -> float | None:
        """Of all entries that were wanted, the part that was there; None while nothing was."""
        wanted = self.hits + self.stores
        return self.hits / wanted if wanted else None

    def pack(self) -> bytes:
        return _PACKED.pack(*self)

    @classmethod
    def unpack(cls, packed: bytes) -> "Stats":
        return cls(*_PACKED.unpack(packed))


STATS_BYTES = _PACKED.size
