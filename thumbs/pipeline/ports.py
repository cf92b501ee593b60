"""The protocols that jobs need from a storage, and the names of stages."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol, TypeVar, TypeVarTuple

from thumbs.cache.layers import Layers
from thumbs.image.transforms import Transform
from thumbs.request.policy import StoragePolicy
from thumbs.sources.health import StorageHealth
from thumbs.sources.source import Source

A = TypeVarTuple("A")
T = TypeVar("T")

LOOKUP, FETCH, RENDER, ENCODE, WAIT = "lookup", "fetch", "render", "encode", "wait"


class Picture(Protocol):
    """An encoded picture, or data about one. `format` is a name in `image.formats.FORMATS`, or `image.outputs.JSON`.

    `truncated`: its original is cut off, so that no layer and no client keeps it.
    """

    @property
    def body(self) -> bytes: ...
    @property
    def format(self) -> str: ...
    @property
    def encode_seconds(self) -> float: ...
    @property
    def truncated(self) -> bool: ...


class Render(Protocol):
    """Makes pictures from an original's bytes. `fallback` is made instead if AVIF would cost too much."""

    def __call__(self, data: bytes, transform: Transform, *, fallback: Transform | None) -> Picture: ...

    def make_proxy(self, data: bytes) -> bytes:
        """The proxy of an original: most sizes cost much less from it. Empty if they would not."""

    def render_proxy(self, proxy: bytes, transform: Transform, *, fallback: Transform | None) -> Picture | None:
        """As a call, but from a proxy; None if that is too small for `transform`."""


class HostGate(Protocol):
    """Places for fetches, by host. `gate.Gate` says what the methods do."""

    @property
    def max_seconds(self) -> float: ...

    def enter(self, host: str) -> "Future[None]": ...

    def leave(self, host: str) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Storage:
    """One storage. `seconds` bounds how long a request waits for its thumbnails.

    `gate` limits the fetches of each host, which `host_of` names by the key of an original. `require_place` is that of
    a `Placed` source: called for each request, before the layers are looked into. Without `health`, errors of the
    source say nothing of the storage. `has_lifetimes` is that of a `Limiting` source.
    """

    policy: StoragePolicy
    source: Source
    layers: Layers
    render: Render
    seconds: float = 60
    keeps_sources: bool = False
    require_place: Callable[[], None] | None = None
    gate: HostGate | None = None
    host_of: Callable[[str], str] | None = None
    health: StorageHealth | None = None
    has_lifetimes: bool = False

    def checked(self, call: Callable[[str, *A], T], path: str, *more: *A) -> T:
        """What `call`, a method of the source, returns for `path`. Raises as `StorageHealth.checked` does."""
        return call(path, *more) if self.health is None else self.health.checked(call, path, *more)


def fetch_stage(storage: str) -> str:
    """The name of the stage that reads from `storage`."""
    return f"{FETCH}:{storage}"


def render_stage(storage: str) -> str:
    """The name of the stage that renders for `storage`."""
    return f"{RENDER}:{storage}"
