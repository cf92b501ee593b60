"""Requests of one storage while another one renders slowly: served, and only the slow one is refused."""

from collections.abc import Iterator

import pytest

from tests.support.fake_pipeline import FakeRenderer, FakeSource, header
from tests.support.waiting import eventually
from thumbs.cache.adapters import MemoryLayer
from thumbs.cache.layers import Layers
from thumbs.cache.sieve import Sieve
from thumbs.http.messages import Request
from thumbs.image.geometry import OutputLimits
from thumbs.image.quality import DEFAULT_QUALITIES
from thumbs.pipeline.executor import BoundedExecutor, Executor
from thumbs.pipeline.fair_executor import FairExecutor
from thumbs.pipeline.ports import FETCH, LOOKUP, Storage, fetch_stage, render_stage
from thumbs.pipeline.replies import Pending
from thumbs.pipeline.thumbnailer import Thumbnailer
from thumbs.request.policy import StoragePolicy

QUEUE = 5


class TwoStorages:
    """A thumbnailer with the storages `busy`, whose renders do not end until `release`, and `quiet`; two places."""

    def __init__(self, *, keeps_sources: bool) -> None:
        self.sources = {name: FakeSource() for name in ("busy", "quiet")}
        self.renderers = {name: FakeRenderer() for name in self.sources}
        self.renderers["busy"].gate.shut()
        rendering = FairExecutor(dict.fromkeys(self.sources, 1.0), places=2, queue_length=QUEUE)
        self.executors: dict[str, Executor] = {LOOKUP: BoundedExecutor(LOOKUP, threads=2, queue_length=200)}
        storages = {}
        for name, source in self.sources.items():
            source.put("a.jpg", b"cat")
            self.executors[fetch_stage(name)] = BoundedExecutor(FETCH, threads=4, queue_length=200)
            self.executors[render_stage(name)] = rendering.stage(name)
            layers = Layers([MemoryLayer(Sieve(max_bytes=10_000_000, max_items=1000))], ttl=300)
            policy = StoragePolicy(name, DEFAULT_QUALITIES, OutputLimits())
            storages[name] = Storage(policy, source, layers, self.renderers[name], keeps_sources=keeps_sources)
        self.thumbnailer = Thumbnailer(storages, self.executors)

    def request(self, storage: str, width: int) -> Request:
        path = f"/{storage}/thumbs/{width}x/a.jpg".encode()
        return Request("GET", path, len(path))

    def release(self) -> None:
        self.renderers["busy"].gate.open()

    def close(self) -> None:
        self.release()
        for executor in self.executors.values():
            executor.close()


@pytest.fixture(params=[False, True], ids=["originals", "proxies"])
def server(request: pytest.FixtureRequest) -> Iterator[TwoStorages]:
    made = TwoStorages(keeps_sources=request.param)
    yield made
    made.close()


def test_slow_renders_of_one_storage_fill_its_own_queue_alone(server: TwoStorages) -> None:
    replies = [server.thumbnailer.reply(server.request("busy", width)) for width in range(1, 101)]
    pending = [reply for reply in replies if isinstance(reply, Pending)]
    held = 2 + QUEUE
    eventually(lambda: sum(reply.ticket.future.done() for reply in pending) == 100 - held)
    read = len(server.sources["busy"].read_paths)
    refused = server.thumbnailer.answer(server.request("busy", 200))
    assert (refused.status, header(refused, "Retry-After")) == (503, "1")
    assert len(server.sources["busy"].read_paths) == read

    assert [server.thumbnailer.answer(server.request("quiet", width)).status for width in range(1, 21)] == [200] * 20
    assert len(server.renderers["busy"].rendered) == 2

    server.release()
    eventually(lambda: all(reply.ticket.future.done() for reply in pending))
    assert sum(reply.ticket.future.exception() is None for reply in pending) == held
    assert server.thumbnailer.answer(server.request("busy", 200)).status == 200
