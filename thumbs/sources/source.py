"""The protocol of a source, and the values that it returns: an original and its version."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Version:
    """A version of an original.

    `token` is equal exactly when the bytes are: an ETag, or mtime and size. None where the storage has neither.
    `modified` is Unix seconds, None where unknown.
    """

    token: str | None
    modified: int | None


@dataclass(frozen=True, slots=True)
class Original:
    data: bytes
    version: Version


@runtime_checkable
class Placed(Protocol):
    """A source whose place may turn out to depend on the request."""

    def require_place(self) -> None:
        """Raise `StorageFailed` if it does, in the context of a request."""


class Source(Protocol):
    """A storage of originals. All three methods block, no longer than the source's deadline.

    They raise only `SourceMissing`, `SourceTooLarge`, `StorageFailed` and `StorageTimeout`. `SourceDenied`, a subclass
    of the first, is raised where the storage does not say whether an original exists.
    """

    def read(self, path: str) -> Original:
        """The whole original at `path`."""

    def version(self, path: str) -> Version:
        """The current version of the original at `path`, without reading it."""

    def ready(self) -> None:
        """Return when the storage can be reached."""


@runtime_checkable
class Probeable(Protocol):
    """A source that can ask its storage whether anything may be read there."""

    def probe(self) -> None:
        """As `ready`, but raises `SourceDenied` where that is refused."""


@runtime_checkable
class Closable(Protocol):
    """A source with threads or connections of its own."""

    def close(self) -> None:
        """End them when their calls have ended. A call after that fails."""
