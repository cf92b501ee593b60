"""Any Django storage, read through Django's interface, with a deadline.

The calls run in a pool of threads: a storage that hangs occupies those threads, not its callers. A file that the
storage truncates without an error is not detected.
"""

import functools
from collections.abc import Callable, Iterator
from typing import TypeVar

from django.core.exceptions import SuspiciousOperation
from django.core.files.storage import Storage

from thumbs.errors import (
    SourceDenied,
    SourceMissing,
    SourceTooLarge,
    StorageDenied,
    StorageFailed,
    StorageTimeout,
    ThumbError,
)
from thumbs.sources.listing import Unlistable, directory_of
from thumbs.sources.reading import Deadline, key_bytes, read_to_end
from thumbs.sources.source import Original, Version
from thumbs.sources.storages.listed_names import names_below
from thumbs.sources.thread_pool import DaemonThreadPool

T = TypeVar("T")

_THREADS = 32
_PROBE = "mage-is-ready"
_MISSING = (
    FileNotFoundError,
    IsADirectoryError,
    NotADirectoryError,
    FileExistsError,  # InMemoryStorage raises it for a file that is used as a directory
    SuspiciousOperation,
)
_FORBIDDEN = 403


class AnyStorageSource:
    """The files of `storage`. `max_bytes` limits one file, `deadline` is seconds for one call."""

    def __init__(self, storage: Storage, *, max_bytes: int, deadline: float) -> None:
        self._storage = storage
        self._max_bytes = max_bytes
        self._seconds = deadline
        self._pool = DaemonThreadPool(_THREADS)

    def read(self, path: str) -> Original:
        return self._call(self._read, path)

    def version(self, path: str) -> Version:
        return self._call(self._version, path)

    def ready(self) -> None:
        self._call(self._check, _PROBE)

    def close(self) -> None:
        self._pool.close()

    def paths(self, prefix: str) -> Iterator[str]:
        """Directory by directory, sorted by name. The deadline is for each directory.

        A storage that gives all files below a directory at once is asked only once.
        """
        waiting = [directory_of(prefix)]
        while waiting:
            directory = waiting.pop()
            try:
                directories, files = self._call(self._names, directory)
            except SourceMissing as error:
                if isinstance(error, SourceDenied) and not isinstance(error.__cause__, PermissionError):
                    raise StorageDenied from error.__cause__
                continue  # a directory that is not there, or may not be read
            below = f"{directory}/" if directory else ""
            yield from (path for path in (below + name for name in sorted(files)) if path.startswith(prefix))
            if any("/" in name for name in files):  # all that is below has been listed
                continue
            paths = [f"{below}{name}/" for name in sorted(directories, reverse=True)]
            waiting += [path[:-1] for path in paths if path.startswith(prefix) or prefix.startswith(path)]

    def _names(self, directory: str, _: Deadline) -> tuple[list[str], list[str]]:
        try:
            directories, files = self._storage.listdir(directory)
        except NotImplementedError as error:
            raise Unlistable from error
        return names_below(self._storage, directory, directories), names_below(self._storage, directory, files)

    def _call(self, work: Callable[[str, Deadline], T], path: str) -> T:
        deadline = Deadline(self._seconds)
        return self._pool.call(functools.partial(self._translated, work, path, deadline), deadline)

    def _read(self, path: str, deadline: Deadline) -> Original:
        size = self._size(path)
        if size is not None and size > self._max_bytes:
            raise SourceTooLarge
        # The version is read before the bytes: if both change in between, the next check finds another version.
        version = self._version_of(path, size)
        with self._storage.open(path, "rb") as file:
            return Original(read_to_end(file.read, max_bytes=self._max_bytes, deadline=deadline), version)

    def _version(self, path: str, _: Deadline) -> Version:
        return self._version_of(path, self._size(path))

    def _version_of(self, path: str, size: int | None) -> Version:
        try:
            modified = self._storage.get_modified_time(path).timestamp()
        except NotImplementedError:
            return Version(None, None)
        return Version(f"{modified!r}-{size}", int(modified))

    def _size(self, path: str) -> int | None:
        try:
            return self._storage.size(path)
        except NotImplementedError:
            return None

    def _check(self, path: str, _: Deadline) -> None:
        # The file need not exist: any result shows that the storage can be reached.
        self._storage.exists(path)

    def _translated(self, work: Callable[[str, Deadline], T], path: str, deadline: Deadline) -> T:
        """Run `work`, and raise a `ThumbError` for every exception of the storage."""
        key_bytes(path)
        try:
            return work(path, deadline)
        except ThumbError:
            raise
        except _MISSING as error:
            raise SourceMissing from error
        except PermissionError as error:
            raise SourceDenied from error
        except TimeoutError as error:
            raise StorageTimeout from error
        except Exception as error:
            if _is_forbidden(error):
                raise SourceDenied from error
            is_missing = not self._exists(path) or (type(error) is OSError and self._is_directory(path))
            raise (SourceMissing if is_missing else StorageFailed) from error

    def _exists(self, path: str) -> bool:
        """Called after an exception of the storage's own type, which may mean a missing file or a failure."""
        try:
            return self._storage.exists(path)
        except Exception:
            return True

    def _is_directory(self, path: str) -> bool:
        """Called after a plain OSError: a server of SFTP says no more of a directory than that it failed to read it.

        Clients of object stores have errors of their own. There a key may exist and begin other keys too.
        """
        try:
            return any(self._storage.listdir(path))
        except Exception:
            return False


def _is_forbidden(error: Exception) -> bool:
    """Whether the error stands for an HTTP 403: of Google's client (`code`), Azure's (`status_code`) or botocore's."""
    if _FORBIDDEN in (getattr(error, "code", None), getattr(error, "status_code", None)):
        return True
    response = getattr(error, "response", None)
    metadata = response.get("ResponseMetadata", {}) if isinstance(response, dict) else {}
    return bool(metadata.get("HTTPStatusCode") == _FORBIDDEN)
