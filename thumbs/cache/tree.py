"""The shards of a cache directory: each is held by one at a time, and there while it is held."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from thumbs.cache.account import Account
from thumbs.cache.directory import prepare
from thumbs.cache.flock import PATIENCE, hold, release
from thumbs.cache.place import SHARD_NAME
from thumbs.cache.shard import PRIVATE_DIRECTORY, Shard

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW


class Tree:
    """The shards of the cache directory `root`, each taken by its number."""

    def __init__(self, root: Path, account: Account) -> None:
        self._root = root
        self._account = account
        self._is_ours = False

    def prepare(self) -> None:
        """Make the directory, or find it to be ours and writable. Raises ForeignDirectory, OSError."""
        prepare(self._root)
        self._is_ours = True

    def ensure_ours(self) -> None:
        """`prepare`, unless that has been done."""
        if not self._is_ours:
            self.prepare()

    def forget(self) -> None:
        """The directory was deleted: whatever is in its place now is to be looked at anew."""
        self._is_ours = False

    def existing(self) -> list[int]:
        """The shards that have a directory now, in order."""
        try:
            names = [entry.name for entry in os.scandir(self._root) if SHARD_NAME.fullmatch(entry.name)]
        except FileNotFoundError:
            return []
        return sorted(int(name, 16) for name in names)

    def accountable(self) -> list[int]:
        """The shards that have a directory, or had one when a process died before it had told the account."""
        return sorted(self._account.charged().union(self.existing()))

    @contextmanager
    def locked(self, number: int, *, create: bool = False, wait: float = PATIENCE) -> Iterator[Shard]:
        """Shard `number`, ours alone while inside.

        Raises FileNotFoundError when it does not exist (with `create`: when the root does not), TimeoutError
        when it stays held for `wait` seconds.
        """
        path = self._root / f"{number:02x}"
        fd, made = _held(path, create, wait)
        try:
            try:
                shard = Shard(fd, path, number, self._account)
                shard.adopt(uncharged=made)
                try:
                    yield shard
                finally:
                    shard.settle()
            finally:
                release(fd)
        finally:
            os.close(fd)


def _held(path: Path, create: bool, wait: float) -> tuple[int, bool]:
    while True:
        made = create and _made(path)
        fd = os.open(path, _DIRECTORY)
        try:
            hold(fd, wait=wait)
            if os.fstat(fd).st_nlink:
                return fd, made
        except BaseException:
            os.close(fd)
            raise
        # Who held it before us has removed it, for it was empty.
        os.close(fd)


def _made(path: Path) -> bool:
    try:
        path.mkdir(mode=PRIVATE_DIRECTORY)
    except FileExistsError:
        return False
    return True
