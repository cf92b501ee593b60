"""Failures: which are remembered for a few seconds, which are tried again at once, and what a client sees of them."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.fake_pipeline import (
    Ask,
    Shop,
    all_at_once,
    cached,
    request,
)
from tests.support.private_files import private_file
from tests.support.untouchable import Untouchable
from thumbs.cache.purge.journal import PurgeJournal
from thumbs.errors import SourceBroken, StorageFailed, StorageTimeout, ThumbError
from thumbs.request.resolve import group_of

# --------------------------------------------------------------------------------- kept originals


def test_a_source_that_fails_fails_all_requests_that_wait_for_it_and_is_asked_again(
    open_shop: Callable[..., Shop], ask: Ask
) -> None:
    shop = open_shop(keeps_sources=True)
    shop.source.failure = StorageTimeout()
    answers = all_at_once(shop, [request(f"{width}x/a.jpg") for width in range(1, 11)], asynchronous=False)
    assert {answer.status for answer in answers} == {504}
    shop.source.failure = None
    assert ask(shop, request()).status == 200


# --------------------------------------------------------------------------------------- refusals


def test_errors_are_not_kept_without_a_cache(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop(cache=[])
    assert ask(shop, request("40x30/late.jpg")).status == 404
    shop.source.lay("late.jpg", b"late")
    assert ask(shop, request("40x30/late.jpg")).status == 200


def test_a_missing_original_is_asked_for_once_in_a_few_seconds(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop()
    for target in ("40x30/late.jpg", "40x30/late.jpg", "80x60/late.jpg"):
        assert ask(shop, request(target)).status == 404
    assert shop.source.read_paths == ["late.jpg"]
    shop.source.lay("late.jpg", b"late")
    shop.clock.now += 5
    assert ask(shop, request("40x30/late.jpg")).status == 200


def test_a_broken_original_is_rendered_once_in_a_few_seconds(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop()
    shop.press.failure = SourceBroken()
    answers = [ask(shop, request()) for _ in range(3)]
    assert [answer.status for answer in answers] == [422] * 3
    assert len({answer.body for answer in answers}) == 1
    assert len(shop.press.printed) == 1
    assert ask(shop, request("80x60/a.jpg")).status == 422  # another thumbnail may be possible, or may not
    assert len(shop.press.printed) == 2


def test_a_purge_ends_what_is_remembered_of_a_failure(open_shop: Callable[..., Shop], ask: Ask, tmp_path: Path) -> None:
    shop = open_shop()
    shop.layers._purges = PurgeJournal(private_file(tmp_path / "journal"), keep=1000, clock=shop.clock)
    assert ask(shop, request("40x30/late.jpg")).status == 404
    shop.source.lay("late.jpg", b"late")
    assert ask(shop, request("40x30/late.jpg")).status == 404
    shop.clock.now += 1
    shop.layers.purge(group_of("photos", "late.jpg"))
    assert ask(shop, request("40x30/late.jpg")).status == 200


def test_a_failure_of_the_storage_is_tried_again_at_once(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop()
    shop.source.failure = StorageFailed()
    assert ask(shop, request()).status == 502
    assert shop.witness.negative_cache == [("photos", "storage-failed")]
    shop.source.failure = None
    assert ask(shop, request()).status == 200


# ------------------------------------------------------------------------------------- what breaks


def test_an_unexpected_error_is_a_constant_500_and_logged(
    open_shop: Callable[..., Shop], ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    shop = open_shop()
    shop.press.failure = ZeroDivisionError("/srv/secret/place")
    with caplog.at_level(logging.ERROR, "thumbs"):
        answer = ask(shop, request())
    assert answer.status == 500
    assert json.loads(answer.body)["detail"] == ThumbError.sentence
    assert b"secret" not in answer.body
    assert "/srv/secret/place" in caplog.text
    shop.press.failure = None
    assert cached(ask(shop, request())) == (200, "MISS")


def test_a_cache_that_fails_fails_no_request(
    open_shop: Callable[..., Shop], ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    shop = open_shop(cache=[Untouchable()], keeps_sources=True)
    with caplog.at_level(logging.WARNING, "thumbs.cache"):
        answers = [ask(shop, request()) for _ in range(3)]
    assert {cached(answer) for answer in answers} == {(200, "MISS")}
    assert len(caplog.records) == 2  # of reading and of writing
