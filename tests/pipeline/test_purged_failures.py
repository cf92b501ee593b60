"""A purge ends what is remembered of a failure, also of one that is found after it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.fake_pipeline import FakeServer, request
from tests.support.private_files import private_file
from tests.support.waiting import WAIT_SECONDS
from thumbs.cache.purge.journal import PurgeJournal
from thumbs.errors import RenderTimeout, SourceBroken, SourceMissing, ThumbError
from thumbs.pipeline import negative_cache
from thumbs.request.resolve import group_of


@pytest.mark.parametrize("error", [SourceMissing, SourceBroken, RenderTimeout])
def test_a_failure_is_not_remembered_if_its_original_was_purged_meanwhile(
    open_server: Callable[..., FakeServer], tmp_path: Path, error: type[ThumbError]
) -> None:
    server = open_server()
    server.layers._purges = PurgeJournal(private_file(tmp_path / "journal"), keep=1000, clock=server.clock)
    server.source.put("late.jpg", b"early")
    server.source.failure = error()
    server.source.gate.shut()
    with ThreadPoolExecutor(1) as pool:
        early = pool.submit(server.thumbnailer.answer, request("40x30/late.jpg"))
        server.source.gate.wait_for_one()
        server.clock.now += 1
        server.layers.purge(group_of("photos", "late.jpg"))  # an upload, while the failing read goes on
        server.clock.now += 1
        server.source.gate.open()
        assert early.result(WAIT_SECONDS).status == error.status
    server.source.failure = None
    assert server.thumbnailer.answer(request("40x30/late.jpg")).status == 200


def test_a_failure_is_remembered_from_its_end_on(open_server: Callable[..., FakeServer]) -> None:
    server = open_server()
    server.source.gate.shut()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(server.thumbnailer.answer, request("40x30/late.jpg"))
        server.source.gate.wait_for_one()
        server.clock.now += 2 * negative_cache.SECONDS
        server.source.gate.open()
        assert slow.result(WAIT_SECONDS).status == 404
    server.source.put("late.jpg", b"late")
    assert server.thumbnailer.answer(request("40x30/late.jpg")).status == 404
    server.clock.now += negative_cache.SECONDS
    assert server.thumbnailer.answer(request("40x30/late.jpg")).status == 200
