"""A hit is four system calls and takes no lock; what else it calls for is noted and done later, off the hot path."""

import errno
import os
from pathlib import Path

from thumbs.cache.filestore import entry_file
from thumbs.cache.filestore.entry_file import Damaged, Found
from thumbs.cache.filestore.paths import EntryPath
from thumbs.cache.filestore.trust import PrivateDirectory, is_private

_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a FIFO in an entry's place must not hold us
# Reading would otherwise write an access time of the kernel's own over ours. Only the file's owner may ask for it.
_NO_ATIME = getattr(os, "O_NOATIME", 0)
_NO_WAIT: int | None = getattr(os, "RWF_NOWAIT", None)
_UNSUPPORTED = (errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)
# What opening a symbolic link or a socket in an entry's place says.
_NO_FILE = (errno.ELOOP, errno.ENXIO)

# How old the noted time of an entry's last use may grow before a use is written down.
_RECENCY_SECONDS = 60.0
_MOST_NOTED = 4096
# How long a noted use may wait for somebody who writes anyway.
_NOTED_SECONDS = 5.0
# Whoever writes to a file changes its ctime, so that a checksum need not be reckoned again before that. Right after a
# change another one could fall into the same tick of the clock.
_SETTLED_SECONDS = 2.0


class Reader:
    """Reads the entries under `root` and notes which of them are due for `used` to be brought up to date."""

    def __init__(self, root: Path | PrivateDirectory) -> None:
        self._directory = PrivateDirectory.at(root)
        self._root = str(self._directory.path)
        self._flags = _OPEN | _NO_ATIME
        self._no_wait = _NO_WAIT
        self.used: dict[str, EntryPath] = {}
        self._noted_since = 0.0
        self._verified: dict[str, tuple[int, int]] = {}

    def read(self, path: EntryPath, *, now: float) -> Found:
        """The entry at `place`, from the disk if need be.

        Raises FileNotFoundError for none, Damaged for anything else in its place and for what another user can have
        written, Untrusted for a directory that another user owns or may write, OSError as the disk does.
        """
        return self._read(path, now, 0)

    def read_now(self, path: EntryPath, *, now: float) -> Found:
        """The entry at `place` from memory, as `read`; raises BlockingIOError where only `read` can tell."""
        if self._no_wait is None:
            raise BlockingIOError(errno.EAGAIN, "reading without waiting is not supported here")
        if self.used and abs(now - self._noted_since) >= _NOTED_SECONDS:
            raise BlockingIOError(errno.EAGAIN, "uses are to be written down")
        try:
            return self._read(path, now, self._no_wait)
        except Damaged:
            raise BlockingIOError(errno.EAGAIN, "a damaged entry is to be removed") from None
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
            self._no_wait = None
            raise BlockingIOError(errno.EAGAIN, "reading without waiting is not supported here") from error

    def fresh(self, path: EntryPath, *, now: float) -> Found | None:
        """The entry at `place` if there is a whole one whose time is not over. Raises OSError as the disk does."""
        try:
            found = self.read(path, now=now)
        except (FileNotFoundError, Damaged):
            return None
        return found if found.fresh(now) else None

    def _read(self, path: EntryPath, now: float, flags: int) -> Found:
        owners = self._directory.owners()
        fd = self._open(f"{self._root}/{path.path}")
        try:
            status = os.fstat(fd)
            if not is_private(status, owners):
                raise Damaged
            state = (status.st_ino, status.st_ctime_ns)
            verified = self._verified.get(path.inner) == state
            found = entry_file.read(fd, status, digest=path.digest, flags=flags, verified=verified)
        finally:
            os.close(fd)
        if not verified and now - status.st_ctime > _SETTLED_SECONDS:
            self._remember(path, state)
        if abs(now - status.st_atime) > _RECENCY_SECONDS and found.fresh(now) and len(self.used) < _MOST_NOTED:
            if not self.used:
                self._noted_since = now
            self.used[path.inner] = path
        return found

    def _remember(self, path: EntryPath, state: tuple[int, int]) -> None:
        if len(self._verified) >= _MOST_NOTED:
            self._verified.clear()
        self._verified[path.inner] = state

    def _open(self, path: str) -> int:
        try:
            return os.open(path, self._flags)
        except PermissionError as error:
            if not self._flags & _NO_ATIME:
                os.lstat(path)  # raises where it is the directory that may not be looked into
                raise Damaged from error
            self._flags &= ~_NO_ATIME
            return self._open(path)
        except OSError as error:
            if error.errno in _NO_FILE:
                raise Damaged from error
            raise
