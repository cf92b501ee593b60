"""The disk store: bytes in one file per key, under a cap that all processes together never exceed."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from thumbs.cache.filestore import entry_file
from thumbs.cache.filestore.directory import LEDGER, ForeignDirectory, inspect, janitor_lock
from thumbs.cache.filestore.entry_file import Damaged, Found
from thumbs.cache.filestore.hit_counter import HitCounter
from thumbs.cache.filestore.hot_files import HotFiles, KeptHead
from thumbs.cache.filestore.ledger import Ledger, Limits
from thumbs.cache.filestore.paths import EntryPath, path_of
from thumbs.cache.filestore.reader import Reader
from thumbs.cache.filestore.shards import Shards
from thumbs.cache.filestore.stats import Stats
from thumbs.cache.filestore.sweep import Sweep, Sweeper, measure
from thumbs.cache.filestore.trust import PrivateDirectory, PrivateFile, Untrusted
from thumbs.cache.filestore.writer import Writer

__all__ = ["FileStore", "ForeignDirectory", "Found", "StoreUsage", "Sweep", "Untrusted"]

_USES_WRITTEN_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class StoreUsage:
    """What the directory holds: `bytes` of disk, directories included, and the cap on them."""

    entries: int
    bytes: int
    cap: int | None


class FileStore:
    """Entries of bytes in `directory`, shared by all processes that use it. Constructing does not access it.

    A key is `group/name`; a group is one directory. `max_bytes` (of disk) and `max_items` are caps, None for no limit:
    the entries used longest ago are removed to keep them. Times are Unix seconds, `expires=None` means never.
    `hot_files` are those of the process, None where `get_now` keeps no file open.
    A call that writes raises OSError if the disk fails (TimeoutError when another process keeps a lock) and
    ForeignDirectory for the directory of another program. Any call raises Untrusted (an OSError) for a directory that
    another user owns or may write.
    """

    def __init__(
        self,
        directory: str | Path,
        *,
        max_bytes: int | None,
        max_items: int | None = None,
        clock: Callable[[], float] = time.time,
        hot_files: HotFiles | None = None,
    ) -> None:
        self._directory = PrivateDirectory(Path(directory))
        self._root = self._directory.path
        self._limits = Limits(max_bytes, max_items)
        self._clock = clock
        self._ledger = Ledger(PrivateFile(self._directory, LEDGER))
        self._shards = Shards(self._directory, self._ledger)
        self._reader = Reader(self._directory, hot_files)
        self._writer = Writer(self._shards, self._ledger, self._limits, self._reader, clock)
        self._counter = HitCounter(self._ledger)

    def __reduce__(self) -> tuple[Callable[[], "FileStore"], tuple[()]]:
        """For another process: the same directory and caps. What is queued or open here stays here."""
        limits = self._limits
        return partial(FileStore, self._root, max_bytes=limits.bytes, max_items=limits.entries, clock=self._clock), ()

    def prepare(self) -> None:
        """Make the cache directory, or check that it is one. Raises ForeignDirectory, Untrusted, OSError."""
        self._shards.prepare()

    def inspect(self) -> None:
        """Raise what `prepare` would raise, without writing anything."""
        inspect(self._directory)

    # --------------------------------------------------------------------------------------- reading

    def get(self, key: str, *, expired: bool = False) -> Found | None:
        """The entry of `key`; None for a miss. With `expired`, also an entry that has expired but is still there.

        A damaged file is a miss, and is removed. Raises OSError where reading fails.
        """
        path, now = path_of(key), self._clock()
        try:
            found = self._reader.read(path, now=now)
        except FileNotFoundError:
            return None
        except Damaged:
            self._discard(path)
            return None
        if self._reader.used:
            self.mark_used()
        fresh = found.fresh(now)
        if fresh:
            self._counter.hits += 1
            self._counter.flush()
        return found if expired or fresh else None

    def get_now(self, key: str, keep: Callable[[str, bytes | bytearray], KeptHead] | None = None) -> Found | None:
        """The fresh entry of `key`, from the page cache. Raises BlockingIOError where `get` is needed.

        The use is queued for `get` or `mark_used` to write. Raises BlockingIOError also when that is overdue.
        With `keep`, which gets the key and the payload, its file may stay open. Then `Found.whole` of later calls is
        the head that `keep` returned, `with_body`.
        """
        now, path = self._clock(), path_of(key)
        try:
            found = self._reader.read_hot(path, now=now)
            if found is None:
                found = self._reader.read_now(path, now=now, keep=None if keep is None else partial(keep, key))
        except FileNotFoundError:
            return None
        fresh = found.fresh(now)
        if fresh:
            self._counter.hits += 1
        return found if fresh else None

    def mark_used(self) -> None:
        """Write some of the queued uses to their entries. Where that fails, they are dropped."""
        moment = int(self._clock() * 1e9)
        for _ in range(_USES_WRITTEN_AT_ONCE):
            try:
                inner, path = self._reader.used.popitem()
            except KeyError:
                return
            with suppress(OSError), self._shards.locked(path.shard, wait=0) as shard:
                shard.set_times(inner, used=moment, expires=shard.status(inner).st_mtime_ns)

    # --------------------------------------------------------------------------------------- writing

    def set(self, key: str, payload: bytes, *, expires: float | None) -> bool:
        """Store `payload`. False when it does not fit under the cap: then `key` has no entry."""
        if self._has_expired(expires):
            self.delete(key)
            return True
        stored = self._writer.store(path_of(key), lambda _: (payload, expires), with_entry=False)
        self._counter.stores += 1
        self._counter.flush()
        return stored

    def add(self, key: str, payload: bytes, *, expires: float | None) -> bool:
        """Store `payload` if `key` has no fresh entry. Of all processes that try, one gets True."""
        if self._has_expired(expires):
            return self.get(key) is None
        return self._writer.store(path_of(key), lambda found: None if found else (payload, expires), with_entry=True)

    def update(self, key: str, change: Callable[[bytes], bytes]) -> bool:
        """Replace the payload by `change` of it, while no other process can write. False when there is no fresh entry.

        `change` may be called more than once. When it raises, the entry stays as it was.
        """
        return self._writer.store(
            path_of(key),
            lambda found: (change(bytes(found.payload)), found.expires) if found else None,
            with_entry=True,
        )

    def touch(self, key: str, expires: float | None) -> bool:
        """Set the expiry of a fresh entry; False when there is none."""
        path = path_of(key)
        with suppress(FileNotFoundError), self._shards.locked(path.shard) as shard:
            status = shard.status(path.inner)
            if not self._has_expired(entry_file.expiry(status)):
                used = int(self._clock() * 1e9)
                shard.set_times(path.inner, used=used, expires=entry_file.nanoseconds(expires))
                return True
        return False

    def delete(self, key: str) -> bool:
        """Remove the entry of `key`; False when there was none."""
        path = path_of(key)
        with suppress(FileNotFoundError), self._shards.locked(path.shard) as shard:
            return bool(shard.remove(path.inner))
        return False

    def delete_group(self, group: str) -> int:
        """Remove `group` and every `group/…`; return how many. The cost depends only on their number."""
        alone, inside = path_of(group), path_of(f"{group}/")
        with suppress(FileNotFoundError), self._shards.locked(alone.shard) as shard:
            return shard.remove(alone.inner).entries + shard.remove_group(inside.group)
        return 0

    def count_group(self, group: str) -> int:
        """How many entries `delete_group` would remove."""
        alone, inside = path_of(group), path_of(f"{group}/")
        with suppress(FileNotFoundError), self._shards.locked(alone.shard) as shard:
            return shard.count(alone.inner, inside.group)
        return 0

    def clear(self) -> int:
        """Remove all entries; return how many."""
        removed = 0
        for number in self._shards.existing():
            self._shards.ensure_prepared()
            with suppress(FileNotFoundError), self._shards.locked(number) as shard:
                listing = shard.list()
                removed += sum(shard.remove(entry.inner).entries for entry in listing.entries)
                shard.tidy(listing)
        return removed

    # --------------------------------------------------------------------------------------- upkeep

    def usage(self) -> StoreUsage:
        """What the directory holds, from the ledger."""
        if not self._root.is_dir():
            return StoreUsage(0, 0, self._limits.bytes)
        self._shards.ensure_prepared()
        total = measure(self._shards, self._ledger)
        return StoreUsage(total.entries, total.bytes, self._limits.bytes)

    def sweep(self, *, dry_run: bool = False) -> Sweep:
        """One round of the janitor. Raises as a call that writes, even with `dry_run`, which removes nothing."""
        if dry_run and not self._root.is_dir():
            return Sweep()
        self.prepare()
        began = time.monotonic()
        swept = Sweeper(self._shards, self._ledger, self._limits, self._clock(), dry_run).sweep()
        if not dry_run:
            self._record(swept, time.monotonic() - began)
        return swept

    def try_lock_janitor(self) -> AbstractContextManager[bool]:
        """A context manager that gives True to the only janitor of the directory, False to any other process."""
        self._shards.prepare()
        return janitor_lock(self._directory)

    # -------------------------------------------------------------------------------------- internals

    def _record(self, swept: Sweep, seconds: float) -> None:
        at, removed = self._clock(), (swept.expired, swept.orphans, swept.evicted, swept.freed)
        # On a full disk this fails, although the sweep is done.
        with suppress(OSError):
            self._ledger.update_stats(lambda stats: Stats(stats.hits, stats.stores, at, seconds, *removed))

    def _discard(self, path: EntryPath) -> None:
        # A lookup must not fail because the disk cannot be written.
        with suppress(OSError, ForeignDirectory):
            self._shards.ensure_prepared()
            with self._shards.locked(path.shard, wait=0) as shard:
                try:
                    self._reader.read(path, now=self._clock())
                except Damaged:
                    shard.remove(path.inner)

    def _has_expired(self, expires: float | None) -> bool:
        return expires is not None and expires <= self._clock()
