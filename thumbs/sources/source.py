"""The protocol of a source, and the values that it returns: an original and its version."""

from collections.abc import Callable
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
    """The bytes of an original.

    `lifetime` is for how many seconds its origin lets caches keep it, 0.0 for not at all; None: as configured.
    """

    data: bytes
    version: Version
    lifetime: float | None = None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """An original that is still that of a version.

    `lifetime` is that of an `Original`, as its origin says now; None: as it said before. Infinite: as configured.
    """

    lifetime: float | None = None


# Called with the outcome of a fetch, its seconds, and the bytes of the original.
Count = Callable[[str, float, int], None]


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


@runtime_checkable
class Revalidating(Protocol):
    """A source that asks whether an original has changed and reads it by one request."""

    def read_if_changed(self, path: str, version: Version) -> Original | Unchanged:
        """The original at `path`, or that it is still that of `version`. Raises as `Source.read` does."""


@runtime_checkable
class Limiting(Protocol):
    """A source whose originals may have a lifetime."""

    @property
    def has_lifetimes(self) -> bool:
        """Whether it asks origins for how long they let caches keep an original."""


@runtime_checkable
class Observable(Protocol):
    """A source that counts its fetches."""

    def observe(self, count: Count) -> None:
        """`count` is called with each outcome from now on."""


@runtime_checkable
class Hosted(Protocol):
    """A source of several hosts, each of which may hang by itself."""

    @property
    def fetches_per_host(self) -> int:
        """How many calls for one host may run at once."""

    def host_of(self, path: str) -> str:
        """The host of the original at `path`."""


@runtime_checkable
class Explained(Protocol):
    """A source that says more of a key than its name."""

    def explain(self, path: str) -> str:
        """A sentence for operators, about the key `path`."""
