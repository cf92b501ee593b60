"""Lists a shard by names and `stat` alone, without opening a file. Other programs' files are skipped."""

import os
import random
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field

from thumbs.cache.filestore.ledger import BLOCK, Usage
from thumbs.cache.filestore.paths import ENTRY_NAME, GROUP_NAME, TEMPORARY_NAME

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry's file. `used` and `expires` are nanoseconds since 1970; `expires` is 0 for never."""

    shard: int
    inner: str
    bytes: int
    used: int
    expires: int


@dataclass(slots=True)
class Listing:
    """What a shard holds: entries, names of temporary files (`orphans`), and names of groups without entries (`empty`).

    `orphan_bytes` is the disk that the temporary files take, `group_bytes` what the directories of all groups take.
    `complete` is False when `entries` is only a sample.
    """

    entries: list[Entry] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    orphan_bytes: int = 0
    group_bytes: int = 0
    complete: bool = True

    @property
    def usage(self) -> Usage:
        entry_bytes = sum(entry.bytes for entry in self.entries)
        return Usage(entry_bytes + self.group_bytes + self.orphan_bytes, len(self.entries))


def list_shard(fd: int, number: int, limit: int | None = None) -> Listing:
    """List the shard whose directory is open as `fd`; with `limit`, a random sample of about that many entries."""
    with os.scandir(fd) as found:
        names = [entry.name for entry in found]
    listing = Listing()
    for name in names:
        if TEMPORARY_NAME.fullmatch(name):
            listing.orphans.append(name)
            listing.orphan_bytes += blocks(fd, name) + sum(blocks(fd, member) for member in members(fd, name))
    inners: list[str] = []
    for name in _sampled(listing, names, limit):
        if GROUP_NAME.fullmatch(name):
            inners += _open_group(fd, name, listing)
        elif ENTRY_NAME.fullmatch(name):
            inners.append(name)
        if limit is not None and len(inners) > limit:
            listing.complete = False
            break
    listing.entries.extend(_entries(fd, number, _sampled(listing, inners, limit)))
    return listing


def members(fd: int, group: str) -> list[str]:
    """The entries of `group` as paths from the shard `fd`; none when it is not a directory."""
    try:
        directory = os.open(group, _DIRECTORY, dir_fd=fd)
    except (FileNotFoundError, NotADirectoryError):
        return []
    try:
        with os.scandir(directory) as found:
            return [f"{group}/{entry.name}" for entry in found if ENTRY_NAME.fullmatch(entry.name)]
    finally:
        os.close(directory)


def blocks(fd: int, name: str) -> int:
    """The bytes of disk that `name` takes, in whole blocks; 0 when there is no such file."""
    try:
        return _blocks(os.stat(name, dir_fd=fd, follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError):
        return 0


def _blocks(status: os.stat_result) -> int:
    allocated = status.st_blocks * 512
    if not stat.S_ISREG(status.st_mode):
        return allocated
    # Some file systems allocate blocks only when they write back. Those blocks are counted from the start.
    return max(allocated, -(-status.st_size // BLOCK) * BLOCK)


def _open_group(fd: int, group: str, listing: Listing) -> list[str]:
    inners = members(fd, group)
    listing.group_bytes += blocks(fd, group)
    if not inners:
        listing.empty.append(group)
    return inners


def _sampled(listing: Listing, names: list[str], limit: int | None) -> list[str]:
    if limit is None or len(names) <= limit:
        return names
    listing.complete = False
    return random.sample(names, limit)


def _entries(fd: int, number: int, inners: list[str]) -> Iterator[Entry]:
    for inner in inners:
        try:
            status = os.stat(inner, dir_fd=fd, follow_symlinks=False)
        except FileNotFoundError:
            continue
        yield Entry(number, inner, _blocks(status), status.st_atime_ns, status.st_mtime_ns)
