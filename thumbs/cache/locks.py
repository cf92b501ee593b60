"""Who makes an entry, of all processes of a machine: a claim is a lock that ends with the process that holds it."""

import errno
import fcntl
import logging
import os
import struct
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

from thumbs.cache.filestore.trust import PrivateFile, Untrusted

logger = logging.getLogger("thumbs.cache")

# Locks of an open file description (fcntl(2)): unlike those of a process, one does not end because another descriptor
# of the same file is closed, and threads exclude each other as well. Linux has them; elsewhere nobody excludes anybody.
_SET_LOCK: int = getattr(fcntl, "F_OFD_SETLK", 0)
_HELD = (errno.EAGAIN, errno.EACCES)


class KeyLock:
    """The right to make one entry. `release` gives it up, and may be called more than once."""

    def __init__(self, *ends: Callable[[], object]) -> None:
        self._ends = list(ends)

    def add(self, end: Callable[[], object]) -> None:
        """Let `release` call this as well."""
        self._ends.append(end)

    def release(self) -> None:
        while self._ends:
            self._ends.pop()()


class KeyLocks:
    """Claims of keys by means of `file`, in which each key has a byte of its own to lock.

    A file that another user owns or may write is not used, for that user could hold a lock without end.
    """

    def __init__(self, file: Path | PrivateFile) -> None:
        self._file = PrivateFile.at(file)
        self._complained = False

    def take(self, key: str) -> KeyLock | None:
        """The claim of `key`; None while another process, or another thread, holds it.

        Where nothing can be locked everybody gets one, for to make an entry twice is better than not at all.
        """
        try:
            descriptor = self._file.open(os.O_RDWR | os.O_CREAT, make_directory=True)
        except OSError as error:
            self._complain(error)
            return KeyLock()
        self._complained = False
        if not _SET_LOCK or self._locks(descriptor, key):
            return KeyLock(lambda: os.close(descriptor))
        os.close(descriptor)
        return None

    def _complain(self, error: OSError) -> None:
        if isinstance(error, Untrusted) and not self._complained:
            self._complained = True
            logger.warning("thumbnails may be made more than once: %s. %s", error, error.remedy)

    def _locks(self, descriptor: int, key: str) -> bool:
        place = int.from_bytes(blake2b(key.encode(), digest_size=7).digest(), "big")
        # struct flock: type, whence, start, length, and a process that must be 0.
        lock = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, place, 1, 0)
        try:
            fcntl.fcntl(descriptor, _SET_LOCK, lock)
        except OSError as error:
            return error.errno not in _HELD
        return True
