"""The shards of a cache directory: each is held by one process at a time, and exists as long as it is held."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from thumbs.cache.filestore.directory import prepare
from thumbs.cache.filestore.flock import lock, unlock
from thumbs.cache.filestore.ledger import Ledger
from thumbs.cache.filestore.paths import SHARD_NAME
from thumbs.cache.filestore.shard import Shard
from thumbs.cache.filestore.trust import OpenDirectory, PrivateDirectory


class Shards:
    """The shards of the cache directory `root`, by number, 0–255.

    `root` is checked at each use: what raises OSError raises Untrusted where another user may write it.
    """

    def __init__(self, root: PrivateDirectory, ledger: Ledger) -> None:
        self._root = root
        self._ledger = ledger
        self._is_prepared = False

    def prepare(self) -> None:
        """Make the cache directory, or check that it is one. Raises as `directory.prepare`."""
        prepare(self._root, lambda root: self._ledger.create(root, self.existing))
        self._is_prepared = True

    def ensure_prepared(self) -> None:
        """`prepare`, unless that has been done."""
        if not self._is_prepared:
            self.prepare()

    def reset(self) -> None:
        """Prepare the directory again at the next use, because it was deleted."""
        self._is_prepared = False

    def existing(self) -> list[int]:
        """The shards that have a directory now, in order."""
        try:
            with self._root.opened() as root, os.scandir(root.fd) as found:
                names = [entry.name for entry in found if SHARD_NAME.fullmatch(entry.name)]
        except FileNotFoundError:
            return []
        return sorted(int(name, 16) for name in names)

    def to_visit(self) -> list[int]:
        """The shards that have a directory or, by the ledger, hold something: a killed process leaves its figure."""
        return sorted(self._ledger.nonempty().union(self.existing()))

    @contextmanager
    def locked(self, number: int, *, create: bool = False, wait: float | None = None) -> Iterator[Shard]:
        """Shard `number`, held while inside.

        Raises FileNotFoundError when it does not exist (with `create`: when the root does not), TimeoutError
        when it stays held for `wait` seconds, as `flock.lock` counts them.
        """
        with self._root.opened() as root:
            fd, made = _open_locked(root, f"{number:02x}", create, wait)
            try:
                try:
                    shard = Shard(fd, root, number, self._ledger)
                    shard.begin(made=made)
                    try:
                        yield shard
                    finally:
                        shard.flush()
                finally:
                    unlock(fd)
            finally:
                os.close(fd)


def _open_locked(root: OpenDirectory, name: str, create: bool, wait: float | None) -> tuple[int, bool]:
    """The locked descriptor of the shard `name`, and whether this made its directory."""
    while True:
        fd, made = root.open_directory(name, create=create)
        try:
            lock(fd, wait=wait)
            if os.fstat(fd).st_nlink:
                return fd, made
        except BaseException:
            os.close(fd)
            raise
        # The process that held it before has removed it, because it was empty.
        os.close(fd)
