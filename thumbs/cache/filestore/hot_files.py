"""The files of hot entries stay open: a hit is then one `lstat`, and one read where its body is not in memory.

The `lstat` is of the entry's path. Where that names the same inode with the same change time, opening it again would
give the same bytes, owner and mode. After a purge, an eviction, a store, a change of the file, or where another
directory is in its place, it does not. An `fstat` would not show that a directory was renamed or replaced.
"""

import os
import resource
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from thumbs.cache.filestore.entry_file import Found

_MOST_FILES = 256
_PART_OF_LIMIT = 16  # of the files that the process may open, at most this part
# A removed file takes disk until it is closed. So only small files stay open, and a thread closes removed ones soon.
LARGEST_PAYLOAD = 256 * 1024
# The bytes of bodies in memory, for all hot files. The first that are read stay there, each as long as its file is hot.
_MOST_BODY_BYTES = 8 * 1024 * 1024
_SWEEP_SECONDS = 1.0
_IDLE_SWEEPS = 5  # a file that was not used since so many sweeps is closed
# Where the most are open, one of so many candidates replaces the file that was used longest ago. With each of them,
# entries that are requested in turn would replace each other before the next use.
_CANDIDATES = 16


class Head(Protocol):
    """What is kept of the head of a payload."""

    def with_body(self, body: bytes, /) -> object:
        """The whole, of which `body` is what follows the head."""


# A head, and its length in the payload.
KeptHead = tuple[Head, int]
# Makes it of a payload. Raises ValueError for an invalid one.
KeepHead = Callable[[bytes | bytearray], KeptHead]

_buffers: list[memoryview] = []  # those that no thread uses


class HotFile:
    """The open file of an entry. The last reference closes it.

    So a thread that reads it never reads a descriptor that another thread has closed, and that now is another file.
    `whole` is the head with its body, where `HotFiles` keeps that.
    """

    __slots__ = (
        *("_changed", "_close", "_device", "_fd", "_inode", "_offset", "body_bytes"),
        *("created", "expires", "head", "last_sweep", "path", "whole"),
    )

    def __init__(self, path: str, fd: int, status: os.stat_result, found: Found, kept: KeptHead) -> None:
        """`fd` is the file at `path`, with this status and the entry `found`; `kept` is the result of `KeepHead`."""
        self._close = os.close  # `os` may be gone at the end of the interpreter
        self._fd = fd
        # Each change of the file sets the change time, also one of its owner or mode.
        self._changed, self._inode, self._device = status.st_ctime_ns, status.st_ino, status.st_dev
        self.path = os.fsencode(path)
        self.created, self.expires = found.created, found.expires
        self.head, length = kept
        self.body_bytes = len(found.payload) - length
        self._offset = status.st_size - self.body_bytes
        self.whole: object = None
        self.last_sweep = 0

    def __del__(self) -> None:
        self._close(self._fd)

    def has(self, status: os.stat_result) -> bool:
        """Whether `status` is of this file, unchanged since it was opened."""
        return status.st_ctime_ns == self._changed and status.st_ino == self._inode and status.st_dev == self._device

    def is_removed(self) -> bool:
        """Whether the file has no name any more, or cannot be asked."""
        try:
            return not os.fstat(self._fd).st_nlink
        except OSError:  # as on a network file system whose server has lost the file
            return True

    def read(self, flags: int) -> bytes:
        """The payload after its head. Raises BlockingIOError where the page cache lacks a part, with RWF_NOWAIT."""
        try:
            buffer = _buffers.pop()
        except IndexError:
            buffer = memoryview(bytearray(LARGEST_PAYLOAD + 1))
        try:
            if os.preadv(self._fd, (buffer,), self._offset, flags) != self.body_bytes:
                raise BlockingIOError
            return bytes(buffer[: self.body_bytes])
        finally:
            _buffers.append(buffer)


Table = dict[str, HotFile]


class HotFiles:
    """All hot files of this process, at most `most_files`, in the tables of their readers. A forked child has none.

    Of their bodies, at most `_MOST_BODY_BYTES` are in memory.
    While there are any, a thread closes those that are removed or idle.
    """

    def __init__(self) -> None:
        self._places: dict[HotFile, tuple[Table, str]] = {}
        self._start_empty()
        start_empty = weakref.WeakMethod(self._start_empty)
        os.register_at_fork(after_in_child=lambda: (method := start_empty()) and method())

    def _start_empty(self) -> None:
        for table, name in self._places.values():
            table.pop(name, None)
        self._places.clear()
        self._lock = threading.Lock()  # a lock that was held at a fork stays held in the child
        self._most = most_files()
        self._is_sweeping = False
        self._candidates = 0
        self._body_bytes = 0
        self.sweeps = 0

    def __len__(self) -> int:
        return len(self._places)

    def add(self, table: Table, name: str, make: Callable[[], HotFile]) -> bool:
        """Put what `make` returns into `table`, unless too many are in use. False where `make` was not called.

        `make` may raise ValueError: then nothing is put there, and the result is False.
        """
        with self._lock:
            if not self._has_room() or not self._sweeps_run():
                return False
            try:
                hot = make()
            except ValueError:
                return False
            if name in table:
                self._remove(table[name])
            hot.last_sweep = self.sweeps
            self._places[hot] = table, name
            table[name] = hot
            return True

    def keep_whole(self, hot: HotFile, whole: object) -> None:
        """Set `hot.whole`, where there is room for its body and `hot` is in a table."""
        with self._lock:
            if hot.whole is None and hot in self._places and self._body_bytes + hot.body_bytes <= _MOST_BODY_BYTES:
                hot.whole = whole
                self._body_bytes += hot.body_bytes

    def remove(self, hot: HotFile) -> None:
        """Take `hot` out of its table. It is closed when no thread reads it any more."""
        with self._lock:
            self._remove(hot)

    def sweep(self) -> bool:
        """Close what is removed, idle, or over the limit. False, and the last call of its thread, if none is left."""
        self.sweeps += 1
        for hot in list(self._places):
            if hot.last_sweep <= self.sweeps - _IDLE_SWEEPS or hot.is_removed():
                self.remove(hot)
        with self._lock:
            self._most = most_files()
            while len(self._places) > self._most:
                self._remove_oldest()
            self._is_sweeping = bool(self._places)
            return self._is_sweeping

    def _has_room(self) -> bool:
        if len(self._places) < self._most:
            return True
        self._candidates += 1
        if self._candidates % _CANDIDATES or not self._places:
            return False
        self._remove_oldest()
        return True

    def _remove_oldest(self) -> None:
        self._remove(min(self._places, key=lambda hot: hot.last_sweep))

    def _remove(self, hot: HotFile) -> None:
        table, name = self._places.pop(hot, (None, ""))
        if table is None:
            return
        if hot.whole is not None:
            self._body_bytes -= hot.body_bytes
        if table.get(name) is hot:
            del table[name]

    def _sweeps_run(self) -> bool:
        """Whether the thread that sweeps runs. It is started where it does not."""
        if not self._is_sweeping:
            thread = threading.Thread(target=_sweep, args=(weakref.ref(self),), name="mage-hot-files", daemon=True)
            with suppress(RuntimeError):  # no thread can be started now
                thread.start()
                self._is_sweeping = True
        return self._is_sweeping


def most_files() -> int:
    """How many files may be hot: fewer where this process may open few files."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _MOST_FILES if limit == resource.RLIM_INFINITY else min(_MOST_FILES, limit // _PART_OF_LIMIT)


def _sweep(reference: "weakref.ref[HotFiles]") -> None:
    is_needed = True
    while is_needed:
        time.sleep(_SWEEP_SECONDS)
        files = reference()
        is_needed = files is not None and files.sweep()
        del files  # a reference would keep it alive during the sleep
