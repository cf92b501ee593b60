"""A thumbnailer over fakes: a source, a renderer and an observer that record their calls."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.waiting import WAIT_SECONDS, eventually
from thumbs.cache.adapters import MemoryLayer
from thumbs.cache.layer import Layer
from thumbs.cache.layers import Layers
from thumbs.cache.sieve import Sieve
from thumbs.errors import SourceMissing, ThumbError
from thumbs.http.messages import Headers, Request, Response
from thumbs.image.geometry import OutputLimits
from thumbs.image.quality import DEFAULT_QUALITIES
from thumbs.image.transforms import Transform
from thumbs.pipeline.executor import BoundedExecutor, Executor, Work
from thumbs.pipeline.ports import LOOKUP, HostGate, Storage, fetch_stage, render_stage
from thumbs.pipeline.reporting.reports import Sinks
from thumbs.pipeline.reporting.tracing import Tracer
from thumbs.pipeline.thumbnailer import Thumbnailer
from thumbs.request.policy import StoragePolicy
from thumbs.request.signing import Signer
from thumbs.sources.source import Original, Version

MODIFIED = 1_600_000_000


class ExactLayers(Layers):
    """Lifetimes without the random part, for tests of times."""

    def lifetime(self) -> float:
        return self.ttl


class Gate:
    """Blocks callers while it is shut; lets a test wait until a caller has arrived."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._arrived = threading.Semaphore(0)

    def shut(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    def go_through(self) -> None:
        self._arrived.release()
        assert self._open.wait(WAIT_SECONDS)

    def wait_for_one(self) -> None:
        assert self._arrived.acquire(timeout=WAIT_SECONDS)


class FakeSource:
    """A source of originals in a dictionary, which records the paths of its calls."""

    def __init__(self) -> None:
        self.originals: dict[str, Original] = {}
        self.failure: ThumbError | None = None
        self.gate = Gate()
        self.read_paths: list[str] = []
        self.asked_versions: list[str] = []

    def put(self, path: str, data: bytes, token: str | None = "v1", modified: int | None = MODIFIED) -> None:
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
class FakePicture:
    """A rendered thumbnail; the body names the original, the size and the fallback format."""

    body: bytes
    format: str
    encode_seconds: float = 0.0
    truncated: bool = False


class FakeRenderer:
    """A renderer that appends size and fallback format to the original, and records its calls."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.truncated = False
        self.gate = Gate()
        self.rendered: list[Transform] = []
        self.proxy: list[bytes] = []
        self.reduction = b""
        self.reduction_of: Callable[[int], bytes] | None = None

    def make_proxy(self, data: bytes) -> bytes:
        self.proxy.append(data)
        return self.reduction if self.reduction_of is None else self.reduction_of(len(self.proxy))

    def render_proxy(self, proxy: bytes, transform: Transform, *, fallback: Transform | None) -> FakePicture | None:
        return None if (transform.width or 0) > 500 else self(proxy, transform, fallback=fallback)

    def __call__(self, data: bytes, transform: Transform, *, fallback: Transform | None) -> FakePicture:
        self.rendered.append(transform)
        self.gate.go_through()
        if self.failure is not None:
            raise self.failure
        instead = fallback.format if fallback else None
        body = data + f" {transform.width}x{transform.height} {instead}".encode()
        return FakePicture(body, transform.format or "?", truncated=self.truncated)


class RecordingObserver:
    """Records what the thumbnailer reports: answers in `counted`, failures of a storage in `failures`."""

    def __init__(self) -> None:
        self.counted: list[tuple[int, str, set[str]]] = []
        self.failures: list[tuple[str, str]] = []

    def answered(self, status: int, layer: str, seconds: Mapping[str, float]) -> None:
        self.counted.append((status, layer, set(seconds)))

    def failed(self, storage: str, code: str) -> None:
        self.failures.append((storage, code))


class Unfinished:
    """The number of pieces of work that wait, run or continue, in all executors of a server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.number = 0

    def change(self, by: int) -> None:
        with self._lock:
            self.number += by


class CountingExecutor(BoundedExecutor):
    """An executor whose work counts as unfinished until its continuation has returned, too."""

    def __init__(self, name: str, unfinished: Unfinished, *, threads: int, queue_length: int) -> None:
        super().__init__(name, threads=threads, queue_length=queue_length)
        self._unfinished = unfinished

    def submit(self, work: Work) -> None:
        def counted() -> Callable[[], None]:
            try:
                proceed = work()
            except BaseException:
                self._unfinished.change(-1)
                raise
            return lambda: continued(proceed)

        def continued(proceed: Callable[[], None]) -> None:
            try:
                proceed()
            finally:
                self._unfinished.change(-1)

        self._unfinished.change(1)
        try:
            super().submit(counted)
        except BaseException:
            self._unfinished.change(-1)
            raise


@dataclass
class FakeServer:
    """A thumbnailer with one storage, `photos`; its parts are attributes."""

    source: FakeSource = field(default_factory=FakeSource)
    renderer: FakeRenderer = field(default_factory=FakeRenderer)
    clock: Clock = field(default_factory=Clock)
    observer: RecordingObserver = field(default_factory=RecordingObserver)
    executors: dict[str, Executor] = field(default_factory=dict)
    signer: Signer | None = None
    headers: Headers = ()
    stale: float = 0
    seconds: float = WAIT_SECONDS
    keeps_sources: bool = False
    has_lifetimes: bool = False
    cache: Sequence[Layer] | None = None
    policy: Mapping[str, Any] = field(default_factory=dict)
    hosts: HostGate | None = None
    tracer: Tracer | None = None

    def __post_init__(self) -> None:
        wanted = {LOOKUP: (4, 200), fetch_stage("photos"): (4, 200), render_stage("photos"): (2, 200)}
        self.unfinished = Unfinished()
        for name, (threads, queue_length) in wanted.items():
            executor = CountingExecutor(name, self.unfinished, threads=threads, queue_length=queue_length)
            self.executors.setdefault(name, executor)
        if self.cache is None:
            self.cache = [MemoryLayer(Sieve(max_bytes=10_000_000, max_items=1000, clock=self.clock))]
        self.layers = ExactLayers(self.cache, ttl=300, stale=self.stale, clock=self.clock)
        policy = StoragePolicy(
            "photos", DEFAULT_QUALITIES, OutputLimits(), self.signer, headers=self.headers, **self.policy
        )
        storage = Storage(
            policy,
            self.source,
            self.layers,
            self.renderer,
            self.seconds,
            self.keeps_sources,
            gate=self.hosts,
            host_of=lambda path: path.partition("/")[0],
            has_lifetimes=self.has_lifetimes,
        )
        self.thumbnailer = Thumbnailer(
            {"photos": storage},
            self.executors,
            observer=self.observer,
            sinks=Sinks(tracer=self.tracer),
            clock=self.clock,
        )
        self.source.put("a.jpg", b"cat")

    def settle(self) -> None:
        """Wait until nothing is under way, such as a renewal that no request waits for."""
        eventually(lambda: self.unfinished.number == 0)

    def close(self) -> None:
        for gate in (self.source.gate, self.renderer.gate):
            gate.open()
        self.thumbnailer.close()  # its timer too, or it would log a number of failures in the next test


@pytest.fixture
def open_server() -> Iterator[Callable[..., FakeServer]]:
    servers: list[FakeServer] = []

    def open_one(**fields: object) -> FakeServer:
        servers.append(FakeServer(**fields))  # type: ignore[arg-type]
        return servers[-1]

    yield open_one
    for server in servers:
        server.close()


Ask = Callable[..., Response]


def request(target: str = "40x30/a.jpg", *, method: str = "GET", **fields: Any) -> Request:
    path = f"/photos/thumbs/{target}".encode()
    return Request(method, path, len(path), **fields)


def hit_or_answer(server: FakeServer, asked: Request) -> Response:
    """The hit, or else the answer that continues from its lookup, as in the worker."""
    hit = server.thumbnailer.hit(asked)
    return hit if isinstance(hit, Response) else server.thumbnailer.answer(asked, hit)


@pytest.fixture(params=["answer", "follow", "hit"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Every way to send a request to the thumbnailer. Where "hit" finds none, it goes on to `answer`."""
    if request.param == "hit":
        return hit_or_answer
    if request.param == "answer":
        return lambda server, asked: server.thumbnailer.answer(asked)
    return lambda server, asked: asyncio.run(server.thumbnailer.finish(server.thumbnailer.reply(asked)))


def header(response: Response, name: str) -> str | None:
    found = [value.decode() for given, value in response.headers if given.decode().lower() == name.lower()]
    assert len(found) <= 1, f"{name} is there twice"
    return found[0] if found else None


def cached(response: Response) -> tuple[int, str | None]:
    return response.status, header(response, "X-Cache")


def all_at_once(server: FakeServer, requests: Sequence[Request], *, asynchronous: bool) -> list[Response]:
    if asynchronous:

        async def gathered() -> list[Response]:
            return await asyncio.gather(
                *(server.thumbnailer.finish(server.thumbnailer.reply(each)) for each in requests)
            )

        return asyncio.run(gathered())
    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(server.thumbnailer.answer, requests))
