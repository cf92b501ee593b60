"""What a layer of a storage's cache can do: the port, and what only some of its implementations offer."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from thumbs.cache.entry import Entry
from thumbs.cache.purge.journal import Purge


class Layer(Protocol):
    """One place that keeps entries under keys `group/name`. Any method may raise anything; `Layers` guards."""

    @property
    def name(self) -> str: ...

    def get(self, key: str) -> Entry | None: ...

    def put(self, key: str, entry: Entry, expires: float) -> None: ...

    def delete(self, key: str) -> None: ...

    def delete_group(self, group: str) -> int: ...

    def clear(self) -> int: ...


@runtime_checkable
class QuickLayer(Layer, Protocol):
    """A layer that can answer without ever blocking: BlockingIOError when it would have to."""

    def get_now(self, key: str) -> Entry | None: ...


@runtime_checkable
class LocalLayer(Layer, Protocol):
    """A layer that only this process sees."""

    @property
    def local(self) -> bool: ...


@runtime_checkable
class ExpiredLayer(Layer, Protocol):
    """A layer that has entries for a while after their time."""

    def get_expired(self, key: str) -> Entry | None: ...


@runtime_checkable
class LeasingLayer(Layer, Protocol):
    """A layer in which one of all machines can claim a key. A lease ends by itself."""

    def lease(self, key: str) -> bool: ...

    def end_lease(self, key: str) -> None: ...


@runtime_checkable
class FeedLayer(Layer, Protocol):
    """A layer by which machines tell each other what they purge, as on a `Bulletin`."""

    def append_purge(self, purge: Purge) -> None: ...

    def read_purges(self, number: int | None) -> tuple[int | None, Sequence[Purge]]: ...
