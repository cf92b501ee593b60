"""One of the 256 shards, held by one writer at a time: its changes are written to the ledger on release.

A temporary file exists only while its writer holds the shard. So for the next holder every temporary file in it is an
orphan, however new it is.
"""

import os
import secrets
from contextlib import suppress

from thumbs.cache.filestore.entry_file import HEADER_BYTES
from thumbs.cache.filestore.ledger import BLOCK, FIXED_BYTES, Ledger, Limits, Usage
from thumbs.cache.filestore.listing import Listing, blocks, list_shard, members
from thumbs.cache.filestore.paths import EntryPath
from thumbs.cache.filestore.trust import PRIVATE_DIRECTORY, PRIVATE_FILE, OpenDirectory, give

_TEMPORARY = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW


class Shard:
    """A shard that is held. `fd` is its open directory: where that was deleted, nothing else is changed.

    `root` must stay open as long as the shard is used.
    """

    def __init__(self, fd: int, root: OpenDirectory, number: int, ledger: Ledger) -> None:
        self._fd = fd
        self._root = root
        self._number = number
        self._ledger = ledger
        self._recorded = 0
        self._change = Usage()
        self._emptied = False

    def begin(self, *, made: bool) -> None:
        """Begin with the size of the directory that the ledger has: 0 when it was just `made`."""
        self._recorded = 0 if made else self._own_bytes()
        self._emptied = made

    def flush(self) -> None:
        """Write what has changed to the ledger, and remove the directory if it is empty."""
        if not os.fstat(self._fd).st_nlink:
            # The directory was deleted, and the ledger with it. Another process may have made both again.
            return
        own = self._own_bytes()
        if self._emptied:
            with suppress(OSError):
                os.rmdir(f"{self._number:02x}", dir_fd=self._root.fd)
                own = 0
        change = self._change + Usage(own - self._recorded)
        if change:
            self._ledger.adjust(self._number, change)

    def write(self, path: EntryPath, parts: tuple[bytes, bytes], *, times: tuple[int, int], limits: Limits) -> Usage:
        """Write the file made of `parts` at `path`, if it fits. Return by how much it does not.

        `times` are the nanoseconds of its last use and of its expiry. Raises OSError if the disk fails, and then leaves
        nothing behind.
        """
        before = self._measure(path)
        new_group = path.group != "" and not blocks(self._fd, path.group)
        cost = _file_bytes(sum(map(len, parts))) + BLOCK * (new_group + (self._recorded == 0))
        reserved = Usage(cost, 0 if before.entries else 1)
        excess = self._ledger.reserve(self._number, reserved, limits)
        if excess:
            return excess
        try:
            self._replace(path, parts, times)
        except BaseException:
            self._emptied = True
            raise
        finally:
            self._change += self._measure(path) - before - reserved
        return excess

    def status(self, inner: str) -> os.stat_result:
        """`stat` of the entry at `inner`. Raises FileNotFoundError."""
        return os.stat(inner, dir_fd=self._fd, follow_symlinks=False)

    def set_times(self, inner: str, *, used: int, expires: int) -> None:
        """Set the last use and the expiry of the entry at `inner`, in nanoseconds."""
        os.utime(inner, ns=(used, expires), dir_fd=self._fd, follow_symlinks=False)

    def remove(self, inner: str) -> Usage:
        """Remove the entry at `inner`, and its group's directory with the last one; return what that freed."""
        group = inner.rpartition("/")[0]
        size = self._remove_file(inner)
        if not size:
            return Usage()
        freed = Usage(size + (self._remove_directory(group) if group else 0), 1)
        self._change -= freed
        self._emptied = True
        return freed

    def count(self, inner: str, group: str) -> int:
        """How many entries there are at `inner` and in `group`, together."""
        return len(members(self._fd, group)) + (1 if blocks(self._fd, inner) else 0)

    def remove_group(self, group: str) -> int:
        """Remove all entries of `group`, for readers in one step. Return how many there were."""
        temporary = _temporary_name()
        try:
            os.rename(group, temporary, src_dir_fd=self._fd, dst_dir_fd=self._fd)
        except FileNotFoundError:
            return 0
        freed = self._remove_tree(temporary)
        with suppress(FileNotFoundError):
            # The directory still exists only if it holds a file of another program: give it its name back.
            os.rename(temporary, group, src_dir_fd=self._fd, dst_dir_fd=self._fd)
        self._change -= freed
        self._emptied = True
        return freed.entries

    def list(self, limit: int | None = None) -> Listing:
        """All entries, or a random sample of about `limit`. A complete listing corrects the ledger."""
        listing = list_shard(self._fd, self._number, limit)
        if listing.complete:
            self._recount(listing)
        return listing

    def tidy(self, listing: Listing) -> None:
        """Remove the orphans and the empty groups of `listing`."""
        for name in listing.orphans:
            self._change -= Usage(self._remove_tree(name).bytes)
        for group in listing.empty:
            self._change -= Usage(self._remove_directory(group))
        self._emptied = True

    def _recount(self, listing: Listing) -> None:
        self._recorded = self._own_bytes()
        self._change = Usage()
        self._ledger.put(self._number, listing.usage + Usage(self._recorded))

    def _replace(self, path: EntryPath, parts: tuple[bytes, bytes], times: tuple[int, int]) -> None:
        temporary = _temporary_name()
        fd = os.open(temporary, _TEMPORARY, PRIVATE_FILE, dir_fd=self._fd)
        try:
            try:
                give(fd, self._root.status)
                _write_all(fd, parts)
                os.utime(fd, ns=times)
            finally:
                os.close(fd)
            if path.group:
                self._move_into(path.group, temporary, path.inner.rpartition("/")[2])
            else:
                os.rename(temporary, path.inner, src_dir_fd=self._fd, dst_dir_fd=self._fd)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=self._fd)
            if path.group:
                self._remove_directory(path.group)
            raise

    def _move_into(self, group: str, temporary: str, name: str) -> None:
        with suppress(FileExistsError):
            os.mkdir(group, PRIVATE_DIRECTORY, dir_fd=self._fd)
        directory = os.open(group, _DIRECTORY, dir_fd=self._fd)  # refuses a symbolic link, which root might follow
        try:
            give(directory, self._root.status)
            os.rename(temporary, name, src_dir_fd=self._fd, dst_dir_fd=directory)
        finally:
            os.close(directory)

    def _measure(self, path: EntryPath) -> Usage:
        entry = blocks(self._fd, path.inner)
        group = blocks(self._fd, path.group) if path.group else 0
        return Usage(entry + group, 1 if entry else 0)

    def _own_bytes(self) -> int:
        return os.fstat(self._fd).st_blocks * 512

    def _remove_tree(self, name: str) -> Usage:
        freed = Usage()
        for entry in members(self._fd, name):
            freed += Usage(blocks(self._fd, entry), 1)
            os.unlink(entry, dir_fd=self._fd)
        return freed + Usage(self._remove_directory(name) or self._remove_file(name))

    def _remove_file(self, name: str) -> int:
        size = blocks(self._fd, name)
        try:
            os.unlink(name, dir_fd=self._fd)
        except (FileNotFoundError, IsADirectoryError):
            return 0
        return size

    def _remove_directory(self, name: str) -> int:
        size = blocks(self._fd, name)
        try:
            os.rmdir(name, dir_fd=self._fd)
        except OSError:
            # It is not empty, or not a directory.
            return 0
        return size


def least_bytes(path: EntryPath, size: int) -> Usage:
    """The usage of a cache directory that holds only an entry with a payload of `size` bytes at `path`."""
    directories = 2 if path.group else 1
    return Usage(FIXED_BYTES + BLOCK * directories + _file_bytes(HEADER_BYTES + size), 1)


def _temporary_name() -> str:
    return f"{secrets.token_hex(8)}.tmp"


def _file_bytes(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _write_all(fd: int, parts: tuple[bytes, bytes]) -> None:
    written = os.writev(fd, parts)
    rest = memoryview(b"".join(parts))[written:] if written < sum(map(len, parts)) else memoryview(b"")
    while rest:
        rest = rest[os.write(fd, rest) :]
