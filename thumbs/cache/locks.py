"""Key locks: of all processes of a machine, one makes an entry. A lock ends with the process that holds it."""

import errno
import fcntl
import logging
import os
import struct
from collections.abc import Callable
from hashlib import blake2b

from thumbs.cache.filestore.trust import PrivateFile, Untrusted

logger = logging.getLogger("thumbs.cache")

# Locks of an open file description (fcntl(2)): unlike those of a process, one does not end when another descriptor of
# the same file is closed, and they exclude threads as well. Linux has them. Elsewhere nothing is excluded.
_SET_LOCK: int = getattr(fcntl, "F_OFD_SETLK", 0)
_HELD = (errno.EAGAIN, errno.EACCES)


class KeyLock:
    """The right to make one entry, until `release`, which may be called more than once."""

    def __init__(self, *callbacks: Callable[[], object]) -> None:
        self._callbacks = list(callbacks)

    def on_release(self, callback: Callable[[], object]) -> None:
        """Let `release` call `callback` as well."""
        self._callbacks.append(callback)

    def release(self) -> None:
        while self._callbacks:
            self._callbacks.pop()()


class KeyLocks:
    """Locks of keys: each key is one byte of `file`, at an offset that its digest gives.

    A file that another user owns or may write is not used, because that user could hold a lock without end.
    """

    def __init__(self, file: PrivateFile) -> None:
        self._file = file
        self._warned = False

    def try_lock(self, key: str) -> KeyLock | None:
        """The lock of `key`; None while another process or another thread holds it. Never waits.

        Where the file cannot be opened, every caller gets a lock: an entry that is made twice is better than none.
        """
        try:
            descriptor = self._file.open(os.O_RDWR | os.O_CREAT, make_directory=True)
        except OSError as error:
            self._warn_once(error)
            return KeyLock()
        self._warned = False
        if not _SET_LOCK or self._set_lock(descriptor, key):
            return KeyLock(lambda: os.close(descriptor))
        os.close(descriptor)
        return None

    def _warn_once(self, error: OSError) -> None:
        if isinstance(error, Untrusted) and not self._warned:
            self._warned = True
            logger.warning("thumbnails may be made more than once: %s. %s", error, error.remedy)

    def _set_lock(self, descriptor: int, key: str) -> bool:
        offset = int.from_bytes(blake2b(key.encode(), digest_size=7).digest(), "big")
        # struct flock: type, whence, start, length, and a process that must be 0.
        lock = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, offset, 1, 0)
        try:
            fcntl.fcntl(descriptor, _SET_LOCK, lock)
        except OSError as error:
            return error.errno not in _HELD
        return True
