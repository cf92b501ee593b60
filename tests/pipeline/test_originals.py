"""Originals and proxies that are kept: many sizes cost one read and one decode, and a change or a purge drops both."""

import gc
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.fake_pipeline import (
    Ask,
    FakeServer,
    all_at_once,
    cached,
    header,
    request,
)
from tests.support.waiting import eventually
from thumbs.cache.adapters import MemoryLayer
from thumbs.cache.entry import Entry
from thumbs.cache.sieve import Sieve
from thumbs.pipeline import originals
from thumbs.pipeline.originals import FetchedOriginal
from thumbs.pipeline.singleflight import Flight, SingleFlight, Ticket
from thumbs.pipeline.steps import Abandoned
from thumbs.pipeline.timer import Timer

# --------------------------------------------------------------------------------- kept originals


@pytest.mark.parametrize("asynchronous", [None, False, True])
def test_ten_sizes_of_one_photograph_read_it_once(
    open_server: Callable[..., FakeServer], asynchronous: bool | None
) -> None:
    server = open_server(keeps_sources=True)
    requests = [request(f"{width}x/a.jpg") for width in range(1, 11)]
    if asynchronous is None:
        answers = [server.thumbnailer.answer(asked) for asked in requests]
    else:
        answers = all_at_once(server, requests, asynchronous=asynchronous)
    assert [answer.body for answer in answers] == [f"cat {width}xNone None".encode() for width in range(1, 11)]
    assert (server.source.read_paths, len(server.renderer.rendered)) == (["a.jpg"], 10)


def test_originals_are_not_kept_unless_they_are_to_be(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    server = open_server()
    for width in range(1, 4):
        ask(server, request(f"{width}x/a.jpg"))
    assert server.source.read_paths == ["a.jpg"] * 3


@pytest.mark.parametrize("keeps_sources", [False, True])
def test_a_thumbnail_of_a_truncated_original_is_kept_nowhere(
    open_server: Callable[..., FakeServer], ask: Ask, *, keeps_sources: bool
) -> None:
    server = open_server(keeps_sources=keeps_sources)
    server.renderer.truncated = True
    for count in (1, 2):
        answer = ask(server, request())
        assert (cached(answer), header(answer, "Cache-Control")) == ((200, "MISS"), "no-store")
        assert (header(answer, "ETag"), header(answer, "Last-Modified")) == (None, None)
        assert server.source.read_paths == ["a.jpg"] * count
    server.renderer.truncated = False
    assert header(ask(server, request()), "ETag") is not None
    assert cached(ask(server, request())) == (200, "HIT")


def test_a_thumbnail_of_a_kept_original_is_fresh_no_longer_than_that(
    open_server: Callable[..., FakeServer], ask: Ask
) -> None:
    server = open_server(keeps_sources=True)
    ask(server, request("1x/a.jpg"))
    server.source.put("a.jpg", b"dog", "v2")
    server.clock.now += 200
    assert ask(server, request("2x/a.jpg")).body == b"cat 2xNone None"
    server.clock.now += 101
    assert ask(server, request("2x/a.jpg")).body == b"dog 2xNone None"


def test_a_changed_version_drops_the_kept_original(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    server = open_server(keeps_sources=True, stale=600)
    ask(server, request())
    server.source.put("a.jpg", b"dog", "v2")
    server.clock.now += 301
    ask(server, request())
    eventually(lambda: ask(server, request()).body == b"dog 40x30 None")
    assert ask(server, request("41x/a.jpg")).body == b"dog 41xNone None"
    assert server.source.read_paths == ["a.jpg"] * 2


@pytest.mark.parametrize("reduction", [b"", b"kitten"])
def test_a_url_with_another_version_is_never_made_of_the_original_before(
    open_server: Callable[..., FakeServer], ask: Ask, reduction: bytes
) -> None:
    """Its answer is immutable: browsers would keep the old picture for a year."""
    server = open_server(keeps_sources=True)
    server.renderer.reduction = reduction
    for target in ("10x/a.jpg", "10x/f:v(1)/a.jpg"):
        assert ask(server, request(target)).body.startswith(reduction or b"cat")
    server.source.put("a.jpg", b"dog", "v2")
    server.renderer.reduction = reduction and b"puppy"
    for target in ("10x/f:v(2)/a.jpg", "20x/f:v(2)/a.jpg"):
        assert ask(server, request(target)).body.startswith(b"puppy" if reduction else b"dog")
    assert server.source.read_paths == ["a.jpg"] * 3  # once for each version, and for the URL without one


# --------------------------------------------------------------------------------------- refusals


def test_many_sizes_of_an_original_cost_one_read_and_one_decode(
    open_server: Callable[..., FakeServer], ask: Ask
) -> None:
    server = open_server(keeps_sources=True)
    server.renderer.reduction = b"kitten"
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda width: ask(server, request(f"{width}x/a.jpg")), range(10, 20)))
    assert [answer.status for answer in answers] == [200] * 10
    assert all(answer.body.startswith(b"kitten") for answer in answers)
    assert (server.source.read_paths, server.renderer.proxy) == (["a.jpg"], [b"cat"])


def test_what_a_proxy_is_too_small_for_is_made_of_the_original(
    open_server: Callable[..., FakeServer], ask: Ask
) -> None:
    server = open_server(keeps_sources=True)
    server.renderer.reduction = b"kitten"
    assert ask(server, request("10x/a.jpg")).body.startswith(b"kitten")
    for target in ("501x/a.jpg", "x/a.jpg", "10x/f:trim(9)/a.jpg", "10x/f:frames(all)/a.jpg"):
        assert ask(server, request(target)).body.startswith(b"cat")
    assert (server.source.read_paths, server.renderer.proxy) == (["a.jpg"], [b"cat"])


def test_an_original_that_is_not_worth_reducing_is_looked_at_once(
    open_server: Callable[..., FakeServer], ask: Ask
) -> None:
    server = open_server(keeps_sources=True)
    for width in range(10, 15):
        assert ask(server, request(f"{width}x/a.jpg")).body.startswith(b"cat")
    assert (server.source.read_paths, server.renderer.proxy) == (["a.jpg"], [b"cat"])


LOOKUPS: list[str] = []


class RecordingLayer(MemoryLayer):
    """Records each key that is looked up in `LOOKUPS`."""

    def get(self, key: str) -> Entry | None:
        LOOKUPS.append(key)
        return self.get_now(key)


@pytest.mark.parametrize(("max_bytes", "lookups"), [(100, 1), (5, 10)])
def test_a_recent_proxy_is_looked_up_once_if_there_is_room_for_it(
    open_server: Callable[..., FakeServer], monkeypatch: pytest.MonkeyPatch, max_bytes: int, lookups: int
) -> None:
    monkeypatch.setattr(originals, "_RECENT_SECONDS", 60)
    monkeypatch.setattr(originals, "_RECENT_BYTES", max_bytes)
    LOOKUPS.clear()
    server = open_server(keeps_sources=True, cache=[RecordingLayer(Sieve(max_bytes=10_000_000, max_items=1000))])
    server.renderer.reduction = b"kitten"
    for width in range(10, 20):
        assert server.thumbnailer.answer(request(f"{width}x/a.jpg")).body.startswith(b"kitten")
    assert sum("/reduced" in key for key in LOOKUPS) == lookups


class Forgetful(MemoryLayer):
    """Accepts every entry and keeps none."""

    def put(self, key: str, entry: Entry, expires: float) -> None:
        pass


@pytest.mark.parametrize(("seconds", "left"), [(60, 3), (0, 0)])
def test_recent_proxies_are_kept_up_to_a_size_and_for_a_time(
    open_server: Callable[..., FakeServer], monkeypatch: pytest.MonkeyPatch, seconds: int, left: int
) -> None:
    monkeypatch.setattr(originals, "_RECENT_SECONDS", seconds)
    monkeypatch.setattr(originals, "_RECENT_BYTES", 3_500_000)
    server = open_server(keeps_sources=True, cache=[Forgetful(Sieve(max_bytes=1000, max_items=10))])
    size = 1_000_000 + seconds  # the other case's are not to be counted
    server.renderer.reduction_of = lambda number: bytes([number]) * size
    for number in range(10):
        server.source.put(f"{number}.jpg", b"cat")
        assert server.thumbnailer.answer(request(f"10x/{number}.jpg")).status == 200

    def alive() -> int:
        gc.collect()
        found = [each for each in gc.get_objects() if type(each) is FetchedOriginal]
        return sum(len(each.original.data) == size for each in found)

    eventually(lambda: alive() == left)


def test_a_proxy_is_not_recent_where_no_thread_can_be_started_that_would_drop_it(
    open_server: Callable[..., FakeServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Timer, seconds: float) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Timer, "after", refuse)
    server = open_server(keeps_sources=True, cache=[Forgetful(Sieve(max_bytes=1000, max_items=10))])
    for number in range(2):
        server.renderer.reduction = b"%d" % number
        assert server.thumbnailer.answer(request("10x/a.jpg")).body.startswith(b"%d" % number)


def test_a_proxy_goes_with_the_original_that_it_was_made_of(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    server = open_server(keeps_sources=True, stale=600)
    server.renderer.reduction = b"kitten"
    ask(server, request())
    server.clock.now += 301
    server.source.put("a.jpg", b"dog", token="v2")
    server.renderer.reduction = b"puppy"
    assert cached(ask(server, request())) == (200, "STALE")
    eventually(lambda: ask(server, request()).body.startswith(b"puppy"))
    assert ask(server, request("80x60/a.jpg")).body.startswith(b"puppy")


def test_a_read_that_was_abandoned_before_a_request_joined_it_is_made_again(
    open_server: Callable[..., FakeServer], ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = open_server(keeps_sources=True)
    join, abandoned = SingleFlight.join, [Abandoned()]

    def join_late(flights: SingleFlight[Any], key: Hashable, start: Callable[[Flight[Any]], None]) -> Ticket[Any]:
        ticket = join(flights, key, start)
        if isinstance(key, tuple) and isinstance(key[0], str) and abandoned:  # of an original, not of an answer
            ticket.future = Future()
            ticket.future.set_exception(abandoned.pop())
        return ticket

    monkeypatch.setattr(SingleFlight, "join", join_late)
    assert ask(server, request("1x/a.jpg")).body == b"cat 1xNone None"
    assert not abandoned
