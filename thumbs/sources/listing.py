"""Listing the originals of a source. Not all sources can; making thumbnails ahead of requests needs it."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from thumbs.errors import StorageFailed


class Unlistable(StorageFailed):
    """The storage cannot list its files."""

    sentence = "This storage cannot list its files."


@runtime_checkable
class Listable(Protocol):
    """A source that can list."""

    def paths(self, prefix: str) -> Iterator[str]:
        """The paths that begin with `prefix`. The prefix may be empty, and may end within a name.

        Raises `Unlistable`, `StorageFailed` and `StorageTimeout`, also during the iteration. Yields nothing where no
        path has the prefix. Names that are not UTF-8 are left out: no URL can hold them.
        """


def directory_of(prefix: str) -> str:
    """The directory of all paths with this prefix: `cats` for `cats/to`, empty for the root."""
    return prefix.rpartition("/")[0]


def is_plain(name: str) -> bool:
    """Whether this name can be a segment of a path."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return name not in {"", ".", ".."} and "\0" not in name
