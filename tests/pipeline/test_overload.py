"""Full queues and storages that hang: refused at once, and no other request is delayed."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.support.fake_pipeline import (
    Ask,
    Cupboard,
    Press,
    Shop,
    cached,
    header,
    request,
)
from tests.support.waiting import WAIT_SECONDS, eventually
from thumbs.cache.layers import Layers
from thumbs.http.messages import Request
from thumbs.image.geometry import OutputLimits
from thumbs.image.quality import DEFAULT_QUALITIES
from thumbs.pipeline.executor import BoundedExecutor
from thumbs.pipeline.ports import FETCH, LOOKUP, RENDER, Storage, fetch_stage
from thumbs.pipeline.thumbnailer import Pending, Thumbnailer
from thumbs.request.resolve import StoragePolicy

# --------------------------------------------------------------------------------------- refusals


def test_a_full_queue_of_renders_refuses_before_anything_is_read(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop(executors={RENDER: BoundedExecutor(RENDER, threads=1, queue_length=0)})
    shop.press.gate.shut()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, shop, request())
        shop.press.gate.wait_for_somebody()
        shop.source.lay("b.jpg", b"dog")
        assert ask(shop, request("40x30/b.jpg")).status == 503
        assert shop.source.read_paths == ["a.jpg"]
        shop.press.gate.open()
        assert first.result(WAIT_SECONDS).status == 200


# --------------------------------------------------------------------------------------- overload


def test_a_full_queue_is_503_with_the_time_to_come_back(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop(executors={RENDER: BoundedExecutor(RENDER, threads=1, queue_length=0)})
    ask(shop, request("1x/a.jpg"))
    shop.press.gate.wait_for_somebody()
    shop.press.gate.shut()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(shop.thumbnailer.answer, request())
        shop.press.gate.wait_for_somebody()
        refused = [ask(shop, request(f"{width}x/a.jpg")) for width in range(2, 7)]
        hit = ask(shop, request("1x/a.jpg"))
        shop.press.gate.open()
        assert slow.result(WAIT_SECONDS).status == 200
    assert {(answer.status, header(answer, "Retry-After")) for answer in refused} == {(503, "1")}
    assert cached(hit) == (200, "HIT")
    assert ask(shop, request("2x/a.jpg")).status == 200


def test_a_thumbnail_that_cannot_be_kept_for_want_of_a_thread_is_served(
    open_shop: Callable[..., Shop], ask: Ask
) -> None:
    shop = open_shop(executors={LOOKUP: BoundedExecutor(LOOKUP, threads=1, queue_length=0)})
    shop.press.gate.shut()
    free, busy = threading.Event(), threading.Event()

    def occupy() -> Callable[[], None]:
        busy.set()
        assert free.wait(WAIT_SECONDS)
        return lambda: None

    def meanwhile() -> None:
        shop.press.gate.wait_for_somebody()
        shop.executors[LOOKUP].submit(occupy)
        assert busy.wait(WAIT_SECONDS)
        shop.press.gate.open()

    with ThreadPoolExecutor(1) as pool:
        elsewhere = pool.submit(meanwhile)
        answer = ask(shop, request())
        elsewhere.result(WAIT_SECONDS)
    free.set()
    assert (cached(answer), answer.body) == ((200, "MISS"), b"cat 40x30 None")


# ------------------------------------------------------------------------ one storage and another


def test_a_storage_that_hangs_keeps_no_other_waiting() -> None:
    hanging, good = Cupboard(), Cupboard()
    for cupboard in (hanging, good):
        cupboard.lay("a.jpg", b"cat")
    hanging.gate.shut()
    executors = {
        LOOKUP: BoundedExecutor(LOOKUP, threads=2, queue_length=50),
        RENDER: BoundedExecutor(RENDER, threads=2, queue_length=50),
    }
    storages: dict[str, Storage] = {}
    for name, source in (("hanging", hanging), ("good", good)):
        executors[fetch_stage(name)] = BoundedExecutor(FETCH, threads=2, queue_length=4)
        policy = StoragePolicy(name, DEFAULT_QUALITIES, OutputLimits())
        storages[name] = Storage(policy, source, Layers(), Press(), seconds=WAIT_SECONDS)
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
