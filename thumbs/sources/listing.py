"""Some sources can say what they hold: a capability of its own, for whoever makes thumbnails ahead."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from thumbs.errors import StorageFailed


class Unlistable(StorageFailed):
    """The storage cannot say what it holds."""

    sentence = "This storage cannot list its files."


@runtime_checkable
class Listable(Protocol):
    """A source that can list."""

    def paths(self, prefix: str) -> Iterator[str]:
        """The paths that begin with `prefix`, one after another: it may end within a name, and be empty.

        Raises `Unlistable`, `StorageFailed` and `StorageTimeout`, also while it goes on. A storage without anything of
        that prefix lists nothing. Names that are not UTF-8 are left out, as no URL holds one.
        """


def directory_of(prefix: str) -> str:
    """The directory that everything with this prefix is in: `cats` for `cats/to`, empty for the root."""
    return prefix.rpartition("/")[0]


def is_plain(name: str) -> bool:
    """Whether a path can have a segment of this name."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return name not in {"", ".", ".."} and "\0" not in name
