"""The directory is ours or it is refused; nothing in it is ever removed but under a name that we make."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from thumbs.cache.flock import hold, release
from thumbs.cache.place import SHARD_NAME

ACCOUNT = "mage-account"
JANITOR = "mage-janitor"
JOURNAL = "mage-purges"
# The Cache Directory Tagging Specification: backup tools leave such a directory out.
TAG = "CACHEDIR.TAG"
_TAG_TEXT = (
    b"Signature: 8a477f597d28d172789f06886806bc55\n"
    b"# This directory is a cache of Mage, format 1. Everything in it may be deleted.\n"
)
_KNOWN = re.compile(rf"{ACCOUNT}|{JANITOR}|{JOURNAL}|{re.escape(TAG)}|lost\+found|{SHARD_NAME.pattern}")
_CREATE = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class ForeignDirectory(ValueError):
    """The directory holds something that is not a cache of ours, so we will not write or delete there."""


def prepare(root: Path) -> None:
    """Make `root` a cache directory, or find that it is one.

    Raises ForeignDirectory for one with other files in it or a path that is not a directory, OSError for one
    that cannot be made or written.
    """
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise ForeignDirectory(f"{root} is not a directory") from None
    if not recognise(root):
        _write_tag(root / TAG)
    # Proves at the start that what is written at each store can be written.
    os.close(os.open(root / ACCOUNT, _CREATE, 0o600))
    if not os.access(root, os.W_OK | os.X_OK):
        raise PermissionError(f"{root} is not writable")


def inspect(root: Path) -> None:
    """Raise what `prepare` would, but leave everything as it is: who only looks may be another user than who serves."""
    if not root.exists():
        root = next(parent for parent in root.absolute().parents if parent.exists())
    elif root.is_dir():
        recognise(root)
    if not root.is_dir():
        raise ForeignDirectory(f"{root} is not a directory")
    if not os.access(root, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, "it is not writable", str(root))


def recognise(root: Path) -> bool:
    """Whether the directory `root` bears our tag; one without it may hold nothing but what may be ours.

    Raises ForeignDirectory for one with anything else in it, OSError for one that cannot be read.
    """
    try:
        text = (root / TAG).read_bytes()
    except FileNotFoundError:
        text = b""
    if text != _TAG_TEXT:
        _refuse_foreign(root, text)
    return text == _TAG_TEXT


@contextmanager
def janitor_lock(root: Path) -> Iterator[bool]:
    """True for the one janitor of `root` among all processes, False at once for any other; held while inside."""
    fd = os.open(root / JANITOR, _CREATE, 0o600)
    try:
        try:
            hold(fd, wait=0)
        except TimeoutError:
            yield False
        else:
            try:
                yield True
            finally:
                release(fd)
    finally:
        os.close(fd)


def _write_tag(tag: Path) -> None:
    try:
        tag.write_bytes(_TAG_TEXT)
    except OSError as error:
        # A full cache must be swept, not refused, for want of room for a courtesy.
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise


def _refuse_foreign(root: Path, tag: bytes) -> None:
    # Another process may just be writing the tag: then it is the beginning of ours.
    if not _TAG_TEXT.startswith(tag):
        raise ForeignDirectory(f"{root} is the cache directory of another program")
    foreign = min((name.name for name in root.iterdir() if not _KNOWN.fullmatch(name.name)), default=None)
    if foreign is not None:
        raise ForeignDirectory(f"{root} holds files that are not a thumbnail cache's, such as {foreign!r}")
