"""A layer that fails is left out for a time, logged once, and costs no request its answer."""

import errno
import logging
import math
from pathlib import Path
from typing import NoReturn

import pytest
from django.core.cache import caches

from tests.support.cache_layers import KEY, bodies, disk, entry, memory
from tests.support.clock import NOW, Clock
from thumbs.cache import circuit_breaker
from thumbs.cache.adapters import AliasLayer, MemoryLayer
from thumbs.cache.circuit_breaker import ProtectedLayer
from thumbs.cache.layer import QuickLayer
from thumbs.cache.layers import Layers


class Broken:
    """A layer that can do nothing."""

    def __init__(self) -> None:
        self.asked = 0

    @property
    def name(self) -> str:
        return "broken"

    def _fail(self, *_args: object, **_options: object) -> NoReturn:
        self.asked += 1
        raise OSError("no space left on device")

    get_now = get = put = delete = delete_group = clear = _fail


class Full(MemoryLayer):
    def put(self, *_args: object, **_options: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "no space left on device")


def everything(layers: Layers) -> None:
    layers.get_now(KEY)
    layers.put(KEY, entry())
    layers.get(KEY)
    layers.delete(KEY)
    layers.purge("group")
    layers.clear()


def test_a_layer_that_fails_is_left_out_and_logged_once(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    broken, good = Broken(), memory(clock)
    layers = Layers([broken, good], clock=clock)
    with caplog.at_level(logging.WARNING, "thumbs.cache"):
        everything(layers)
        layers.put(KEY, entry())
        found = layers.get(KEY)
    assert bodies(found) == b"picture"
    # Read once, and written once; but a purge and a clearing are tried in any case.
    assert broken.asked == 2 + 2
    assert layers.failing == ("broken",)
    assert [record.getMessage() for record in caplog.records] == [
        f"cache layer broken cannot be {done} and is skipped for a few seconds: OSError('no space left on device')"
        for done in ("read", "written")
    ]


def test_a_layer_that_takes_nothing_any_more_still_gives_what_it_has(clock: Clock) -> None:
    full = Full(memory(clock).sieve)
    full.sieve.set(KEY, entry(), size=100, expires=NOW + 300)
    layers = Layers([full], clock=clock)
    layers.put("group/other", entry())
    assert layers.failing == ("memory",)
    assert bodies(layers.get(KEY)) == bodies(layers.get_now(KEY)) == b"picture"
    assert layers.purge("group") == 1
    assert layers.get(KEY) is None


class Unreadable(MemoryLayer):
    def get_now(self, *_args: object, **_options: object) -> NoReturn:
        raise OSError(errno.EIO, "input/output error")

    get = get_now


def test_a_layer_that_could_not_be_read_may_well_be_purged(clock: Clock) -> None:
    layers = Layers([Unreadable(memory(clock).sieve)], clock=clock)
    layers.put(KEY, entry())
    assert layers.get(KEY) is None
    assert (layers.purge("group"), layers.failing) == (1, ())


def test_a_layer_that_fails_again_is_not_logged_again(
    clock: Clock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuit_breaker, "OPEN_SECONDS", 0)
    broken = Broken()
    layers = Layers([broken], clock=clock)
    with caplog.at_level(logging.WARNING, "thumbs.cache"):
        everything(layers)
    assert broken.asked == 6
    assert len(caplog.records) == 2


def test_a_layer_that_works_again_is_used_again(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuit_breaker, "OPEN_SECONDS", 0)
    monkeypatch.setattr(circuit_breaker, "CALM_SECONDS", 0)
    (tmp_path / "cache").write_bytes(b"a file where the directory should be")
    layers = Layers([disk(tmp_path / "cache", clock)], clock=clock)
    with caplog.at_level(logging.WARNING, "thumbs.cache"):
        layers.put(KEY, entry())
        assert layers.get(KEY) is None
        (tmp_path / "cache").unlink()
        layers.put(KEY, entry())
        assert bodies(layers.get(KEY)) == b"picture"
    assert layers.failing == ()
    assert [record.getMessage().partition(" and is skipped")[0] for record in caplog.records] == [
        "cache layer disk cannot be written",
        "cache layer disk cannot be read",
        "cache layer disk can be written again",
        "cache layer disk can be read again",
    ]


def test_a_feed_that_cannot_be_read_leaves_what_the_layer_has(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """As where an object store refuses to list."""
    layer = ProtectedLayer(memory(clock))
    layer.inner.put(KEY, entry(), math.inf)
    reports: list[bool] = []
    layer.on_change(reports.append)
    assert layer.read_feed(_denied) is None
    assert layer.read(layer.inner.get, KEY) is not None
    assert not layer.works
    assert not layer.failing
    assert layer.read_feed(lambda: 7) is None  # it is skipped for five seconds
    assert reports == [True, False]
    (line,) = caplog.messages
    assert line.startswith("the feed of purges of cache layer memory cannot be read and is skipped for a few seconds")


def test_the_log_names_the_storage_whose_layer_fails(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    layers = Layers([Unreadable(memory(clock).sieve)], clock=clock, storage="photos")
    assert layers.get(KEY) is None
    (line,) = caplog.messages
    assert line.startswith("storage photos: cache layer memory cannot be read")


def _denied() -> int:
    raise PermissionError("ListBucket")


class Cold(MemoryLayer):
    """A layer that has its entries, but not without waiting for them."""

    def get_now(self, *_args: object, **_options: object) -> NoReturn:
        raise BlockingIOError


def test_a_layer_that_would_have_to_block_has_not_failed(clock: Clock) -> None:
    layers = Layers([Cold(memory(clock).sieve)], clock=clock)
    layers.put(KEY, entry())
    assert layers.get_now(KEY) is None
    assert layers.failing == ()
    assert bodies(layers.get(KEY)) == b"picture"


def test_the_quick_layers_are_those_that_never_block(tmp_path: Path, clock: Clock) -> None:
    assert isinstance(memory(clock), QuickLayer)
    assert isinstance(disk(tmp_path, clock), QuickLayer)
    assert not isinstance(AliasLayer(lambda: caches["default"], "photos", 300), QuickLayer)
