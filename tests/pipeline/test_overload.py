"""Full queues and storages that hang: refused at once, and no other request is delayed."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.support.fake_pipeline import (
    Ask,
    FakeRenderer,
    FakeServer,
    FakeSource,
    cached,
    header,
    request,
)
from tests.support.waiting import WAIT_SECONDS, eventually
from thumbs.cache.layers import Layers
from thumbs.http.messages import Request
from thumbs.image.geometry import OutputLimits
from thumbs.image.quality import DEFAULT_QUALITIES
from thumbs.pipeline.executor import BoundedExecutor, Executor
from thumbs.pipeline.ports import FETCH, LOOKUP, RENDER, Storage, fetch_stage, render_stage
from thumbs.pipeline.replies import Pending
from thumbs.pipeline.thumbnailer import Thumbnailer
from thumbs.request.policy import StoragePolicy

# --------------------------------------------------------------------------------------- refusals


def test_a_full_queue_of_renders_refuses_before_anything_is_read(
    open_server: Callable[..., FakeServer], ask: Ask
) -> None:
    server = open_server(executors={render_stage("photos"): BoundedExecutor(RENDER, threads=1, queue_length=0)})
    server.renderer.gate.shut()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, server, request())
        server.renderer.gate.wait_for_one()
        server.source.put("b.jpg", b"dog")
        assert ask(server, request("40x30/b.jpg")).status == 503
        assert server.source.read_paths == ["a.jpg"]
        server.renderer.gate.open()
        assert first.result(WAIT_SECONDS).status == 200


# --------------------------------------------------------------------------------------- overload


def test_a_full_queue_is_503_with_the_time_to_come_back(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    server = open_server(executors={render_stage("photos"): BoundedExecutor(RENDER, threads=1, queue_length=0)})
    ask(server, request("1x/a.jpg"))
    server.renderer.gate.wait_for_one()
    server.renderer.gate.shut()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(server.thumbnailer.answer, request())
        server.renderer.gate.wait_for_one()
        refused = [ask(server, request(f"{width}x/a.jpg")) for width in range(2, 7)]
        hit = ask(server, request("1x/a.jpg"))
        server.renderer.gate.open()
        assert slow.result(WAIT_SECONDS).status == 200
    assert {(answer.status, header(answer, "Retry-After")) for answer in refused} == {(503, "1")}
    assert cached(hit) == (200, "HIT")
    assert ask(server, request("2x/a.jpg")).status == 200


def test_a_thumbnail_that_cannot_be_kept_for_want_of_a_thread_is_served(
    open_server: Callable[..., FakeServer], ask: Ask
) -> None:
    server = open_server(executors={LOOKUP: BoundedExecutor(LOOKUP, threads=1, queue_length=0)})
    server.renderer.gate.shut()
    free, busy = threading.Event(), threading.Event()

    def occupy() -> Callable[[], None]:
        busy.set()
        assert free.wait(WAIT_SECONDS)
        return lambda: None

    def meanwhile() -> None:
        server.renderer.gate.wait_for_one()
        server.executors[LOOKUP].submit(occupy)
        assert busy.wait(WAIT_SECONDS)
        server.renderer.gate.open()

    with ThreadPoolExecutor(1) as pool:
        elsewhere = pool.submit(meanwhile)
        answer = ask(server, request())
        elsewhere.result(WAIT_SECONDS)
    free.set()
    assert (cached(answer), answer.body) == ((200, "MISS"), b"cat 40x30 None")


# ------------------------------------------------------------------------ one storage and another


def test_a_storage_that_hangs_keeps_no_other_waiting() -> None:
    hanging, good = FakeSource(), FakeSource()
    for source in (hanging, good):
        source.put("a.jpg", b"cat")
    hanging.gate.shut()
    executors: dict[str, Executor] = {LOOKUP: BoundedExecutor(LOOKUP, threads=2, queue_length=50)}
    storages: dict[str, Storage] = {}
    for name, source in (("hanging", hanging), ("good", good)):
        executors[fetch_stage(name)] = BoundedExecutor(FETCH, threads=2, queue_length=4)
        executors[render_stage(name)] = BoundedExecutor(RENDER, threads=2, queue_length=50)
        policy = StoragePolicy(name, DEFAULT_QUALITIES, OutputLimits())
        storages[name] = Storage(policy, source, Layers(), FakeRenderer(), seconds=WAIT_SECONDS)
    thumbnailer = Thumbnailer(storages, executors)

    def asked(name: str, width: int) -> Request:
        path = f"/{name}/thumbs/{width}x/a.jpg".encode()
        return Request("GET", path, len(path))

    try:
        waiting = [thumbnailer.reply(asked("hanging", width)) for width in range(1, 20)]
        assert thumbnailer.answer(asked("good", 1)).status == 200
        eventually(
            lambda: sum(isinstance(reply, Pending) and reply.ticket.future.done() for reply in waiting) == 19 - 6
        )
    finally:
        hanging.gate.open()
        for stage in executors.values():
            stage.close()
