"""The journey of a request: one render for all who ask, never more storage than needed, an answer in every case."""

import asyncio
import gc
import json
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.clock import NOW, Clock
from tests.support.fake_pipeline import (
    MODIFIED,
    PATIENCE,
    Ask,
    Cupboard,
    Press,
    Shop,
    all_at_once,
    cached,
    eventually,
    header,
    request,
)
from tests.support.private_files import private_file
from thumbs.cache.adapters import DiskLayer, MemoryLayer
from thumbs.cache.entry import Entry
from thumbs.cache.filestore.store import FileStore
from thumbs.cache.layer import Layer
from thumbs.cache.layers import Layers
from thumbs.cache.purge.journal import PurgeJournal
from thumbs.cache.sieve import Sieve
from thumbs.errors import Overloaded, SourceBroken, StorageFailed, StorageTimeout, ThumbError
from thumbs.http.messages import Request, Response, http_date
from thumbs.image.geometry import OutputLimits
from thumbs.image.quality import DEFAULT_QUALITIES
from thumbs.pipeline import originals
from thumbs.pipeline.executor import BoundedExecutor
from thumbs.pipeline.originals import FetchedOriginal
from thumbs.pipeline.ports import FETCH, LOOKUP, RENDER, Storage, fetch_stage
from thumbs.pipeline.thumbnailer import Pending, Thumbnailer
from thumbs.request.resolve import StoragePolicy, group_of
from thumbs.request.signing import Signer

# ------------------------------------------------------------------------------- hits and misses


def test_a_thumbnail_is_made_once_and_then_a_hit(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop()
    first, second = ask(shop, request()), ask(shop, request())
    assert (cached(first), cached(second)) == ((200, "MISS"), (200, "HIT"))
    assert first.body == second.body == b"cat 40x30 None"
    assert (shop.source.read_paths, len(shop.press.printed)) == (["a.jpg"], 1)
    for name in ("Content-Type", "Content-Length", "ETag", "Last-Modified", "Cache-Control"):
        assert header(first, name) == header(second, name) is not None
    assert header(first, "Content-Type") == "image/jpeg"
    assert header(first, "Content-Length") == str(len(first.body))
    assert header(first, "Last-Modified") == http_date(MODIFIED).decode()


def test_an_answer_tells_where_it_came_from_and_how_long_it_took(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop()
    first, second = (header(ask(shop, request()), "Server-Timing") or "" for _ in range(2))
    assert [part.partition(";")[0] for part in first.split(", ")] == [
        *("layer", "queue", "lookup", "fetch", "render", "encode")
    ]
    assert first.startswith('layer;desc="source", queue;dur=')
    assert second == 'layer;desc="memory"'


def test_every_answer_is_observed(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop()
    made = ask(shop, request())
    ask(shop, request())
    ask(shop, request(if_none_match=header(made, "ETag") or ""))
    ask(shop, request("40x30/none.jpg"))
    spent = {"queue", LOOKUP, FETCH, RENDER, "encode"}
    assert shop.witness.counted == [
        (200, "source", spent),
        (200, "memory", set()),
        (304, "memory", set()),
        (404, "", set()),
    ]


def test_a_strong_tag_is_that_of_the_recipe_and_the_version(open_shop: Callable[..., Shop], ask: Ask) -> None:
    one, other = open_shop(), open_shop()
    tags = {header(ask(shop, request()), "ETag") for shop in (one, other)}
    assert len(tags) == 1
    assert (tag := tags.pop() or "").startswith('"')
    assert tag.endswith('"')
    other.source.lay("a.jpg", b"cat", "v2")
    other.layers.clear()
    assert header(ask(other, request()), "ETag") != tag
    assert header(ask(one, request("41x30/a.jpg")), "ETag") != tag


def test_without_a_version_the_tag_is_that_of_the_bytes(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop()
    tags = set()
    for data in (b"cat", b"dog", b"cat"):
        shop.source.lay("a.jpg", data, None, None)
        shop.layers.clear()
        tags.add(header(ask(shop, request()), "ETag"))
    assert len(tags) == 2


def test_an_answer_to_head_has_the_headers_and_no_body(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop()
    for _ in range(2):
        answer = ask(shop, request(method="HEAD"))
        assert (answer.status, answer.body, header(answer, "Content-Length")) == (200, b"", str(len(b"cat 40x30 None")))


# ------------------------------------------------------------------------------------ one flight


@pytest.mark.parametrize("asynchronous", [False, True])
def test_fifty_requests_for_one_thumbnail_are_one_render(open_shop: Callable[..., Shop], asynchronous: bool) -> None:
    shop = open_shop()
    answers = all_at_once(shop, [request()] * 50, asynchronous=asynchronous)
    assert {answer.body for answer in answers} == {b"cat 40x30 None"}
    assert {answer.status for answer in answers} == {200}
    assert (len(shop.press.printed), len(shop.source.read_paths)) == (1, 1)


def test_the_first_who_asks_may_leave_and_the_others_are_served(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    shop.press.gate.shut()

    async def visit() -> list[Response]:
        first = asyncio.create_task(shop.thumbnailer.finish(shop.thumbnailer.reply(request())))
        await asyncio.to_thread(shop.press.gate.wait_for_somebody)
        others = [asyncio.create_task(shop.thumbnailer.finish(shop.thumbnailer.reply(request()))) for _ in range(5)]
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        shop.press.gate.open()
        return await asyncio.gather(*others)

    assert {answer.body for answer in asyncio.run(visit())} == {b"cat 40x30 None"}
    assert len(shop.press.printed) == 1


def test_what_nobody_waits_for_any_more_is_kept_all_the_same(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop(seconds=0.05)
    shop.press.gate.shut()
    refused = ask(shop, request())
    assert refused.status == 504
    assert json.loads(refused.body)["code"] == "render-timeout"
    shop.press.gate.open()
    eventually(lambda: cached(ask(shop, request())) == (200, "HIT"))
    assert len(shop.press.printed) == 1


def test_hits_are_served_while_a_render_goes_on(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    shop.thumbnailer.answer(request("1x1/a.jpg"))
    shop.press.gate.wait_for_somebody()
    shop.press.gate.shut()

    async def visit() -> tuple[int, str | None]:
        slow = asyncio.create_task(shop.thumbnailer.finish(shop.thumbnailer.reply(request())))
        await asyncio.to_thread(shop.press.gate.wait_for_somebody)
        hit = await shop.thumbnailer.finish(shop.thumbnailer.reply(request("1x1/a.jpg")))
        assert not slow.done()
        shop.press.gate.open()
        assert (await slow).status == 200
        return cached(hit)

    assert asyncio.run(visit()) == (200, "HIT")


# ------------------------------------------------------------------------------------- staleness


def test_all_get_the_stale_thumbnail_while_one_asks_the_source(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop(stale=600)
    made = ask(shop, request())
    shop.clock.now += 301
    shop.source.gate.shut()
    answers = [ask(shop, request()) for _ in range(20)]
    assert {cached(answer) for answer in answers} == {(200, "STALE")}
    assert {answer.body for answer in answers} == {made.body}
    shop.source.gate.open()
    eventually(lambda: cached(ask(shop, request())) == (200, "HIT"))
    assert shop.source.asked_versions == ["a.jpg"]


def test_an_unchanged_version_is_a_new_lease_of_life_without_a_render(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop(stale=600)
    made = ask(shop, request())
    for _ in range(3):
        shop.clock.now += 301
        assert cached(ask(shop, request())) == (200, "STALE")
        eventually(lambda: cached(ask(shop, request())) == (200, "HIT"))
    assert header(ask(shop, request()), "ETag") == header(made, "ETag")
    assert (len(shop.press.printed), shop.source.read_paths) == (1, ["a.jpg"])


@pytest.mark.parametrize("token", ["v2", None])
def test_a_changed_or_unknown_version_is_rendered_anew(
    open_shop: Callable[..., Shop], ask: Ask, token: str | None
) -> None:
    shop = open_shop(stale=600)
    ask(shop, request())
    shop.source.lay("a.jpg", b"dog", token)
    shop.clock.now += 301
    assert ask(shop, request()).body == b"cat 40x30 None"
    eventually(lambda: ask(shop, request()).body == b"dog 40x30 None")
    assert cached(ask(shop, request())) == (200, "HIT")
    assert len(shop.press.printed) == 2


@pytest.mark.parametrize("failure", [StorageFailed(), StorageTimeout(), Overloaded()])
def test_a_stale_thumbnail_is_served_while_the_storage_is_down(
    open_shop: Callable[..., Shop], ask: Ask, failure: ThumbError
) -> None:
    shop = open_shop(stale=600)
    made = ask(shop, request())
    shop.source.failure = failure
    for _ in range(5):
        shop.clock.now += 179
        answer = ask(shop, request())
        assert answer.body == made.body
    assert cached(answer) == (200, "STALE")
    shop.clock.now = NOW + 901
    assert ask(shop, request()).status == failure.status
    shop.source.failure = None
    assert cached(ask(shop, request())) == (200, "MISS")


def test_what_is_gone_from_the_source_is_dropped(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop(stale=600)
    ask(shop, request())
    del shop.source.originals["a.jpg"]
    shop.clock.now += 301
    assert cached(ask(shop, request())) == (200, "STALE")
    eventually(lambda: ask(shop, request()).status == 404)


def test_without_a_time_to_be_stale_an_old_thumbnail_is_made_anew(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop()
    ask(shop, request())
    shop.clock.now += 301
    assert cached(ask(shop, request())) == (200, "MISS")


# ------------------------------------------------------------------------------------ conditions


def test_a_client_that_has_it_gets_304_from_the_cache(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop()
    made = ask(shop, request())
    tag, date = header(made, "ETag") or "", header(made, "Last-Modified") or ""
    for fields in ({"if_none_match": tag}, {"if_none_match": f"W/{tag}"}, {"if_modified_since": date}):
        answer = ask(shop, request(**fields))
        assert (cached(answer), answer.body) == ((304, "HIT"), b"")
        assert header(answer, "ETag") == tag
        assert header(answer, "Cache-Control") == header(made, "Cache-Control")
        assert header(answer, "Content-Type") is None
    assert ask(shop, request(if_none_match='"other"')).body == made.body


def test_a_client_that_has_it_gets_304_from_the_version_without_a_render(
    open_shop: Callable[..., Shop], ask: Ask
) -> None:
    made = ask(open_shop(), request())
    tag = header(made, "ETag") or ""
    shop = open_shop()
    answer = ask(shop, request(if_none_match=tag))
    assert (cached(answer), answer.body, header(answer, "ETag")) == ((304, "MISS"), b"", tag)
    assert (shop.press.printed, shop.source.read_paths, shop.source.asked_versions) == ([], [], ["a.jpg"])


def test_a_client_that_has_another_gets_the_thumbnail(open_shop: Callable[..., Shop], ask: Ask) -> None:
    for fields in ({"if_none_match": '"other"'}, {"if_modified_since": http_date(MODIFIED - 1).decode()}):
        assert cached(ask(open_shop(), request(**fields))) == (200, "MISS")


@pytest.mark.parametrize("token", [None, "v1"])
def test_no_date_is_good_where_the_storage_knows_none(
    open_shop: Callable[..., Shop], ask: Ask, token: str | None
) -> None:
    shop = open_shop()
    shop.source.lay("a.jpg", b"cat", token, None)
    assert ask(shop, request(if_modified_since=http_date(int(NOW) - 1).decode())).status == 200


def test_a_condition_on_what_is_missing_is_404(open_shop: Callable[..., Shop], ask: Ask) -> None:
    assert ask(open_shop(), request("1x1/none.jpg", if_none_match="*")).status == 404


# --------------------------------------------------------------------------------- kept originals


@pytest.mark.parametrize("asynchronous", [None, False, True])
def test_ten_sizes_of_one_photograph_read_it_once(open_shop: Callable[..., Shop], asynchronous: bool | None) -> None:
    shop = open_shop(keeps_sources=True)
    requests = [request(f"{width}x/a.jpg") for width in range(1, 11)]
    if asynchronous is None:
        answers = [shop.thumbnailer.answer(asked) for asked in requests]
    else:
        answers = all_at_once(shop, requests, asynchronous=asynchronous)
    assert [answer.body for answer in answers] == [f"cat {width}xNone None".encode() for width in range(1, 11)]
    assert (shop.source.read_paths, len(shop.press.printed)) == (["a.jpg"], 10)


def test_originals_are_not_kept_unless_they_are_to_be(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop()
    for width in range(1, 4):
        ask(shop, request(f"{width}x/a.jpg"))
    assert shop.source.read_paths == ["a.jpg"] * 3


def test_a_thumbnail_of_a_kept_original_is_fresh_no_longer_than_that(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop(keeps_sources=True)
    ask(shop, request("1x/a.jpg"))
    shop.source.lay("a.jpg", b"dog", "v2")
    shop.clock.now += 200
    assert ask(shop, request("2x/a.jpg")).body == b"cat 2xNone None"
    shop.clock.now += 101
    assert ask(shop, request("2x/a.jpg")).body == b"dog 2xNone None"


def test_a_changed_version_drops_the_kept_original(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop(keeps_sources=True, stale=600)
    ask(shop, request())
    shop.source.lay("a.jpg", b"dog", "v2")
    shop.clock.now += 301
    ask(shop, request())
    eventually(lambda: ask(shop, request()).body == b"dog 40x30 None")
    assert ask(shop, request("41x/a.jpg")).body == b"dog 41xNone None"
    assert shop.source.read_paths == ["a.jpg"] * 2


def test_a_source_that_fails_fails_all_who_wait_for_it_and_is_asked_again(
    open_shop: Callable[..., Shop], ask: Ask
) -> None:
    shop = open_shop(keeps_sources=True)
    shop.source.failure = StorageTimeout()
    answers = all_at_once(shop, [request(f"{width}x/a.jpg") for width in range(1, 11)], asynchronous=False)
    assert {answer.status for answer in answers} == {504}
    shop.source.failure = None
    assert ask(shop, request()).status == 200


# --------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        (request("40x30/none.jpg"), 404, "source-missing"),
        (request("40x30/../a.jpg"), 400, "bad-path"),
        (request("040x30/a.jpg"), 400, "bad-size"),
        (request("40x30/f:nonsense/a.jpg"), 400, "bad-filter"),
        (request("9999x/a.jpg"), 400, "size-over-limit"),
        (request("abc/40x30/a.jpg"), 403, "signature-unexpected"),
        (Request("GET", b"/other/thumbs/x/a", 17), 404, "storage-unknown"),
        (Request("GET", b"/photos/thumbs/x/\xff", 17), 400, "bad-path"),
        (request()._replace(target_length=2049), 414, "target-too-long"),
        (request("40x30/f:expires(1699999999)/a.jpg"), 410, "expired"),
        (request("40x30/f:expires(1700000000)/a.jpg"), 410, "expired"),
        (request(method="POST"), 405, "method-not-allowed"),
        (request(method="OPTIONS"), 405, "method-not-allowed"),
        (request("40x30/none.jpg", method="HEAD"), 404, None),
    ],
)
def test_a_request_that_cannot_be_answered_is_a_problem(
    open_shop: Callable[..., Shop], ask: Ask, asked: Request, status: int, code: str | None
) -> None:
    answer = ask(open_shop(), asked)
    assert answer.status == status
    assert header(answer, "Content-Type") == "application/problem+json"
    assert header(answer, "Cache-Control") == "no-store"
    assert (json.loads(answer.body)["code"] if answer.body else None) == code
    assert header(answer, "X-Cache") is None


def test_a_url_at_the_limit_of_its_length_is_answered(open_shop: Callable[..., Shop], ask: Ask) -> None:
    assert ask(open_shop(), request()._replace(target_length=2048)).status == 200


def test_a_url_expires_although_its_thumbnail_is_cached(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop()
    asked = request("40x30/f:expires(1700000010)/a.jpg")
    assert [cached(ask(shop, asked)) for _ in range(2)] == [(200, "MISS"), (200, "HIT")]
    shop.clock.now += 10
    assert ask(shop, asked).status == 410
    assert cached(ask(shop, request())) == (200, "HIT")


def test_nobody_may_keep_a_thumbnail_for_longer_than_its_url_is_good(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop()
    soon, late = ("40x30/f:expires(1700000010)/a.jpg", "40x30/f:expires(1800000000)/a.jpg")
    for _ in range(2):
        assert header(ask(shop, request(soon)), "Cache-Control") == "public, max-age=10"
        assert header(ask(shop, request(late)), "Cache-Control") == "public, max-age=86400"
        shop.clock.now += 3
        assert header(ask(shop, request(soon)), "Cache-Control") == "public, max-age=7"
        shop.clock.now -= 3
    versioned = request("40x30/f:v(1);expires(1700000010)/a.jpg")
    assert header(ask(shop, versioned), "Cache-Control") == "public, max-age=10"


class Untouchable:
    """A layer that nobody may touch."""

    name = "untouchable"

    def _touched(self, *_args: object, **_options: object) -> None:
        raise AssertionError("a cache was asked before the signature was verified")

    get = get_now = put = delete = delete_group = clear = _touched


def test_a_signature_is_verified_before_any_cache_or_source_is_touched(
    open_shop: Callable[..., Shop], ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    shop = open_shop(signer=Signer((b"secret",)), cache=[Untouchable()])
    for target in ("40x30/a.jpg", "AAAAAAAAAAAAAAAAAAAAAA/40x30/a.jpg", "x/a.jpg"):
        assert ask(shop, request(target)).status == 403
    assert (shop.source.read_paths, shop.source.asked_versions) == ([], [])
    assert caplog.records == []
    assert shop.layers.failing == ()


def test_a_hit_is_no_hit_without_its_signature(open_shop: Callable[..., Shop], ask: Ask) -> None:
    signer = Signer((b"secret",))
    shop = open_shop(signer=signer)
    signed = request(f"{signer.sign('/photos/thumbs/40x30/a.jpg')}/40x30/a.jpg")
    assert [cached(ask(shop, signed)) for _ in range(2)] == [(200, "MISS"), (200, "HIT")]
    assert ask(shop, request()).status == 403


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


def test_what_is_over_its_time_is_compared_with_the_source_before_it_is_made_again(
    open_shop: Callable[..., Shop], ask: Ask, tmp_path: Path
) -> None:
    clock = Clock()
    disk = DiskLayer(FileStore(tmp_path / "cache", max_bytes=None, clock=clock))
    shop = open_shop(cache=[disk], clock=clock)
    first = ask(shop, request())
    clock.now += 301
    second = ask(shop, request())
    assert (second.status, second.body) == (200, first.body)
    assert cached(second) == (200, "MISS")
    assert (len(shop.press.printed), shop.source.read_paths, shop.source.asked_versions) == (1, ["a.jpg"], ["a.jpg"])
    assert cached(ask(shop, request())) == (200, "HIT")
    shop.source.lay("a.jpg", b"dog", token="v2")
    clock.now += 301
    assert ask(shop, request()).body.startswith(b"dog")
    assert len(shop.press.printed) == 2


def test_many_sizes_of_an_original_cost_one_read_and_one_decode(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop(keeps_sources=True)
    shop.press.reduction = b"kitten"
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda width: ask(shop, request(f"{width}x/a.jpg")), range(10, 20)))
    assert [answer.status for answer in answers] == [200] * 10
    assert all(answer.body.startswith(b"kitten") for answer in answers)
    assert (shop.source.read_paths, shop.press.proxy) == (["a.jpg"], [b"cat"])


def test_what_a_reduced_original_is_too_small_for_is_made_of_the_original(
    open_shop: Callable[..., Shop], ask: Ask
) -> None:
    shop = open_shop(keeps_sources=True)
    shop.press.reduction = b"kitten"
    assert ask(shop, request("10x/a.jpg")).body.startswith(b"kitten")
    for target in ("501x/a.jpg", "x/a.jpg", "10x/f:trim(9)/a.jpg", "10x/f:frames(all)/a.jpg"):
        assert ask(shop, request(target)).body.startswith(b"cat")
    assert (shop.source.read_paths, shop.press.proxy) == (["a.jpg"], [b"cat"])


def test_an_original_that_is_not_worth_reducing_is_looked_at_once(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop(keeps_sources=True)
    for width in range(10, 15):
        assert ask(shop, request(f"{width}x/a.jpg")).body.startswith(b"cat")
    assert (shop.source.read_paths, shop.press.proxy) == (["a.jpg"], [b"cat"])


ASKED: list[str] = []


class Asked(MemoryLayer):
    """Writes down what it is asked for, into `ASKED`."""

    def get(self, key: str) -> Entry | None:
        ASKED.append(key)
        return self.get_now(key)


@pytest.mark.parametrize(("max_bytes", "looks"), [(100, 1), (5, 10)])
def test_sizes_that_are_asked_for_at_one_time_share_what_they_are_made_of(
    open_shop: Callable[..., Shop], monkeypatch: pytest.MonkeyPatch, max_bytes: int, looks: int
) -> None:
    monkeypatch.setattr(originals, "_RECENT_SECONDS", 60)
    monkeypatch.setattr(originals, "_RECENT_BYTES", max_bytes)
    ASKED.clear()
    shop = open_shop(keeps_sources=True, cache=[Asked(Sieve(max_bytes=10_000_000, max_items=1000))])
    shop.press.reduction = b"kitten"
    for width in range(10, 20):
        assert shop.thumbnailer.answer(request(f"{width}x/a.jpg")).body.startswith(b"kitten")
    assert sum(key.endswith("/reduced") for key in ASKED) == looks


class Forgetful(MemoryLayer):
    """Takes everything and has nothing."""

    def put(self, key: str, entry: Entry, expires: float) -> None:
        pass


@pytest.mark.parametrize(("seconds", "left"), [(60, 3), (0, 0)])
def test_what_is_at_hand_is_no_more_than_it_may_be_and_not_for_long(
    open_shop: Callable[..., Shop], monkeypatch: pytest.MonkeyPatch, seconds: int, left: int
) -> None:
    monkeypatch.setattr(originals, "_RECENT_SECONDS", seconds)
    monkeypatch.setattr(originals, "_RECENT_BYTES", 3_500_000)
    shop = open_shop(keeps_sources=True, cache=[Forgetful(Sieve(max_bytes=1000, max_items=10))])
    size = 1_000_000 + seconds  # the other case's are not to be counted
    shop.press.reduction_of = lambda number: bytes([number]) * size
    for number in range(10):
        shop.source.lay(f"{number}.jpg", b"cat")
        assert shop.thumbnailer.answer(request(f"10x/{number}.jpg")).status == 200

    def alive() -> int:
        gc.collect()
        found = [each for each in gc.get_objects() if type(each) is FetchedOriginal]
        return sum(len(each.original.data) == size for each in found)

    eventually(lambda: alive() == left)


def test_a_reduced_original_goes_with_the_original_that_it_was_made_of(
    open_shop: Callable[..., Shop], ask: Ask
) -> None:
    shop = open_shop(keeps_sources=True, stale=600)
    shop.press.reduction = b"kitten"
    ask(shop, request())
    shop.clock.now += 301
    shop.source.lay("a.jpg", b"dog", token="v2")
    shop.press.reduction = b"puppy"
    assert cached(ask(shop, request())) == (200, "STALE")
    eventually(lambda: ask(shop, request()).body.startswith(b"puppy"))
    assert ask(shop, request("80x60/a.jpg")).body.startswith(b"puppy")


DAY, TEN_YEARS = 86_400, 10 * 365 * 86_400


@pytest.mark.parametrize("layer", ["memory", "disk"])
@pytest.mark.parametrize("jump", [DAY, TEN_YEARS, -DAY, -TEN_YEARS])
def test_a_clock_that_is_moved_costs_one_render_a_key_and_keeps_nothing_for_ever(
    open_shop: Callable[..., Shop], ask: Ask, tmp_path: Path, layer: str, jump: int
) -> None:
    clock = Clock()
    if layer == "disk":
        cache: Layer = DiskLayer(FileStore(tmp_path / "cache", max_bytes=None, clock=clock))
    else:
        cache = MemoryLayer(Sieve(max_bytes=10_000_000, max_items=1000, clock=clock))
    shop = open_shop(cache=[cache], clock=clock)
    shop.source.lay("a.jpg", b"cat", token=None)  # no version: only a render can tell
    keys = [f"{width}x30/a.jpg" for width in (40, 50, 60)]
    for _ in range(3):
        assert {ask(shop, request(key)).status for key in keys} == {200}
    assert len(shop.press.printed) == 3
    clock.now += jump
    for _ in range(3):
        assert {ask(shop, request(key)).status for key in keys} == {200}
    assert len(shop.press.printed) <= 6
    clock.now -= jump  # and put right again
    for _ in range(3):
        assert {ask(shop, request(key)).status for key in keys} == {200}
    assert len(shop.press.printed) <= 9
    clock.now += 301
    shop.source.lay("a.jpg", b"dog", token=None)
    assert {ask(shop, request(key)).body[:3] for key in keys} == {b"dog"}


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
        assert first.result(PATIENCE).status == 200


def test_answers_and_problems_vary_where_the_format_is_negotiated(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop()
    webp = ask(shop, request("40x30/f:fmt(auto)/a.jpg", accept="image/webp"))
    jpeg = ask(shop, request("40x30/f:fmt(auto)/a.jpg", accept="*/*"))
    gone = ask(shop, request("40x30/f:fmt(auto)/none.jpg", accept="*/*"))
    assert [header(answer, "Content-Type") for answer in (webp, jpeg)] == ["image/webp", "image/jpeg"]
    assert [header(answer, "Vary") for answer in (webp, jpeg, gone)] == ["Accept"] * 3
    assert header(ask(shop, request()), "Vary") is None


def test_a_preflight_is_answered_where_the_storage_switches_cors_on(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop(headers=((b"Access-Control-Allow-Origin", b"*"),))
    answer = ask(shop, request(method="OPTIONS"))
    assert (answer.status, answer.body) == (204, b"")
    assert [header(ask(shop, asked), "Access-Control-Allow-Origin") for asked in (request(), request("1x/none"))] == [
        *("*", "*")
    ]


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
        assert slow.result(PATIENCE).status == 200
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
        assert free.wait(PATIENCE)
        return lambda: None

    def meanwhile() -> None:
        shop.press.gate.wait_for_somebody()
        shop.executors[LOOKUP].submit(occupy)
        assert busy.wait(PATIENCE)
        shop.press.gate.open()

    with ThreadPoolExecutor(1) as pool:
        elsewhere = pool.submit(meanwhile)
        answer = ask(shop, request())
        elsewhere.result(PATIENCE)
    free.set()
    assert (cached(answer), answer.body) == ((200, "MISS"), b"cat 40x30 None")


# ------------------------------------------------------------------------------------- what breaks


def test_an_error_that_nobody_expected_is_a_constant_500_and_logged(
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


def test_both_ways_to_ask_answer_the_same(open_shop: Callable[..., Shop]) -> None:
    asked = [
        request(),
        request(),
        request(method="HEAD"),
        request("41x/f:fmt(auto)/a.jpg", accept="image/avif,image/webp"),
        request("40x30/f:v(1)/a.jpg/as/b.jpg"),
        request(if_none_match="*"),
        request("42x/a.jpg", if_none_match="*"),
        request("40x30/none.jpg"),
        request("nonsense"),
        request(method="POST"),
        request(method="OPTIONS"),
    ]
    one, other = open_shop(), open_shop()

    def without_times(response: Response) -> Response:
        kept = tuple(pair for pair in response.headers if pair[0] != b"Server-Timing")
        return Response(response.status, kept, response.body)

    async def answered() -> list[Response]:
        return [await other.thumbnailer.finish(other.thumbnailer.reply(each)) for each in asked]

    synchronous = [one.thumbnailer.answer(each) for each in asked]
    assert list(map(without_times, synchronous)) == list(map(without_times, asyncio.run(answered())))
    assert [answer.status for answer in synchronous] == [200, 200, 200, 200, 200, 304, 304, 404, 400, 405, 405]


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
        storages[name] = Storage(policy, source, Layers(), Press(), seconds=PATIENCE)
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


def test_a_renewal_that_failed_is_not_tried_again_at_once(
    open_shop: Callable[..., Shop], ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    shop = open_shop(stale=3600)
    ask(shop, request())
    shop.clock.now += 301
    shop.source.failure = StorageFailed()
    asked_before = len(shop.source.asked_versions)
    for _ in range(50):
        assert cached(ask(shop, request())) == (200, "STALE")
    eventually(lambda: "is not renewed" in caplog.text)
    for _ in range(50):
        assert cached(ask(shop, request())) == (200, "STALE")
    assert len(shop.source.asked_versions) - asked_before <= 2
    assert caplog.text.count("is not renewed") == 1
    shop.source.failure = None
    shop.clock.now += 6
    assert cached(ask(shop, request())) == (200, "STALE")
    eventually(lambda: cached(ask(shop, request())) == (200, "HIT"))


def test_many_who_share_a_render_are_told_of_as_one(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    all_at_once(shop, [request()] * 20, asynchronous=False)
    assert sum(bool(seconds) for _, _, seconds in shop.witness.counted) == 1
