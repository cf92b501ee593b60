"""The statistics in the ledger of a cache directory: hits, stores, and the last sweep."""

import struct
from typing import NamedTuple

_PACKED = struct.Struct("<2q2d4q")


class Stats(NamedTuple):
    """Since the ledger was made: `hits`, lookups that found a fresh entry, and `stores`, entries that were written.

    Of the last sweep: `swept_at` in Unix seconds (0: none yet), the `seconds` that it took, and what it removed, as in
    `sweep.Sweep`.
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
        """Hits as a part of all lookups, 0 to 1; None before the first one. A store counts as a miss."""
        lookups = self.hits + self.stores
        return self.hits / lookups if lookups else None

    def pack(self) -> bytes:
        return _PACKED.pack(*self)

    @classmethod
    def unpack(cls, packed: bytes) -> "Stats":
        return cls(*_PACKED.unpack(packed))


STATS_BYTES = _PACKED.size
