"""The port of an object store: objects of bytes under keys, for the cache layer of that name."""

from collections.abc import Sequence
from typing import Protocol

from thumbs.errors import StorageFailed
from thumbs.sources.reading import Deadline

PAGE_KEYS = 1000  # keys in one page of a listing, at most; S3's limit for one deletion, too


class NotConditional(StorageFailed):
    """The store has no writes under a condition."""


class ObjectStore(Protocol):
    """A place for objects. Every method raises a `ThumbError` where the store fails, or denies the request.

    The deadline is a wish: a client library may overrun it, so callers must not wait for it in the thread of a request.
    """

    def get(self, key: str, deadline: Deadline) -> bytes | None:
        """The object under `key`; None where there is none."""

    def put(self, key: str, data: bytes, deadline: Deadline) -> None:
        """Store an object under `key`, in place of one that is there."""

    def put_new(self, key: str, data: bytes, deadline: Deadline) -> bool:
        """Store an object unless there is one: False then, and of all that try at once, one gets True.

        Raises `NotConditional` where the store cannot do that.
        """

    def delete(self, keys: Sequence[str], deadline: Deadline) -> None:
        """Remove up to `PAGE_KEYS` objects. One that is not there is no error."""

    def page(self, prefix: str, after: str, deadline: Deadline) -> list[str]:
        """The next keys that begin with `prefix` and are greater than `after`, in order; none at the end."""

    def close(self) -> None:
        """Close idle connections."""
