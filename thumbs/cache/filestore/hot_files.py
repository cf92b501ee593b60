"""The files of hot entries stay open: a hit is then one `lstat` and one read, and its head is parsed already.

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

from thumbs.cache.filestore.entry_file import Found

_MOST_FILES = 256
_PART_OF_LIMIT = 16  # of the files that the process may open, at most this part
# A removed file takes disk until it is closed. So only small files stay open, and a thread closes removed ones soon.
LARGEST_PAYLOAD = 256 * 1024
_SWEEP_SECONDS = 1.0
_IDLE_SWEEPS = 5  # a file that was not used since so many sweeps is closed
# Where the most are open, one of so many candidates replaces the file that was used longest ago. With each of them,
# entries that are requested in turn would replace each other before the next use.
_CANDIDATES = 16

# What is kept of the head of a payload, and the length of that head.
KeptHead = tuple[object, int]
# Makes it of a payload. Raises ValueError for an invalid one.
KeepHead = Callable[[bytes | bytearray], KeptHead]

_buffers: list[memoryview] = []  # those that no thread uses


class HotFile:
    """The open file of an entry. The last reference closes it.

    So a thread that reads it never reads a descriptor that another thread has closed, and that now is another file.
    """

    __slots__ = ("_close", "_fd", "_offset", "_size", "_state", "created", "expires", "head", "last_sweep", "path")

    def __init__(self, path: str, fd: int, status: os.stat_result, found: Found, kept: KeptHead) -> None:
        """`fd` is the file at `path`, with this status and the entry `found`; `kept` is the result of `KeepHead`."""
        self._close = os.close  # `os` may be gone at the end of the interpreter
        self._fd = fd
        self._state = _state(status)
        self.path = os.fsencode(path)
        self.created, self.expires = found.created, found.expires
        self.head, length = kept
        self._size = len(found.payload) - length
        self._offset = status.st_size - self._size
        self.last_sweep = 0

    def __del__(self) -> None:
        self._close(self._fd)

    def has(self, status: os.stat_result) -> bool:
        """Whether `status` is of this file, unchanged since it was opened."""
        return _state(status) == self._state

    def is_removed(self) -> bool:
        """Whether the file has no name any more."""
        return not os.fstat(self._fd).st_nlink

    def read(self, flags: int) -> bytes:
        """The payload after its head. Raises BlockingIOError where the page cache lacks a part, with RWF_NOWAIT."""
        try:
            buffer = _buffers.pop()
        except IndexError:
            buffer = memoryview(bytearray(LARGEST_PAYLOAD + 1))
        try:
            if os.preadv(self._fd, (buffer,), self._offset, flags) != self._size:
                raise BlockingIOError
            return bytes(buffer[: self._size])
        finally:
            _buffers.append(buffer)


Table = dict[str, HotFile]


class HotFiles:
    """All hot files of this process, at most `most_files`, in the tables of their readers. A forked child has none.

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
        if table is not None and table.get(name) is hot:
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


def _state(status: os.stat_result) -> tuple[int, int, int]:
    """What changes when the file does, or when it is another one: each change sets the change time."""
    return status.st_ctime_ns, status.st_ino, status.st_dev


def _sweep(reference: "weakref.ref[HotFiles]") -> None:
    is_needed = True
    while is_needed:
        time.sleep(_SWEEP_SECONDS)
        files = reference()
        is_needed = files is not None and files.sweep()
        del files  # a reference would keep it alive during the sleep
