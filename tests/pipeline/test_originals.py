"""Originals and proxies that are kept: many sizes cost one read and one decode, and a change or a purge drops both."""

import gc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.fake_pipeline import (
    Ask,
    Shop,
    all_at_once,
    cached,
    request,
)
from tests.support.waiting import eventually
from thumbs.cache.adapters import MemoryLayer
from thumbs.cache.entry import Entry
from thumbs.cache.sieve import Sieve
from thumbs.pipeline import originals
from thumbs.pipeline.originals import FetchedOriginal

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


# --------------------------------------------------------------------------------------- refusals


def test_many_sizes_of_an_original_cost_one_read_and_one_decode(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop(keeps_sources=True)
    shop.press.reduction = b"kitten"
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda width: ask(shop, request(f"{width}x/a.jpg")), range(10, 20)))
    assert [answer.status for answer in answers] == [200] * 10
    assert all(answer.body.startswith(b"kitten") for answer in answers)
    assert (shop.source.read_paths, shop.press.proxy) == (["a.jpg"], [b"cat"])


def test_what_a_proxy_is_too_small_for_is_made_of_the_original(open_shop: Callable[..., Shop], ask: Ask) -> None:
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


def test_a_proxy_goes_with_the_original_that_it_was_made_of(open_shop: Callable[..., Shop], ask: Ask) -> None:
    shop = open_shop(keeps_sources=True, stale=600)
    shop.press.reduction = b"kitten"
    ask(shop, request())
    shop.clock.now += 301
    shop.source.lay("a.jpg", b"dog", token="v2")
    shop.press.reduction = b"puppy"
    assert cached(ask(shop, request())) == (200, "STALE")
    eventually(lambda: ask(shop, request()).body.startswith(b"puppy"))
    assert ask(shop, request("80x60/a.jpg")).body.startswith(b"puppy")
