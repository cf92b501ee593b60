"""A thumbnailer over small fakes: a source, a renderer and an observer that count."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.waiting import WAIT_SECONDS
from thumbs.cache.adapters import MemoryLayer
from thumbs.cache.layer import Layer
from thumbs.cache.layers import Layers
from thumbs.cache.sieve import Sieve
from thumbs.errors import SourceMissing, ThumbError
from thumbs.http.messages import Headers, Request, Response
from thumbs.image.geometry import OutputLimits
from thumbs.image.quality import DEFAULT_QUALITIES
from thumbs.image.transforms import Transform
from thumbs.pipeline.executor import BoundedExecutor
from thumbs.pipeline.ports import LOOKUP, RENDER, Storage, fetch_stage
from thumbs.pipeline.thumbnailer import Thumbnailer
from thumbs.request.resolve import StoragePolicy
from thumbs.request.signing import Signer
from thumbs.sources.source import Original, Version

MODIFIED = 1_600_000_000


class ExactLayers(Layers):
    """Lifetimes without the random part, for tests of times."""

    def lifetime(self) -> float:
        return self.ttl


class Gate:
    """Open unless it is shut; counts who has come to it."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._come = threading.Semaphore(0)

    def shut(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    def go_through(self) -> None:
        self._come.release()
        assert self._open.wait(WAIT_SECONDS)

    def wait_for_somebody(self) -> None:
        assert self._come.acquire(timeout=WAIT_SECONDS)


class Cupboard:
    """A source of originals in a dictionary, which counts how often it is asked."""

    def __init__(self) -> None:
        self.originals: dict[str, Original] = {}
        self.failure: ThumbError | None = None
        self.gate = Gate()
        self.read_paths: list[str] = []
        self.asked_versions: list[str] = []

    def lay(self, path: str, data: bytes, token: str | None = "v1", modified: int | None = MODIFIED) -> None:
        self.originals[path] = Original(data, Version(token, modified))

    def read(self, path: str) -> Original:
        self.read_paths.append(path)
        return self._found(path)

    def version(self, path: str) -> Version:
        self.asked_versions.append(path)
        return self._found(path).version

    def ready(self) -> None:
        pass

    def _found(self, path: str) -> Original:
        self.gate.go_through()
        if self.failure is not None:
            raise self.failure
        if path not in self.originals:
            raise SourceMissing
        return self.originals[path]


@dataclass(frozen=True)
class Print:
    body: bytes
    format: str
    encode_seconds: float = 0.0


class Press:
    """Renders by writing down what was asked of it, and counts."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.gate = Gate()
        self.printed: list[Transform] = []
        self.proxy: list[bytes] = []
        self.reduction = b""
        self.reduction_of: Callable[[int], bytes] | None = None

    def make_proxy(self, data: bytes) -> bytes:
        self.proxy.append(data)
        return self.reduction if self.reduction_of is None else self.reduction_of(len(self.proxy))

    def render_proxy(self, proxy: bytes, transform: Transform, *, fallback: Transform | None) -> Print | None:
        return None if (transform.width or 0) > 500 else self(proxy, transform, fallback=fallback)

    def __call__(self, data: bytes, transform: Transform, *, fallback: Transform | None) -> Print:
        self.printed.append(transform)
        self.gate.go_through()
        if self.failure is not None:
            raise self.failure
        instead = fallback.format if fallback else None
        return Print(data + f" {transform.width}x{transform.height} {instead}".encode(), transform.format or "?")


class Witness:
    def __init__(self) -> None:
        self.counted: list[tuple[int, str, set[str]]] = []
        self.negative_cache: list[tuple[str, str]] = []

    def answered(self, status: int, layer: str, seconds: Mapping[str, float]) -> None:
        self.counted.append((status, layer, set(seconds)))

    def failed(self, storage: str, code: str) -> None:
        self.negative_cache.append((storage, code))


@dataclass
class Shop:
    """A thumbnailer with one storage, `photos`, and everything around it within reach."""

    source: Cupboard = field(default_factory=Cupboard)
    press: Press = field(default_factory=Press)
    clock: Clock = field(default_factory=Clock)
    witness: Witness = field(default_factory=Witness)
    executors: dict[str, BoundedExecutor] = field(default_factory=dict)
    signer: Signer | None = None
    headers: Headers = ()
    stale: float = 0
    seconds: float = WAIT_SECONDS
    keeps_sources: bool = False
    cache: Sequence[Layer] | None = None

    def __post_init__(self) -> None:
        wanted = {LOOKUP: (4, 200), fetch_stage("photos"): (4, 200), RENDER: (2, 200)}
        for name, (threads, queue_length) in wanted.items():
            self.executors.setdefault(name, BoundedExecutor(name, threads=threads, queue_length=queue_length))
        if self.cache is None:
            self.cache = [MemoryLayer(Sieve(max_bytes=10_000_000, max_items=1000, clock=self.clock))]
        self.layers = ExactLayers(self.cache, ttl=300, stale=self.stale, clock=self.clock)
        policy = StoragePolicy("photos", DEFAULT_QUALITIES, OutputLimits(), self.signer, headers=self.headers)
        storage = Storage(policy, self.source, self.layers, self.press, self.seconds, self.keeps_sources)
        self.thumbnailer = Thumbnailer({"photos": storage}, self.executors, observer=self.witness, clock=self.clock)
        self.source.lay("a.jpg", b"cat")

    def close(self) -> None:
        for gate in (self.source.gate, self.press.gate):
            gate.open()
        for stage in self.executors.values():
            stage.close()


@pytest.fixture
def open_shop() -> Iterator[Callable[..., Shop]]:
    shops: list[Shop] = []

    def open_one(**fields: object) -> Shop:
        shops.append(Shop(**fields))  # type: ignore[arg-type]
        return shops[-1]

    yield open_one
    for shop in shops:
        shop.close()


Ask = Callable[..., Response]


def request(target: str = "40x30/a.jpg", *, method: str = "GET", **fields: Any) -> Request:
    path = f"/photos/thumbs/{target}".encode()
    return Request(method, path, len(path), **fields)


def hit_or_answer(shop: Shop, asked: Request) -> Response:
    """As the worker does: look for a hit, and where there is none, go on with what was looked up."""
    hit = shop.thumbnailer.hit(asked)
    return hit if isinstance(hit, Response) else shop.thumbnailer.answer(asked, hit)


@pytest.fixture(params=["answer", "follow", "hit"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """All ways to ask. Who asks for a hit and gets none asks in another way, as the worker does."""
    if request.param == "hit":
        return hit_or_answer
    if request.param == "answer":
        return lambda shop, asked: shop.thumbnailer.answer(asked)
    return lambda shop, asked: asyncio.run(shop.thumbnailer.finish(shop.thumbnailer.reply(asked)))


def header(response: Response, name: str) -> str | None:
    found = [value.decode() for given, value in response.headers if given.decode().lower() == name.lower()]
    assert len(found) <= 1, f"{name} is there twice"
    return found[0] if found else None


def cached(response: Response) -> tuple[int, str | None]:
    return response.status, header(response, "X-Cache")


def all_at_once(shop: Shop, requests: Sequence[Request], *, asynchronous: bool) -> list[Response]:
    if asynchronous:

        async def gathered() -> list[Response]:
            return await asyncio.gather(*(shop.thumbnailer.finish(shop.thumbnailer.reply(each)) for each in requests))

        return asyncio.run(gathered())
    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(shop.thumbnailer.answer, requests))
