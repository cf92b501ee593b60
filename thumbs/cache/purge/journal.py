"""The journal of purges, for all processes of a machine: an entry made before its purge counts as absent.

Purges of other machines come from the feed.
"""

import contextlib
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from thumbs.cache.filestore.flock import lock, unlock
from thumbs.cache.filestore.trust import PrivateFile

logger = logging.getLogger("thumbs.cache")

EVERYTHING = "*"
CLOCK_SKEW = 60.0  # how far the clocks of two machines may be apart
_CHECK_SECONDS = 0.25  # a purge is seen by the other processes within this many seconds
_REWRITE_BYTES = 256 * 1024  # a smaller file is not rewritten
_DROP_SECONDS = 60.0  # how often a process forgets the purges that have no effect any more


class Purge(NamedTuple):
    """The purge of a group at `when`, Unix seconds by the clock of the machine that purged it."""

    group: str
    when: float


class PurgeJournal:
    """The purges of one storage, in a file of lines `time group` that all of its processes append to and read.

    The first line is a random mark, which changes when the file is rewritten: every process then reads all of it again.
    So it is rewritten only where that at least halves it. `keep` is the seconds that an entry can live: an older purge
    has no effect any more.
    """

    def __init__(self, journal: PrivateFile, *, keep: float, clock: Callable[[], float] = time.time) -> None:
        self._journal = journal
        self._keep = keep
        self._clock = clock
        self._times: dict[str, float] = {}
        self._everything = 0.0
        self._journaled: set[Purge] = set()  # purges by this machine
        self._lock = threading.Lock()
        self._check_at = 0.0
        self._position = 0
        self._mark = b""
        self._seen: tuple[int, ...] = ()
        self._warned = False
        self._dropped_at = 0.0
        self._rewrite_above = _REWRITE_BYTES

    def is_purged(self, group: str, created: float) -> bool:
        """Whether an entry of `group` created at that Unix time has been purged since. Costs two lookups."""
        if time.monotonic() >= self._check_at:
            self._refresh()
        return created <= self._everything or created <= self._times.get(group, 0.0)

    def purged_at(self, group: str) -> float:
        """The time of the last purge of `group`, in Unix seconds; 0.0 where none is known that has an effect."""
        if time.monotonic() >= self._check_at:
            self._refresh()
        return max(self._everything, self._times.get(group, 0.0))

    def append(self, group: str) -> float:
        """Purge every entry of `group` that was created until now; return that time.

        Raises OSError when the journal cannot be written.
        """
        now = self._clock()
        self._mark_purged(group, now)
        self._add_own(Purge(group, now))
        self._drop_outdated(now)
        with self._opened() as descriptor:
            size = os.fstat(descriptor).st_size
            if size > self._rewrite_above:
                size = self._rewrite(descriptor, size, now)
            _append(descriptor, size, _line(group, now))
        return now

    def merge(self, purges: Iterable[Purge], *, late: float = 0.0) -> None:
        """Add purges that were read from the feed; those in the journal are skipped.

        The other machine's clock may be behind, so each covers `CLOCK_SKEW` seconds more, but at most until now. So it
        does for the `late` seconds between two readings: until a purge is read, what it covers may be renewed.
        """
        self._refresh()
        now = self._clock()
        for purge in purges:
            if purge not in self._journaled:
                self._mark_purged(purge.group, min(now, purge.when + CLOCK_SKEW + late))
        self._drop_outdated(now)

    def _mark_purged(self, group: str, when: float) -> None:
        with self._lock:
            if group == EVERYTHING:
                self._everything = max(self._everything, when)
            else:
                self._times[group] = max(self._times.get(group, 0.0), when)

    def _refresh(self) -> None:
        self._check_at = time.monotonic() + _CHECK_SECONDS
        try:
            found = self._journal.path.stat(follow_symlinks=False)
            seen = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
            if seen != self._seen:
                # `open` checks the owner: otherwise another user could purge everything at any time.
                descriptor = self._journal.open(os.O_RDONLY)
                try:
                    self._read(descriptor)
                finally:
                    os.close(descriptor)
                self._seen = seen
                self._drop_outdated(self._clock())
        except (FileNotFoundError, NotADirectoryError):
            pass  # no purge yet, or the directory is gone, with every entry that a purge could cover
        except OSError as error:
            if not self._warned:
                self._warned = True
                logger.warning("purges by other processes are not seen: %s", error)

    def _read(self, descriptor: int) -> None:
        with os.fdopen(descriptor, "rb", closefd=False) as journal:
            journal.seek(0)
            mark = journal.readline()
            # Another mark means another file, or the same one rewritten: read it from the start.
            position = self._position if mark == self._mark else len(mark)
            journal.seek(position)
            for line in journal:
                if not line.endswith(b"\n"):
                    break  # still being written
                position += len(line)
                when, _, group = line.decode("ascii", "replace").strip().partition(" ")
                with contextlib.suppress(ValueError):
                    self._add_journaled(group, float(when))
            self._mark, self._position = mark, position

    def _add_journaled(self, group: str, when: float) -> None:
        """Add a line of the journal. One from the future, by a wrong clock, covers what there is until now."""
        if math.isfinite(when):
            self._mark_purged(group, min(when, self._clock()))
            self._add_own(Purge(group, when))

    def _add_own(self, purge: Purge) -> None:
        with self._lock:
            self._journaled.add(purge)

    def _drop_outdated(self, now: float) -> None:
        """Forget what has no effect any more. Not at each change: while many are purged, each would go through all."""
        if abs(now - self._dropped_at) < _DROP_SECONDS:
            return
        self._dropped_at = now
        self._rewrite_above = _REWRITE_BYTES  # less of the journal may have an effect than when it was last read
        self._drop_before(now - self._keep)

    def _drop_before(self, before: float) -> None:
        with self._lock:
            for group in [group for group, when in self._times.items() if when < before]:
                del self._times[group]
            self._journaled = {purge for purge in self._journaled if purge.when >= before}

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int]:
        descriptor = self._journal.open(os.O_RDWR | os.O_CREAT, make_directory=True)
        try:
            lock(descriptor)
            try:
                yield descriptor
            finally:
                unlock(descriptor)
        finally:
            os.close(descriptor)

    def _rewrite(self, descriptor: int, size: int, now: float) -> int:
        """Leave out the purges that have no effect any more, if that at least halves the file; return its size.

        In place, without another file or an empty one meanwhile: a full disk or the end of this process loses nothing.
        """
        self._read(descriptor)
        before = now - self._keep
        self._drop_before(before)
        lines = [_line(group, when) for group, when in list(self._times.items())]
        if self._everything >= before:
            lines.append(_line(EVERYTHING, self._everything))
        content = b"".join([_mark(), *lines])
        self._rewrite_above = max(_REWRITE_BYTES, 2 * len(content))
        if size <= self._rewrite_above:
            return size
        # With a new mark, so that a reader knows that its position is no longer valid; and with another one at the end,
        # for a reader that came meanwhile.
        _write_all(descriptor, content, 0)
        os.ftruncate(descriptor, len(content))
        _write_all(descriptor, _mark(), 0)
        return len(content)


def _append(descriptor: int, size: int, line: bytes) -> None:
    """Write `line` at the end of the file of that `size`, all of it or nothing. Raises OSError."""
    if not size:
        line = _mark() + line
    elif os.pread(descriptor, 1, size - 1) != b"\n":
        line = b"\n" + line  # the last line is not whole, as after a power failure
    try:
        _write_all(descriptor, line, size)
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def _write_all(descriptor: int, data: bytes, position: int) -> None:
    # What a full disk or a limit leaves out of one write, the next one raises.
    while data:
        written = os.pwrite(descriptor, data, position)
        data, position = data[written:], position + written


def _line(group: str, when: float) -> bytes:
    return f"{when!r} {group}\n".encode("ascii")


def _mark() -> bytes:
    return f"# {os.urandom(8).hex()}\n".encode("ascii")
