"""Originals on disk. An original is a regular file whose real path lies inside the root; all else is missing.

Errors of an open have the meanings that nginx gives them. ENOENT, ENOTDIR, ENAMETOOLONG, ELOOP and anything but a
regular file are missing. A file that may not be read is denied (`SourceDenied`): nginx answers 403, but as with S3's
403, the answer must not show that the file exists. All other errors (EIO, EMFILE, ESTALE, no root) are failures of the
storage. So is a missing file in a root that is another directory than before: a file system was mounted or unmounted.
"""

import errno
import functools
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from thumbs.errors import SourceDenied, SourceMissing, SourceTooLarge, StorageFailed
from thumbs.problems import MISSING_KEY, ROOT_MISSING, Problem
from thumbs.sources.listing import directory_of, is_plain
from thumbs.sources.reading import Deadline, Interrupted, key_bytes, read_exactly
from thumbs.sources.source import Original, Version

_MISSING = frozenset(
    {
        errno.ENOENT,
        errno.ENOTDIR,
        errno.ENAMETOOLONG,
        errno.ELOOP,
        errno.ENXIO,  # a socket, or a device without its driver
        errno.ENODEV,
    }
)
_DENIED = frozenset({errno.EACCES, errno.EPERM})
_OPEN = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_ROOT = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_ATTEMPTS = 3
MAX_SEGMENT_BYTES = 255  # NAME_MAX of every file system in use


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """The keys of driver `local`: a directory, and whether links may lead out of it."""

    root: str
    follow_symlinks: bool = False


def problems(settings: LocalSettings) -> Iterator[Problem]:
    if not settings.root:
        yield Problem(MISSING_KEY, "root", "is required with driver local.", 'Such as "root": "/srv/photos".')
    else:
        fault = _fault_of(Path(settings.root))
        if fault:
            yield Problem(ROOT_MISSING, "root", f"{fault}: {settings.root}")


def _fault_of(root: Path) -> str:
    """What keeps this process from reading files below `root`; empty where nothing does."""
    try:
        is_directory = root.is_dir()
    except PermissionError:  # a directory above it may not be searched
        return "may not be read by this user"
    if not is_directory:
        return "is not a directory"
    return "" if os.access(root, os.X_OK) else "may not be read by this user"


class RootChanged(Exception):
    """The cause of a failure: the root is another directory than before."""


class LocalSource:
    """The files under the directory `root`.

    `follow_symlinks` lets links lead out of the root; links that stay inside are followed anyway. `max_bytes` limits
    one file. `deadline` is seconds for one call. It is checked between chunks: a read from a disk cannot be
    interrupted.
    """

    def __init__(self, root: str, *, follow_symlinks: bool = False, max_bytes: int, deadline: float) -> None:
        self._root = root
        self._follow_symlinks = follow_symlinks
        self._max_bytes = max_bytes
        self._seconds = deadline
        self._root_id: tuple[int, int] | None = None  # device and inode, of the last root that had an original

    def read(self, path: str) -> Original:
        """The file at `path` as it was at one moment. One that changes meanwhile is read again, up to three times."""
        deadline = Deadline(self._seconds)
        with self._opened(path) as file:
            state = os.fstat(file)
            for _ in range(_ATTEMPTS):
                if state.st_size > self._max_bytes:
                    raise SourceTooLarge
                data = _data(file, state.st_size, deadline)
                before, state = state, os.fstat(file)
                if data is not None and _version(before) == _version(state):
                    return Original(data, _version(state))
        raise StorageFailed

    def version(self, path: str) -> Version:
        with self._opened(path) as file:
            return _version(os.fstat(file))

    def ready(self) -> None:
        with self._opened_root() as root:
            _real_path(root)
            self._require_same(root)
            try:
                os.stat(".", dir_fd=root)
            except PermissionError as error:
                raise SourceDenied from error

    def is_empty(self) -> bool:
        """Whether the root has no entry at all, as the directory of a file system that is not mounted."""
        try:
            with os.scandir(self._root) as entries:
                return next(entries, None) is None
        except PermissionError:  # it can be searched, but not listed
            return False
        except (OSError, ValueError) as error:
            raise StorageFailed from error

    def paths(self, prefix: str) -> Iterator[str]:
        """Directory by directory, sorted. Links to files are listed, links to directories are not followed."""
        directory = directory_of(prefix)
        if directory and not all(map(is_plain, directory.split("/"))):
            return
        self.ready()
        root = Path(self._root)
        if not self._follow_symlinks and not (root / directory).resolve().is_relative_to(root.resolve()):
            return
        yield from _walk(root, f"{directory}/" if directory else "", prefix)

    @contextmanager
    def _opened(self, path: str) -> Iterator[int]:
        key = key_bytes(path)
        # The URL's grammar refuses these, too. Here they would be a second name of a file, or a way out of the root.
        if b"\0" in key or any(segment in {b"", b".", b".."} for segment in key.split(b"/")):
            raise SourceMissing
        with self._opened_root() as root:
            try:
                file = os.open(key, _OPEN, dir_fd=root)
            except OSError as error:
                if error.errno in _DENIED:
                    raise SourceDenied from error
                if error.errno not in _MISSING:
                    raise StorageFailed from error
                self._require_same(root)
                raise SourceMissing from error
            try:
                self._check(file, root)
                self._root_id = _id_of(root)
                yield file
            except OSError as error:
                raise StorageFailed from error
            finally:
                os.close(file)

    def _require_same(self, root: int) -> None:
        """Raise `StorageFailed` if the open root is another directory than before, and none of its files was read."""
        found = _id_of(root)
        if self._root_id is None:
            self._root_id = found
        elif self._root_id != found:
            raise StorageFailed from RootChanged("the root is another directory than before: was it unmounted?")

    def _check(self, file: int, root: int) -> None:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise SourceMissing
        # Compared after the open, by the descriptor, so that no link can be replaced in between.
        if not self._follow_symlinks and not _real_path(file).is_relative_to(_real_path(root)):
            raise SourceMissing

    @contextmanager
    def _opened_root(self) -> Iterator[int]:
        try:
            root = os.open(self._root, _ROOT)
        except (OSError, ValueError) as error:
            raise StorageFailed from error
        try:
            yield root
        except OSError as error:
            raise StorageFailed from error
        finally:
            os.close(root)


def _walk(root: Path, below: str, prefix: str) -> Iterator[str]:
    """The files in the directory `below` (empty, or with a slash at its end) whose paths begin with `prefix`."""
    try:
        with os.scandir(root / below) as found:
            entries = sorted((entry for entry in found if is_plain(entry.name)), key=lambda entry: entry.name)
    except OSError as error:
        if error.errno in _MISSING | _DENIED:
            return
        raise StorageFailed from error
    for entry in entries:
        path = below + entry.name
        if entry.is_dir(follow_symlinks=False):
            if f"{path}/".startswith(prefix) or prefix.startswith(f"{path}/"):
                yield from _walk(root, f"{path}/", prefix)
        elif path.startswith(prefix) and _is_file(entry):
            yield path


def _is_file(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link to itself
        return False


def _id_of(file: int) -> tuple[int, int]:
    state = os.fstat(file)
    return state.st_dev, state.st_ino


def _real_path(file: int) -> Path:
    return Path(f"/proc/self/fd/{file}").readlink()


def _version(state: os.stat_result) -> Version:
    return Version(f"{state.st_mtime_ns:x}-{state.st_size:x}", state.st_mtime_ns // 1_000_000_000)


def _data(file: int, size: int, deadline: Deadline) -> bytes | None:
    """The first `size` bytes; None when the file is shorter by now."""
    os.lseek(file, 0, os.SEEK_SET)
    try:
        return read_exactly(functools.partial(os.read, file), size, deadline=deadline)
    except Interrupted:
        return None
