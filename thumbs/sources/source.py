"""What a source gives: the original's bytes with what is known of their version."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Version:
    """Which state of an original it is.

    `token` is equal exactly when the bytes are (an ETag, or mtime and size); None where the storage cannot tell.
    `modified` is Unix seconds, None where unknown.
    """

    token: str | None
    modified: int | None


@dataclass(frozen=True, slots=True)
class Original:
    data: bytes
    version: Version


class Source(Protocol):
    """A storage of originals. All three methods block, and end by their own deadline.

    They raise only `SourceMissing`, `SourceTooLarge`, `StorageFailed` and `StorageTimeout`.
    """

    def read(self, path: str) -> Original:
        """The original at `path`, whole."""

    def version(self, path: str) -> Version:
        """The version of the original at `path` now, without reading it."""

    def ready(self) -> None:
        """Return when the storage can be reached."""
