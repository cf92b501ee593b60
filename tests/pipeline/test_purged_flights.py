"""A purge while a thumbnail is being made: what was read before it goes to no request after it, and is not kept."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.fake_pipeline import FakeServer, Gate, request
from tests.support.private_files import private_file
from tests.support.waiting import WAIT_SECONDS
from thumbs.cache.purge.journal import PurgeJournal
from thumbs.http.messages import Response
from thumbs.request.resolve import group_of


def cache_control_of(answer: Response) -> bytes:
    return dict(answer.headers)[b"Cache-Control"]


@pytest.mark.parametrize("stage", ["read", "render"])
@pytest.mark.parametrize("keeps_sources", [False, True])
@pytest.mark.parametrize("after", ["1x/a.jpg", "2x/a.jpg"])
def test_a_request_after_a_purge_gets_the_new_picture_and_no_client_may_keep_the_old_one(
    open_server: Callable[..., FakeServer], tmp_path: Path, *, stage: str, keeps_sources: bool, after: str
) -> None:
    server = open_server(keeps_sources=keeps_sources)
    server.layers._purges = PurgeJournal(private_file(tmp_path / "journal"), keep=1000, clock=server.clock)
    gate: Gate = (server.source if stage == "read" else server.renderer).gate
    gate.shut()
    with ThreadPoolExecutor(2) as pool:
        before = pool.submit(server.thumbnailer.answer, request("1x/a.jpg"))
        gate.wait_for_one()
        server.source.put("a.jpg", b"dog", "v2")
        server.clock.now += 1
        server.layers.purge(group_of("photos", "a.jpg"))
        server.clock.now += 1
        later = pool.submit(server.thumbnailer.answer, request(after))
        gate.wait_for_one()
        gate.open()
        first, second = before.result(WAIT_SECONDS), later.result(WAIT_SECONDS)
    assert (second.status, second.body[:3]) == (200, b"dog")
    assert cache_control_of(second) == b"public, max-age=86400"
    assert (first.status, first.body[:3]) == (200, b"cat" if stage == "render" else b"dog")
    if stage == "render":  # else the old original was not used after all
        assert cache_control_of(first) == b"no-store"
        assert b"ETag" not in dict(first.headers)
    assert server.thumbnailer.answer(request("1x/a.jpg")).body[:3] == b"dog"
