"""The ledger: the bytes and entries of each shard, in a file that all processes share; never less than is used.

Space is added before it is used and subtracted after it is freed. So a process that is killed leaves a figure that is
too high, and counting one shard corrects that shard.
"""

import os
import stat
from array import array
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from thumbs.cache.filestore.flock import lock, unlock
from thumbs.cache.filestore.paths import SHARDS
from thumbs.cache.filestore.stats import STATS_BYTES, Stats
from thumbs.cache.filestore.trust import OpenDirectory, PrivateFile

BLOCK = 4096
# The root directory, its tag and the ledger itself.
FIXED_BYTES = 3 * BLOCK

_MAGIC = b"mage account 2\n\0"
_UNKNOWN = -1
_CREATE = os.O_RDWR | os.O_CREAT


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes on the disk (whole blocks, directories included) and entries."""

    bytes: int = 0
    entries: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.bytes + other.bytes, self.entries + other.entries)

    def __sub__(self, other: "Usage") -> "Usage":
        return Usage(self.bytes - other.bytes, self.entries - other.entries)

    def __bool__(self) -> bool:
        return self.bytes != 0 or self.entries != 0


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that the directory may hold; None for no limit."""

    bytes: int | None
    entries: int | None = None

    def excess(self, held: Usage) -> Usage:
        """By how much `held` is over the limits; `Usage()` when it is not."""
        return Usage(
            max(0, held.bytes - self.bytes) if self.bytes is not None else 0,
            max(0, held.entries - self.entries) if self.entries is not None else 0,
        )


class Uncounted(Exception):
    """A shard was never counted: the ledger is new or was lost. Count the shards of `count_absent` first."""


class Ledger:
    """The ledger in `file`. A process changes the figure of a shard only while it holds that shard.

    Every method is one transaction: it opens, locks and reads the file, and writes it if anything has changed.
    """

    def __init__(self, file: PrivateFile) -> None:
        self._file = file

    def reserve(self, shard: int, cost: Usage, limits: Limits) -> Usage:
        """Add `cost` if it fits; else change nothing. Return by how much it does not fit.

        Raises Uncounted when the total is not known, OSError if the disk fails.
        """
        with self._page() as page:
            excess = limits.excess(page.total() + cost)
            if not excess:
                page.add(shard, cost)
        return excess

    def adjust(self, shard: int, change: Usage) -> None:
        """Add `change` to the figure of `shard`, unless the cache directory was deleted."""
        with suppress(FileNotFoundError), self._page() as page:
            page.add(shard, change)

    def put(self, shard: int, usage: Usage) -> None:
        """Replace the figure of `shard` by `usage`, which was just counted."""
        with self._page() as page:
            page.put(shard, usage)

    def total(self) -> Usage:
        """The usage of all shards and of the root directory. Raises Uncounted, FileNotFoundError."""
        with self._page() as page:
            return page.total()

    def create(self, root: OpenDirectory, existing: Callable[[], Collection[int]]) -> None:
        """Make the ledger in `root`, or check that it is writable; shards without a directory are counted as empty.

        Raises OSError when it cannot be opened for writing. The counting is left for later where it would have to wait
        for another process, or where the disk is full.
        """
        fd = root.open(self._file.name, _CREATE)
        try:
            with suppress(OSError), _locked_page(fd, wait=0) as page:
                page.count_absent(existing)
        finally:
            os.close(fd)

    def count_absent(self, existing: Callable[[], Collection[int]]) -> list[int]:
        """Count every unknown shard that has no directory as empty, in one transaction. Return those left to count.

        `existing` gives the shards that have a directory. It is called inside the transaction: a shard that is made
        later reports its own size in a later one.
        """
        with self._page() as page:
            page.count_absent(existing)
            return page.unknown()

    def nonempty(self) -> set[int]:
        """The shards that hold something by the ledger, even where their directory is gone."""
        with self._page() as page:
            return {shard for shard, figure in enumerate(page.bytes) if figure > 0}

    def update_stats(self, change: Callable[[Stats], Stats]) -> None:
        """Replace the statistics by `change` of them. Raises OSError; FileNotFoundError where there is no ledger."""
        with self._page(create=False) as page:
            page.stats = change(page.stats)
            page.changed = True

    @contextmanager
    def _page(self, *, create: bool = True) -> Iterator["_Page"]:
        # Opened each time: the directory may have been deleted since, and this file with it.
        fd = self._file.open(_CREATE if create else os.O_RDWR)
        try:
            with _locked_page(fd) as page:
                yield page
        finally:
            os.close(fd)


@contextmanager
def _locked_page(fd: int, *, wait: float | None = None) -> Iterator["_Page"]:
    """The page in `fd`, locked while inside, then written if it has changed. Raises TimeoutError, OSError."""
    lock(fd, wait=wait)
    try:
        page = _Page(os.pread(fd, _Page.SIZE + 1, 0))
        yield page
        if page.rebuilt:
            os.ftruncate(fd, 0)
        if page.changed:
            os.pwrite(fd, page.dump(), 0)
    finally:
        unlock(fd)


def stats_of(path: str) -> Stats:
    """The statistics in the ledger at `path`; empty where there is none. Takes no lock, so read access is enough."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return Stats()
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return Stats()
        return _Page(os.pread(fd, _Page.SIZE + 1, 0)).stats
    finally:
        os.close(fd)


class _Page:
    """The content of the file: the bytes of each shard, then the entries of each, then the statistics.

    It is smaller than a page of memory, so a process that is killed while it writes leaves the old or the new content.
    """

    SIZE = len(_MAGIC) + SHARDS * (8 + 4) + STATS_BYTES

    def __init__(self, raw: bytes) -> None:
        self.bytes, self.entries, self.stats = array("q"), array("i"), Stats()
        self.changed = False
        self.rebuilt = len(raw) != self.SIZE or not raw.startswith(_MAGIC)
        if not self.rebuilt:
            middle = len(_MAGIC) + SHARDS * 8
            self.bytes.frombytes(raw[len(_MAGIC) : middle])
            self.entries.frombytes(raw[middle:-STATS_BYTES])
            self.stats = Stats.unpack(raw[-STATS_BYTES:])
        else:
            self.bytes.extend([_UNKNOWN] * SHARDS)
            self.entries.extend([0] * SHARDS)
            self.changed = True

    def total(self) -> Usage:
        if _UNKNOWN in self.bytes:
            raise Uncounted
        return Usage(sum(self.bytes) + FIXED_BYTES, sum(self.entries))

    def unknown(self) -> list[int]:
        return [shard for shard, figure in enumerate(self.bytes) if figure == _UNKNOWN]

    def count_absent(self, existing: Callable[[], Collection[int]]) -> None:
        unknown = self.unknown()
        present = frozenset(existing()) if unknown else frozenset[int]()
        for shard in unknown:
            if shard not in present:
                self.put(shard, Usage())

    def add(self, shard: int, change: Usage) -> None:
        if self.bytes[shard] != _UNKNOWN:
            self.put(shard, Usage(self.bytes[shard], self.entries[shard]) + change)

    def put(self, shard: int, usage: Usage) -> None:
        self.bytes[shard] = max(0, usage.bytes)
        self.entries[shard] = max(0, usage.entries)
        self.changed = True

    def dump(self) -> bytes:
        return _MAGIC + self.bytes.tobytes() + self.entries.tobytes() + self.stats.pack()
