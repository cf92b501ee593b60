"""What journeys ask of a storage, and the names of the stages that they go through."""

from dataclasses import dataclass
from typing import Protocol

from thumbs.cache.layers import Layers
from thumbs.image.transforms import Transform
from thumbs.request.resolve import StoragePolicy
from thumbs.sources.source import Source

LOOKUP, FETCH, RENDER, ENCODE, WAIT = "lookup", "fetch", "render", "encode", "wait"


class Picture(Protocol):
    @property
    def body(self) -> bytes: ...
    @property
    def format(self) -> str: ...
    @property
    def encode_seconds(self) -> float: ...


class Render(Protocol):
    """Makes pictures of an original's bytes; `spare` replaces AVIF where that would cost too much."""

    def __call__(self, data: bytes, transform: Transform, *, fallback: Transform | None) -> Picture: ...

    def make_proxy(self, data: bytes) -> bytes:
        """What serves most sizes of `data` at a fraction of the cost; nothing when that would be no gain."""

    def render_proxy(self, proxy: bytes, transform: Transform, *, fallback: Transform | None) -> Picture | None:
        """As a call, of what `reduce` gave; None when that is too small for it."""


@dataclass(frozen=True, slots=True, eq=False)
class Storage:
    """One storage at work. `seconds` bounds how long a request waits for a thumbnail of it."""

    policy: StoragePolicy
    source: Source
    layers: Layers
    render: Render
    seconds: float = 60
    keeps_sources: bool = False


def fetch_stage(storage: str) -> str:
    """The name of the stage that reads from `storage`."""
    return f"{FETCH}:{storage}"
