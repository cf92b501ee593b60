"""The shards of a cache directory: each is held by one at a time, and there while it is held."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from thumbs.cache.filestore.directory import prepare
from thumbs.cache.filestore.flock import LOCK_SECONDS, lock, unlock
from thumbs.cache.filestore.ledger import Ledger
from thumbs.cache.filestore.paths import SHARD_NAME
from thumbs.cache.filestore.shard import Shard
from thumbs.cache.filestore.trust import OpenDirectory, PrivateDirectory


class Shards:
    """The shards of the cache directory `root`, each taken by its number.

    `root` is checked anew each time: what raises OSError raises Untrusted where another user may write it.
    """

    def __init__(self, root: PrivateDirectory, ledger: Ledger) -> None:
        self._root = root
        self._ledger = ledger
        self._is_ours = False

    def prepare(self) -> None:
        """Make the directory, or find it to be ours and writable. Raises ForeignDirectory, Untrusted, OSError."""
        prepare(self._root, lambda root: self._ledger.create(root, self.existing))
        self._is_ours = True

    def ensure_ours(self) -> None:
        """`prepare`, unless that has been done."""
        if not self._is_ours:
            self.prepare()

    def reset(self) -> None:
        """The directory was deleted: whatever is in its place now is to be looked at anew."""
        self._is_ours = False

    def existing(self) -> list[int]:
        """The shards that have a directory now, in order."""
        try:
            with self._root.opened() as root, os.scandir(root.fd) as found:
                names = [entry.name for entry in found if SHARD_NAME.fullmatch(entry.name)]
        except FileNotFoundError:
            return []
        return sorted(int(name, 16) for name in names)

    def to_visit(self) -> list[int]:
        """The shards that have a directory, or had one when a process died before it had told the account."""
        return sorted(self._ledger.nonempty().union(self.existing()))

    @contextmanager
    def locked(self, number: int, *, create: bool = False, wait: float = LOCK_SECONDS) -> Iterator[Shard]:
        """Shard `number`, ours alone while inside.

        Raises FileNotFoundError when it does not exist (with `create`: when the root does not), TimeoutError
        when it stays held for `wait` seconds.
        """
        with self._root.opened() as root:
            fd, made = _held(root, f"{number:02x}", create, wait)
            try:
                try:
                    shard = Shard(fd, root, number, self._ledger)
                    shard.adopt(empty=made)
                    try:
                        yield shard
                    finally:
                        shard.flush()
                finally:
                    unlock(fd)
            finally:
                os.close(fd)


def _held(root: OpenDirectory, name: str, create: bool, wait: float) -> tuple[int, bool]:
    while True:
        fd, made = root.open_directory(name, create=create)
        try:
            lock(fd, wait=wait)
            if os.fstat(fd).st_nlink:
                return fd, made
        except BaseException:
            os.close(fd)
            raise
        # Who held it before us has removed it, for it was empty.
        os.close(fd)
