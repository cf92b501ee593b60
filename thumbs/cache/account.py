"""What the directory holds, in one page shared by all processes: never less than the truth.

Space is written down before it is taken and struck off after it is given back, so that a process killed at
any point leaves too high a figure, and a scan of one shard puts that shard right.
"""

import os
import stat
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from thumbs.cache.flock import hold, release
from thumbs.cache.notes import NOTES_BYTES, Notes
from thumbs.cache.place import SHARDS
from thumbs.cache.trust import PrivateFile

BLOCK = 4096
# The root directory, its tag and this account itself.
FIXED_BYTES = 3 * BLOCK

_MAGIC = b"mage account 2\n\0"
_UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Weight:
    """Bytes on the disk (whole blocks, directories included) and entries."""

    bytes: int = 0
    entries: int = 0

    def __add__(self, other: "Weight") -> "Weight":
        return Weight(self.bytes + other.bytes, self.entries + other.entries)

    def __sub__(self, other: "Weight") -> "Weight":
        return Weight(self.bytes - other.bytes, self.entries - other.entries)

    def __bool__(self) -> bool:
        return self.bytes != 0 or self.entries != 0


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that the directory may hold; None for no limit."""

    bytes: int | None
    entries: int | None = None

    def excess(self, held: Weight) -> Weight:
        """By how much `held` is over; Weight() when it is not."""
        return Weight(
            max(0, held.bytes - self.bytes) if self.bytes is not None else 0,
            max(0, held.entries - self.entries) if self.entries is not None else 0,
        )


class Unweighed(Exception):
    """A shard was never counted: the account is new, or was lost. Scan the shards of `unweighed` first."""


class Account:
    """The page in `file`. Every change to a shard's figure is made by who holds that shard's lock."""

    def __init__(self, file: str | PrivateFile) -> None:
        self._file = PrivateFile.at(file)

    def reserve(self, shard: int, cost: Weight, limits: Limits) -> Weight:
        """Write `cost` down if it fits; else change nothing and return by how much it does not.

        Raises Unweighed when the total is not known, OSError as the disk does.
        """
        with self._page() as page:
            excess = limits.excess(page.total() + cost)
            if not excess:
                page.add(shard, cost)
        return excess

    def settle(self, shard: int, change: Weight) -> None:
        """Correct the figure of `shard` by `change`. A directory that is gone owes nothing."""
        with suppress(FileNotFoundError), self._page() as page:
            page.add(shard, change)

    def put(self, shard: int, weight: Weight, *, if_unknown: bool = False) -> None:
        """Replace the figure of `shard` by one just counted (`if_unknown`: unless it has one by now)."""
        with self._page() as page:
            if not if_unknown or page.bytes[shard] == _UNKNOWN:
                page.put(shard, weight)

    def total(self) -> Weight:
        """All shards and what the directory itself takes. Raises Unweighed, FileNotFoundError."""
        with self._page() as page:
            return page.total()

    def unweighed(self) -> list[int]:
        """The shards that nobody has counted since the account was made."""
        with self._page() as page:
            return [shard for shard, figure in enumerate(page.bytes) if figure == _UNKNOWN]

    def charged(self) -> set[int]:
        """The shards that the account takes to hold something, even if their directory is gone."""
        with self._page() as page:
            return {shard for shard, figure in enumerate(page.bytes) if figure > 0}

    def note(self, change: Callable[[Notes], Notes]) -> None:
        """Replace the notes by `change` of them. Raises OSError, FileNotFoundError where there is no account."""
        with self._page(create=False) as page:
            page.notes = change(page.notes)
            page.changed = True

    @contextmanager
    def _page(self, *, create: bool = True) -> Iterator["_Page"]:
        # Opened anew each time: somebody may have deleted the directory and with it the file we knew.
        fd = self._file.open(os.O_RDWR | (os.O_CREAT if create else 0))
        try:
            hold(fd)
            try:
                page = _Page(os.pread(fd, _Page.SIZE + 1, 0))
                yield page
                if page.rebuilt:
                    os.ftruncate(fd, 0)
                if page.changed:
                    os.pwrite(fd, page.dump(), 0)
            finally:
                release(fd)
        finally:
            os.close(fd)


def notes_of(path: str) -> Notes:
    """The notes in the account at `path`, which may be another user's: nothing is locked. Empty where there is none."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return Notes()
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return Notes()
        return _Page(os.pread(fd, _Page.SIZE + 1, 0)).notes
    finally:
        os.close(fd)


class _Page:
    """Bytes, then entries, of each shard, and the notes.

    All is within one page of memory, so that a kill cannot cut its write in two.
    """

    SIZE = len(_MAGIC) + SHARDS * (8 + 4) + NOTES_BYTES

    def __init__(self, raw: bytes) -> None:
        self.bytes, self.entries, self.notes = array("q"), array("i"), Notes()
        self.changed = False
        self.rebuilt = len(raw) != self.SIZE or not raw.startswith(_MAGIC)
        if not self.rebuilt:
            middle = len(_MAGIC) + SHARDS * 8
            self.bytes.frombytes(raw[len(_MAGIC) : middle])
            self.entries.frombytes(raw[middle:-NOTES_BYTES])
            self.notes = Notes.unpack(raw[-NOTES_BYTES:])
        else:
            self.bytes.extend([_UNKNOWN] * SHARDS)
            self.entries.extend([0] * SHARDS)
            self.changed = True

    def total(self) -> Weight:
        if _UNKNOWN in self.bytes:
            raise Unweighed
        return Weight(sum(self.bytes) + FIXED_BYTES, sum(self.entries))

    def add(self, shard: int, change: Weight) -> None:
        if self.bytes[shard] != _UNKNOWN:
            self.put(shard, Weight(self.bytes[shard], self.entries[shard]) + change)

    def put(self, shard: int, weight: Weight) -> None:
        self.bytes[shard] = max(0, weight.bytes)
        self.entries[shard] = max(0, weight.entries)
        self.changed = True

    def dump(self) -> bytes:
        return _MAGIC + self.bytes.tobytes() + self.entries.tobytes() + self.notes.pack()
