"""A cache directory is recognized, made, or refused: only files with the names below are ever removed."""

import errno
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from thumbs.cache.filestore.flock import lock, unlock
from thumbs.cache.filestore.paths import SHARD_NAME
from thumbs.cache.filestore.trust import OpenDirectory, PrivateDirectory

LEDGER = "mage-account"
JANITOR = "mage-janitor"
JOURNAL = "mage-purges"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)  # the errors of a full disk and of a quota that is used up
# The Cache Directory Tagging Specification: backup tools leave such a directory out.
TAG = "CACHEDIR.TAG"
_TAG_TEXT = (
    b"Signature: 8a477f597d28d172789f06886806bc55\n"
    b"# This directory is a cache of Mage, format 1. Everything in it may be deleted.\n"
)
_NO_TAG = b"\0"  # stands for a tag that is not a file; no text begins like this
_LOST_AND_FOUND = "lost+found"  # mkfs makes it in a mount point
_KNOWN = re.compile(rf"{LEDGER}|{JANITOR}|{JOURNAL}|{re.escape(TAG)}|{re.escape(_LOST_AND_FOUND)}|{SHARD_NAME.pattern}")
_CREATE = os.O_RDWR | os.O_CREAT
# O_NONBLOCK: the tag may be a FIFO, whose opening would wait.
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class ForeignDirectory(ValueError):
    """The directory holds files of another program, so nothing is written or deleted there."""


def prepare(directory: PrivateDirectory, create_ledger: Callable[[OpenDirectory], None]) -> None:
    """Make `directory` a cache directory, with the ledger that `create_ledger` makes in it, or check that it is one.

    Raises ForeignDirectory for one with other files in it or a path that is not a directory, Untrusted for one that
    another user owns or may write, OSError for one that cannot be made or written.
    """
    try:
        with directory.opened(create=True) as root:
            if not recognize(root.path, root.fd):
                _write_tag(root)
            # Each store writes the ledger: find out now whether that is possible.
            create_ledger(root)
            if not os.access(root.path, os.W_OK | os.X_OK):
                raise PermissionError(f"{root.path} is not writable")
    except NotADirectoryError:
        raise ForeignDirectory(f"{directory.path} is not a directory") from None


def inspect(directory: PrivateDirectory) -> None:
    """Raise what `prepare` would, but change nothing: the user that checks may not be the one that serves."""
    root = directory.path
    if not root.exists():
        root = next(parent for parent in root.absolute().parents if parent.exists())
    elif root.is_dir():
        with directory.opened() as opened:
            recognize(root, opened.fd)
            names = (name for name in _names(opened.fd) if name != _LOST_AND_FOUND)
            opened.require_private(name for name in names if _KNOWN.fullmatch(name))
    if not root.is_dir():
        raise ForeignDirectory(f"{root} is not a directory")
    if not os.access(root, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, "it is not writable", str(root))


def recognize(root: Path, fd: int) -> bool:
    """Whether the directory `root`, open as `fd`, has Mage's tag.

    Raises ForeignDirectory for one without it that holds other files, OSError for one that cannot be read.
    """
    text = _read_tag(fd)
    if text != _TAG_TEXT:
        _require_ours(root, fd, text)
    return text == _TAG_TEXT


@contextmanager
def janitor_lock(directory: PrivateDirectory) -> Iterator[bool]:
    """True for the only janitor of `directory` among all processes, held while inside; False at once for another."""
    with directory.opened() as root:
        fd = root.open(JANITOR, _CREATE)
    try:
        try:
            lock(fd, wait=0)
        except TimeoutError:
            yield False
        else:
            try:
                yield True
            finally:
                unlock(fd)
    finally:
        os.close(fd)


def _read_tag(root: int) -> bytes:
    try:
        fd = os.open(TAG, _READ, dir_fd=root)
    except FileNotFoundError:
        return b""
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENXIO):
            raise
        return _NO_TAG
    try:
        return os.read(fd, len(_TAG_TEXT) + 1) if stat.S_ISREG(os.fstat(fd).st_mode) else _NO_TAG
    finally:
        os.close(fd)


def _write_tag(root: OpenDirectory) -> None:
    try:
        fd = root.open(TAG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            os.write(fd, _TAG_TEXT)
        finally:
            os.close(fd)
    except OSError as error:
        # A full disk has no room for the tag, but the cache on it must still be swept.
        if error.errno not in NO_ROOM:
            raise


def _require_ours(root: Path, fd: int, tag: bytes) -> None:
    # While another process writes the tag, the file holds only its beginning.
    if not _TAG_TEXT.startswith(tag):
        raise ForeignDirectory(f"{root} is the cache directory of another program")
    unknown = min((name for name in _names(fd) if not _KNOWN.fullmatch(name)), default=None)
    if unknown is not None:
        raise ForeignDirectory(f"{root} holds files that are not a thumbnail cache's, such as {unknown!r}")


def _names(fd: int) -> list[str]:
    with os.scandir(fd) as found:
        return [entry.name for entry in found]
