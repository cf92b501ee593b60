"""Stale entries: served during their renewal, replaced when the original changed, dropped when it is gone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.clock import NOW, Clock
from tests.support.fake_pipeline import (
    Ask,
    FakeServer,
    cached,
    header,
    request,
)
from thumbs.cache.adapters import DiskLayer, MemoryLayer
from thumbs.cache.filestore.store import FileStore
from thumbs.cache.layer import Layer
from thumbs.cache.sieve import Sieve
from thumbs.errors import Overloaded, StorageFailed, StorageTimeout, ThumbError

# ------------------------------------------------------------------------------------- staleness


def test_all_get_the_stale_thumbnail_while_one_checks_the_source(
    open_server: Callable[..., FakeServer], ask: Ask
) -> None:
    server = open_server(stale=600)
    made = ask(server, request())
    server.clock.now += 301
    server.source.gate.shut()
    answers = [ask(server, request()) for _ in range(20)]
    assert {cached(answer) for answer in answers} == {(200, "STALE")}
    assert {answer.body for answer in answers} == {made.body}
    server.source.gate.open()
    server.settle()
    assert cached(ask(server, request())) == (200, "HIT")
    assert server.source.asked_versions == ["a.jpg"]


def test_an_unchanged_version_gives_a_new_lifetime_without_a_render(
    open_server: Callable[..., FakeServer], ask: Ask
) -> None:
    server = open_server(stale=600)
    made = ask(server, request())
    for _ in range(3):
        server.clock.now += 301
        assert cached(ask(server, request())) == (200, "STALE")
        server.settle()
        assert cached(ask(server, request())) == (200, "HIT")
    assert header(ask(server, request()), "ETag") == header(made, "ETag")
    assert (len(server.renderer.rendered), server.source.read_paths) == (1, ["a.jpg"])


def test_an_entry_that_was_made_before_the_ttl_was_raised_gets_all_of_it_at_its_renewal(
    open_server: Callable[..., FakeServer], ask: Ask
) -> None:
    server = open_server(stale=600)
    ask(server, request())
    server.layers.ttl = 86_400
    server.clock.now += 301
    assert cached(ask(server, request())) == (200, "STALE")
    server.settle()
    server.clock.now += 86_000
    assert cached(ask(server, request())) == (200, "HIT")


@pytest.mark.parametrize("token", ["v2", None])
def test_a_changed_or_unknown_version_is_rendered_again(
    open_server: Callable[..., FakeServer], ask: Ask, token: str | None
) -> None:
    server = open_server(stale=600)
    ask(server, request())
    server.source.put("a.jpg", b"dog", token)
    server.clock.now += 301
    assert ask(server, request()).body == b"cat 40x30 None"
    server.settle()
    assert ask(server, request()).body == b"dog 40x30 None"
    assert cached(ask(server, request())) == (200, "HIT")
    assert len(server.renderer.rendered) == 2


@pytest.mark.parametrize("failure", [StorageFailed(), StorageTimeout(), Overloaded()])
def test_a_stale_thumbnail_is_served_while_the_storage_is_down(
    open_server: Callable[..., FakeServer], ask: Ask, failure: ThumbError
) -> None:
    server = open_server(stale=600)
    made = ask(server, request())
    server.source.failure = failure
    for _ in range(5):
        server.clock.now += 179
        answer = ask(server, request())
        assert answer.body == made.body
        server.settle()
    assert cached(answer) == (200, "STALE")
    server.clock.now = NOW + 901
    assert ask(server, request()).status == failure.status
    server.source.failure = None
    assert cached(ask(server, request())) == (200, "MISS")


def test_what_is_gone_from_the_source_is_dropped(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    server = open_server(stale=600)
    ask(server, request())
    del server.source.originals["a.jpg"]
    server.clock.now += 301
    assert cached(ask(server, request())) == (200, "STALE")
    server.settle()
    assert ask(server, request()).status == 404


def test_what_is_gone_from_the_source_is_dropped_in_every_size(
    open_server: Callable[..., FakeServer], ask: Ask
) -> None:
    server = open_server(stale=600)
    one, other = request(), request("20x10/a.jpg")
    ask(server, one)
    ask(server, other)
    del server.source.originals["a.jpg"]
    server.clock.now += 301
    assert cached(ask(server, one)) == (200, "STALE")
    server.settle()
    assert [ask(server, each).status for each in (one, other)] == [404, 404]


def test_without_a_stale_time_an_old_thumbnail_is_made_again(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    server = open_server()
    ask(server, request())
    server.clock.now += 301
    assert cached(ask(server, request())) == (200, "MISS")


# --------------------------------------------------------------------------------------- refusals


def test_what_is_over_its_time_is_compared_with_the_source_before_it_is_made_again(
    open_server: Callable[..., FakeServer], ask: Ask, tmp_path: Path
) -> None:
    clock = Clock()
    disk = DiskLayer(FileStore(tmp_path / "cache", max_bytes=None, clock=clock))
    server = open_server(cache=[disk], clock=clock)
    first = ask(server, request())
    clock.now += 301
    second = ask(server, request())
    assert (second.status, second.body) == (200, first.body)
    assert cached(second) == (200, "MISS")
    assert (len(server.renderer.rendered), server.source.read_paths, server.source.asked_versions) == (
        1,
        ["a.jpg"],
        ["a.jpg"],
    )
    assert cached(ask(server, request())) == (200, "HIT")
    server.source.put("a.jpg", b"dog", token="v2")
    clock.now += 301
    assert ask(server, request()).body.startswith(b"dog")
    assert len(server.renderer.rendered) == 2


DAY, TEN_YEARS = 86_400, 10 * 365 * 86_400


@pytest.mark.parametrize("layer", ["memory", "disk"])
@pytest.mark.parametrize("jump", [DAY, TEN_YEARS, -DAY, -TEN_YEARS])
def test_a_clock_that_is_moved_costs_one_render_a_key_and_keeps_nothing_for_ever(
    open_server: Callable[..., FakeServer], ask: Ask, tmp_path: Path, layer: str, jump: int
) -> None:
    clock = Clock()
    if layer == "disk":
        cache: Layer = DiskLayer(FileStore(tmp_path / "cache", max_bytes=None, clock=clock))
    else:
        cache = MemoryLayer(Sieve(max_bytes=10_000_000, max_items=1000, clock=clock))
    server = open_server(cache=[cache], clock=clock)
    server.source.put("a.jpg", b"cat", token=None)  # no version: only a render shows whether it has changed
    keys = [f"{width}x30/a.jpg" for width in (40, 50, 60)]
    for _ in range(3):
        assert {ask(server, request(key)).status for key in keys} == {200}
    assert len(server.renderer.rendered) == 3
    clock.now += jump
    for _ in range(3):
        assert {ask(server, request(key)).status for key in keys} == {200}
    assert len(server.renderer.rendered) <= 6
    clock.now -= jump  # and put right again
    for _ in range(3):
        assert {ask(server, request(key)).status for key in keys} == {200}
    assert len(server.renderer.rendered) <= 9
    clock.now += 301
    server.source.put("a.jpg", b"dog", token=None)
    assert {ask(server, request(key)).body[:3] for key in keys} == {b"dog"}


# ------------------------------------------------------------------------ one storage and another


def test_a_renewal_that_failed_is_not_tried_again_at_once(
    open_server: Callable[..., FakeServer], ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    server = open_server(stale=3600)
    ask(server, request())
    server.clock.now += 301
    server.source.failure = StorageFailed()
    asked_before = len(server.source.asked_versions)
    for _ in range(50):
        assert cached(ask(server, request())) == (200, "STALE")
    server.settle()
    for _ in range(50):
        assert cached(ask(server, request())) == (200, "STALE")
    assert len(server.source.asked_versions) - asked_before <= 2
    assert caplog.text.count("is not renewed") == 1
    server.source.failure = None
    server.clock.now += 6
    assert cached(ask(server, request())) == (200, "STALE")
    server.settle()
    assert cached(ask(server, request())) == (200, "HIT")
