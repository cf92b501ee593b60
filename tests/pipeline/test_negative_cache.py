"""Failures: which are remembered for a few seconds, which are tried again at once, and what a client sees of them."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.clock import Clock
from tests.support.fake_pipeline import (
    Ask,
    FakeServer,
    all_at_once,
    cached,
    request,
)
from tests.support.private_files import private_file
from tests.support.untouchable import Untouchable
from thumbs.cache.purge.journal import PurgeJournal
from thumbs.errors import (
    RendererUnavailable,
    RenderFailed,
    RenderTimeout,
    SourceBroken,
    StorageFailed,
    StorageTimeout,
    ThumbError,
)
from thumbs.pipeline.negative_cache import NegativeCache
from thumbs.request.resolve import group_of


@pytest.mark.parametrize(("moved", "known"), [(0.0, True), (4.9, True), (5.0, False), (-0.5, False), (-3600.0, False)])
def test_a_failure_is_known_for_five_seconds_and_not_before_it_happened(moved: float, known: bool) -> None:
    """A clock may be set back."""
    clock = Clock()
    cache = NegativeCache(clock)
    cache.remember("key", SourceBroken())
    clock.now += moved
    assert (cache.find("key") is not None) is known


# --------------------------------------------------------------------------------- kept originals


def test_a_source_that_fails_fails_all_requests_that_wait_for_it_and_is_read_again(
    open_server: Callable[..., FakeServer], ask: Ask
) -> None:
    server = open_server(keeps_sources=True)
    server.source.failure = StorageTimeout()
    answers = all_at_once(server, [request(f"{width}x/a.jpg") for width in range(1, 11)], asynchronous=False)
    assert {answer.status for answer in answers} == {504}
    server.source.failure = None
    assert ask(server, request()).status == 200


# --------------------------------------------------------------------------------------- refusals


def test_errors_are_not_kept_without_a_cache(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    server = open_server(cache=[])
    assert ask(server, request("40x30/late.jpg")).status == 404
    server.source.put("late.jpg", b"late")
    assert ask(server, request("40x30/late.jpg")).status == 200


def test_a_missing_original_is_read_once_in_a_few_seconds(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    server = open_server()
    for target in ("40x30/late.jpg", "40x30/late.jpg", "80x60/late.jpg"):
        assert ask(server, request(target)).status == 404
    assert server.source.read_paths == ["late.jpg"]
    server.source.put("late.jpg", b"late")
    server.clock.now += 5
    assert ask(server, request("40x30/late.jpg")).status == 200


def test_a_broken_original_is_rendered_once_in_a_few_seconds(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    server = open_server()
    server.renderer.failure = SourceBroken()
    answers = [ask(server, request()) for _ in range(3)]
    assert [answer.status for answer in answers] == [422] * 3
    assert len({answer.body for answer in answers}) == 1
    assert len(server.renderer.rendered) == 1
    assert ask(server, request("80x60/a.jpg")).status == 422  # another thumbnail may be possible, or may not
    assert len(server.renderer.rendered) == 2


def test_an_original_whose_render_timed_out_is_rendered_once_in_a_few_seconds(
    open_server: Callable[..., FakeServer], ask: Ask
) -> None:
    server = open_server()
    server.renderer.failure = RenderTimeout()
    for target in ("40x30/a.jpg", "40x30/a.jpg", "80x60/a.jpg", "80x60/filters:blur(2)/a.jpg"):
        assert ask(server, request(target)).status == 504
    assert len(server.renderer.rendered) == 1, "each of its sizes could take a place for as long"
    server.renderer.failure = None
    server.source.put("b.jpg", b"another")
    assert ask(server, request("40x30/b.jpg")).status == 200
    server.clock.now += 5
    assert ask(server, request("80x60/a.jpg")).status == 200


@pytest.mark.parametrize("error", [RendererUnavailable, RenderFailed])
def test_what_is_not_the_fault_of_the_original_is_tried_again_at_once(
    open_server: Callable[..., FakeServer], ask: Ask, error: type[ThumbError]
) -> None:
    server = open_server()
    server.renderer.failure = error()
    assert ask(server, request()).status == error.status
    server.renderer.failure = None
    assert ask(server, request()).status == 200


def test_a_purge_ends_what_is_remembered_of_a_failure(
    open_server: Callable[..., FakeServer], ask: Ask, tmp_path: Path
) -> None:
    server = open_server()
    server.layers._purges = PurgeJournal(private_file(tmp_path / "journal"), keep=1000, clock=server.clock)
    assert ask(server, request("40x30/late.jpg")).status == 404
    server.source.put("late.jpg", b"late")
    assert ask(server, request("40x30/late.jpg")).status == 404
    server.clock.now += 1
    server.layers.purge(group_of("photos", "late.jpg"))
    assert ask(server, request("40x30/late.jpg")).status == 200


def test_a_failure_of_the_storage_is_tried_again_at_once(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    server = open_server()
    server.source.failure = StorageFailed()
    assert ask(server, request()).status == 502
    assert server.observer.failures == [("photos", "storage-failed")]
    server.source.failure = None
    assert ask(server, request()).status == 200


# ------------------------------------------------------------------------------------- what breaks


def test_an_unexpected_error_is_a_constant_500_and_logged(
    open_server: Callable[..., FakeServer], ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    server = open_server()
    server.renderer.failure = ZeroDivisionError("/srv/secret/place")
    with caplog.at_level(logging.ERROR, "thumbs"):
        answer = ask(server, request())
    assert answer.status == 500
    assert json.loads(answer.body)["detail"] == ThumbError.sentence
    assert b"secret" not in answer.body
    assert "/srv/secret/place" in caplog.text
    server.renderer.failure = None
    assert cached(ask(server, request())) == (200, "MISS")


def test_a_cache_that_fails_fails_no_request(
    open_server: Callable[..., FakeServer], ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    server = open_server(cache=[Untouchable()], keeps_sources=True)
    with caplog.at_level(logging.WARNING, "thumbs.cache"):
        answers = [ask(server, request()) for _ in range(3)]
    assert {cached(answer) for answer in answers} == {(200, "MISS")}
    assert len(caplog.records) == 2  # of reading and of writing
