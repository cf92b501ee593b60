"""The port of a cache layer, and the abilities that only some implementations have."""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from thumbs.cache.entry import Entry
from thumbs.cache.purge.journal import Purge


class Layer(Protocol):
    """One place that keeps entries under keys `group/name`. Any method may raise anything: `Layers` catches it.

    `expires` is Unix seconds. `delete_group` and `clear` return how many entries they removed, 0 where it is unknown.
    """

    @property
    def name(self) -> str: ...

    def get(self, key: str) -> Entry | None: ...

    def put(self, key: str, entry: Entry, expires: float) -> None: ...

    def delete(self, key: str) -> None: ...

    def delete_group(self, group: str) -> int: ...

    def clear(self) -> int: ...


@runtime_checkable
class QuickLayer(Layer, Protocol):
    """A layer with a lookup that never blocks: it raises BlockingIOError where it would have to."""

    def get_now(self, key: str) -> Entry | None: ...


@runtime_checkable
class CountedLayer(Layer, Protocol):
    """A layer that knows whether it has entries of its storage."""

    def holds_entries(self) -> bool: ...


@runtime_checkable
class LocalLayer(Layer, Protocol):
    """A layer in this process's own memory."""

    @property
    def local(self) -> bool: ...


@runtime_checkable
class ExpiredLayer(Layer, Protocol):
    """A layer that keeps entries for a while after they have expired."""

    def get_expired(self, key: str) -> Entry | None: ...


@runtime_checkable
class LeasingLayer(Layer, Protocol):
    """A layer in which one machine at a time can lease a key. A lease ends by itself after a few seconds."""

    def lease(self, key: str) -> bool: ...

    def end_lease(self, key: str) -> None: ...


@runtime_checkable
class SlowLayer(Layer, Protocol):
    """A layer that is written in the background, because a write takes long. `close` ends its threads."""

    @property
    def slow(self) -> bool: ...

    def close(self) -> None: ...


@runtime_checkable
class AttachedLayer(Layer, Protocol):
    """A layer that asks what is purged. `knows_purges` says whether the purges of other machines have just been read.

    `purged_since` is that of `Layers`.
    """

    def attach(self, knows_purges: Callable[[], bool], purged_since: Callable[[str, float], bool]) -> None: ...


@runtime_checkable
class PolledLayer(Layer, Protocol):
    """A layer with a feed that is read at an interval of its own."""

    @property
    def poll_seconds(self) -> float: ...


@runtime_checkable
class FeedLayer(Layer, Protocol):
    """A layer with a feed of purges that all machines read, as `PurgeFeed`."""

    def append_purge(self, purge: Purge) -> None: ...

    def read_purges_since(self, offset: int | None) -> tuple[int | None, Sequence[Purge]]: ...
