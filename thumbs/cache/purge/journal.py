"""What was purged and when: an entry made before its purge is no entry, in every process that shares the journal.

What other machines purged is learned from a bulletin.
"""

import contextlib
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from thumbs.cache.filestore.flock import lock
from thumbs.cache.filestore.trust import PrivateFile

logger = logging.getLogger("thumbs.cache")

EVERYTHING = "*"
CLOCK_SKEW = 60.0  # how far the clocks of two machines may be apart
_LOOK_SECONDS = 0.25  # a purge is seen by the other processes within this time
_REWRITE_BYTES = 256 * 1024


class Purge(NamedTuple):
    """The purge of a group, at that Unix time by the clock of who wrote it."""

    group: str
    when: float


class PurgeJournal:
    """The purges of one storage, in a journal of lines `time group` that all of its processes append to and read.

    Its first line is a mark, another one whenever the journal is written anew.

    `keep` is how long in seconds an entry can live at all: a purge that is older covers nothing any more.
    """

    def __init__(self, journal: Path | PrivateFile, *, keep: float, clock: Callable[[], float] = time.time) -> None:
        self._journal = PrivateFile.at(journal)
        self._keep = keep
        self._clock = clock
        self._times: dict[str, float] = {}
        self._everything = 0.0
        self._journaled: set[Purge] = set()  # those of this machine
        self._noting = threading.Lock()
        self._look_at = 0.0
        self._position = 0
        self._mark = b""
        self._seen: tuple[int, ...] = ()
        self._complained = False

    def is_purged(self, group: str, created: float) -> bool:
        """Whether an entry of `group` that was created at that time has been purged since. Costs two look-ups."""
        if time.monotonic() >= self._look_at:
            self._look()
        return created <= self._everything or created <= self._times.get(group, 0.0)

    def append(self, group: str) -> float:
        """Purge everything of `group` that was created until now, and return what time that is.

        Raises OSError when the journal cannot be written.
        """
        now = self._clock()
        self._mark_purged(group, now)
        self._journaled.add(Purge(group, now))
        with self._opened() as descriptor:
            size = os.fstat(descriptor).st_size
            if size > _REWRITE_BYTES:
                self._rewrite(descriptor, now - self._keep)
            elif not size:
                os.write(descriptor, _mark())
            os.write(descriptor, _line(group, now))
        return now

    def merge(self, told: Iterable[Purge]) -> None:
        """Note what another machine has purged: by its clock, which may be behind, so up to now by this one's."""
        self._look()
        now = self._clock()
        for each in told:
            if each not in self._journaled:  # else this machine has purged it itself, and all is said
                self._mark_purged(each.group, min(now, each.when + CLOCK_SKEW))
        self._forget(now - self._keep)

    def _mark_purged(self, group: str, when: float) -> None:
        with self._noting:
            if group == EVERYTHING:
                self._everything = max(self._everything, when)
            else:
                self._times[group] = max(self._times.get(group, 0.0), when)

    def _look(self) -> None:
        self._look_at = time.monotonic() + _LOOK_SECONDS
        try:
            found = self._journal.path.stat(follow_symlinks=False)
            seen = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
            if seen != self._seen:
                self._read()
                self._seen = seen
                self._forget(self._clock() - self._keep)
        except (FileNotFoundError, NotADirectoryError):
            pass  # no purge yet, or the directory is gone and with it all that could be stale
        except OSError as error:
            if not self._complained:
                self._complained = True
                logger.warning("purges by other processes are not seen: %s", error)

    def _read(self) -> None:
        # Checked for its owner: another user could purge for ever.
        with os.fdopen(self._journal.open(os.O_RDONLY), "rb") as journal:
            mark = journal.readline()
            # Another journal, or the same one written anew, is read from its start.
            position = self._position if mark == self._mark else len(mark)
            journal.seek(position)
            for line in journal:
                if not line.endswith(b"\n"):
                    break  # still being written
                position += len(line)
                when, _, group = line.decode("ascii", "replace").strip().partition(" ")
                with contextlib.suppress(ValueError):
                    self._heard(group, float(when))
            self._mark, self._position = mark, position

    def _heard(self, group: str, when: float) -> None:
        """A purge is of what there was until then, and nothing is from later than now."""
        if math.isfinite(when):
            self._mark_purged(group, min(when, self._clock()))
            self._journaled.add(Purge(group, when))

    def _forget(self, before: float) -> None:
        for group, when in list(self._times.items()):
            if when < before:
                self._times.pop(group, None)
        self._journaled = {each for each in self._journaled.copy() if each.when >= before}

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int]:
        descriptor = self._journal.open(os.O_RDWR | os.O_CREAT | os.O_APPEND, make_directory=True)
        try:
            lock(descriptor)
            yield descriptor
        finally:
            os.close(descriptor)

    def _rewrite(self, descriptor: int, before: float) -> None:
        # In place, under a new mark: by that a reader knows that its position counts for nothing any more.
        self._look()
        lines = [_mark(), *(_line(group, when) for group, when in list(self._times.items()) if when >= before)]
        if self._everything >= before:
            lines.append(_line(EVERYTHING, self._everything))
        os.ftruncate(descriptor, 0)
        os.write(descriptor, b"".join(lines))


def _line(group: str, when: float) -> bytes:
    return f"{when!r} {group}\n".encode("ascii")


def _mark() -> bytes:
    return f"# {os.urandom(8).hex()}\n".encode("ascii")
