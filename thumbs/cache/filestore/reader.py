"""Reads entries: a hit takes four system calls and no lock, two where its file is hot.

Updates of the last use are queued for later.
"""

import errno
import os

from thumbs.cache.filestore import entry_file
from thumbs.cache.filestore.entry_file import Damaged, Found
from thumbs.cache.filestore.hot_files import LARGEST_PAYLOAD, HotFile, HotFiles, KeepHead, Table
from thumbs.cache.filestore.paths import EntryPath
from thumbs.cache.filestore.trust import PrivateDirectory, is_private

_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # never waits to open a FIFO
# Without it, reading would overwrite the access time, which is the last use. Only the file's owner may set this flag.
_NO_ATIME = getattr(os, "O_NOATIME", 0)
_NO_WAIT: int | None = getattr(os, "RWF_NOWAIT", None)
_UNSUPPORTED = (errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)
# The errors of opening a symbolic link and a socket.
_NO_FILE = (errno.ELOOP, errno.ENXIO)

# A use is written to the file only when the last use in it is older than this.
_RECENCY_SECONDS = 60.0
_MAX_REMEMBERED = 4096
# Seconds that a use may stay in the queue. After that `read_now` raises, so that its caller writes the uses.
_QUEUED_SECONDS = 5.0
# A write to a file changes its ctime, so a checksum need not be computed again while the ctime is the same. A file that
# has just changed is excepted: a second change may fall into the same tick of the clock.
_SETTLED_SECONDS = 2.0


class Reader:
    """Reads the entries under `root`. `used` is the queue of entries whose last use is to be written.

    With `hot_files`, `read_now` keeps the files of entries open that it reads often, and few of their bodies in memory.
    """

    def __init__(self, root: PrivateDirectory, hot_files: HotFiles | None = None) -> None:
        self._directory = root
        self._hot_files = hot_files
        self._hot: Table = {}
        self._root = str(root.path)
        self._flags = _OPEN | _NO_ATIME
        self._no_wait = _NO_WAIT
        self.used: dict[str, EntryPath] = {}
        self._queued_since = 0.0
        self._verified: dict[str, tuple[int, int]] = {}

    def read(self, path: EntryPath, *, now: float) -> Found:
        """The entry at `path`, from the disk if need be. `now` is Unix seconds.

        Raises FileNotFoundError for none, Damaged for anything else at `path` and for a file that another user can have
        written, Untrusted for a directory that another user owns or may write, OSError if the disk fails.
        """
        return self._read(path, now, 0)

    def read_now(self, path: EntryPath, *, now: float, keep: KeepHead | None = None) -> Found:
        """As `read`, but only from the page cache. Raises BlockingIOError where `read` is needed.

        With `keep`, the file may stay open. `read_hot` then gives the head that `keep` returned, `with_body`.
        """
        if self._no_wait is None:
            raise BlockingIOError(errno.EAGAIN, "reading without waiting is not supported here")
        self._require_no_overdue_uses(now)
        try:
            return self._read(path, now, self._no_wait, keep)
        except Damaged:
            raise BlockingIOError(errno.EAGAIN, "a damaged entry is to be removed") from None
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
            self._no_wait = None
            raise BlockingIOError(errno.EAGAIN, "reading without waiting is not supported here") from error

    def read_hot(self, path: EntryPath, *, now: float) -> Found | None:
        """What `read_now` would give, from the open file of `path`; None where there is none, or another one at `path`.

        Raises as `read_now`.
        """
        hot = self._hot.get(path.inner)
        if hot is None or self._hot_files is None or self._no_wait is None:
            return None
        self._require_no_overdue_uses(now)
        owners = self._directory.owners()
        try:
            status = os.lstat(hot.path)
        except OSError:  # `read_now` raises what it means
            self._hot_files.remove(hot)
            return None
        if not hot.has(status) or not is_private(status, owners):
            self._hot_files.remove(hot)
            return None
        whole = hot.whole
        if whole is None:
            whole = hot.head.with_body(hot.read(self._no_wait))
            self._hot_files.keep_whole(hot, whole)
        found = Found(b"", hot.created, hot.expires, whole)
        hot.last_sweep = self._hot_files.sweeps
        self._queue_use(path, found, status, now)
        return found

    def fresh(self, path: EntryPath, *, now: float) -> Found | None:
        """The entry at `path`; None when there is no whole one or it has expired. Raises OSError if the disk fails."""
        try:
            found = self.read(path, now=now)
        except (FileNotFoundError, Damaged):
            return None
        return found if found.fresh(now) else None

    def _read(self, path: EntryPath, now: float, flags: int, keep: KeepHead | None = None) -> Found:
        owners = self._directory.owners()
        name = f"{self._root}/{path.path}"
        fd = self._open(name)
        stays_open = False
        try:
            status = os.fstat(fd)
            if not is_private(status, owners):
                raise Damaged
            state = (status.st_ino, status.st_ctime_ns)
            verified = self._verified.get(path.inner) == state
            found = entry_file.read(fd, status, digest=path.digest, flags=flags, verified=verified)
            if verified and keep is not None and self._hot_files is not None and len(found.payload) <= LARGEST_PAYLOAD:
                stays_open = self._hot_files.add(
                    self._hot, path.inner, lambda: HotFile(name, fd, status, found, keep(found.payload))
                )
        finally:
            if not stays_open:
                os.close(fd)
        if not verified and now - status.st_ctime > _SETTLED_SECONDS:
            self._remember(path, state)
        self._queue_use(path, found, status, now)
        return found

    def _require_no_overdue_uses(self, now: float) -> None:
        if self.used and abs(now - self._queued_since) >= _QUEUED_SECONDS:
            raise BlockingIOError(errno.EAGAIN, "uses are to be written")

    def _queue_use(self, path: EntryPath, found: Found, status: os.stat_result, now: float) -> None:
        if abs(now - status.st_atime) > _RECENCY_SECONDS and found.fresh(now) and len(self.used) < _MAX_REMEMBERED:
            if not self.used:
                self._queued_since = now
            self.used[path.inner] = path

    def _remember(self, path: EntryPath, state: tuple[int, int]) -> None:
        if len(self._verified) >= _MAX_REMEMBERED:
            self._verified.clear()
        self._verified[path.inner] = state

    def _open(self, path: str) -> int:
        try:
            return os.open(path, self._flags)
        except PermissionError as error:
            if not self._flags & _NO_ATIME:
                os.lstat(path)  # raises if the directory is the cause
                raise Damaged from error
            self._flags &= ~_NO_ATIME
            return self._open(path)
        except OSError as error:
            if error.errno in _NO_FILE:
                raise Damaged from error
            raise
