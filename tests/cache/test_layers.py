"""The layers of a cache, from memory down: put into all, found in the first, copied upwards with the time left."""

import contextlib
from pathlib import Path

import pytest
from django.core.cache import caches
from hypothesis import given
from hypothesis import strategies as st

from tests.support import strategies
from tests.support.cache_layers import KEY, bodies, disk, entry, memory
from tests.support.clock import NOW, Clock
from thumbs.cache.adapters import AliasLayer, DiskLayer
from thumbs.cache.entry import Entry
from thumbs.cache.filestore.store import FileStore
from thumbs.cache.layers import Layers
from thumbs.conf.document import StorageConf
from thumbs.conf.keys import read
from thumbs.wiring.caches import layers as wired_layers

# -------------------------------------------------------------------------------------- entries


@given(
    st.binary(max_size=2000),
    st.sampled_from(["image/jpeg", "image/png", "image/webp", "image/avif", "image/gif", "application/octet-stream"]),
    st.from_regex(r'"[!#-~]{0,126}"', fullmatch=True),
    st.none() | strategies.texts,
    st.integers(0, 2**33),
    st.floats(0, 2**33),
)
def test_a_packed_entry_is_unpacked_as_it_was(
    body: bytes, content_type: str, etag: str, version: str | None, modified: int, created: float
) -> None:
    packed = Entry(body, content_type, etag, version, modified, created, created + 1)
    found = Entry.unpack(packed.pack())
    fields = ("body", "content_type", "etag", "version", "modified", "created", "fresh_until", "headers", "validators")
    assert [getattr(found, name) for name in fields] == [getattr(packed, name) for name in fields]


@pytest.mark.parametrize("damage", [b"", b"MTE1", b"XXXX" + entry().pack()[4:], entry(b"").pack()[:-1], b"\xff" * 200])
def test_bytes_that_are_no_entry_are_refused(damage: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever is wrong with them
        Entry.unpack(damage)


class Bottom(DiskLayer):
    name = "bottom"


def test_an_entry_has_the_headers_of_its_answer() -> None:
    assert dict(entry().headers) == {
        b"Content-Type": b"image/webp",
        b"Content-Length": b"7",
        b"ETag": b'"tag"',
        b"Last-Modified": b"Sun, 13 Sep 2020 12:26:40 GMT",
    }
    assert set(entry().validators) < set(entry().headers)


# --------------------------------------------------------------------------- from below upwards


def test_an_entry_is_put_into_every_layer_and_found_in_the_first(tmp_path: Path, clock: Clock) -> None:
    one, two = memory(clock), disk(tmp_path / "cache", clock)
    layers = Layers([one, two], clock=clock)
    assert layers.names == ("memory", "disk")
    assert layers.get(KEY) is None
    layers.put(KEY, entry())
    assert bodies(one.get(KEY)) == bodies(two.get(KEY)) == b"picture"
    found = layers.get(KEY)
    assert found is not None
    assert (found.layer, found.stale) == ("memory", False)


def test_a_hit_below_is_copied_upwards_with_the_time_that_it_has_left(tmp_path: Path, clock: Clock) -> None:
    one, two = memory(clock), disk(tmp_path / "cache", clock)
    Layers([two], ttl=300, clock=clock).put(KEY, entry())
    clock.now += 200
    layers = Layers([one, two], ttl=300, clock=clock)
    found = layers.get(KEY)
    assert found is not None
    assert found.layer == "disk"
    clock.now = NOW + 299
    assert bodies(one.get(KEY)) == b"picture"
    clock.now = NOW + 300
    assert one.get(KEY) is None
    assert layers.get(KEY) is None


def test_a_hit_is_copied_only_into_the_layers_above(tmp_path: Path, clock: Clock) -> None:
    top, middle, bottom = (
        memory(clock),
        disk(tmp_path / "middle", clock),
        Bottom(disk(tmp_path, clock).store),
    )
    layers = Layers([top, middle, bottom], clock=clock)
    middle.put(KEY, entry(), NOW + 300)
    found = layers.get(KEY)
    assert found is not None
    assert found.layer == "disk"
    assert top.get(KEY) is not None
    assert bottom.get(KEY) is None


def test_what_can_be_had_without_blocking_comes_from_the_quick_layers(tmp_path: Path, clock: Clock) -> None:
    one, two = memory(clock), disk(tmp_path / "cache", clock)
    layers = Layers([one, two], clock=clock)
    assert layers.get_now(KEY) is None
    two.put(KEY, entry(), NOW + 300)
    found = layers.get_now(KEY)
    assert found is not None
    assert found.layer == "disk"
    assert one.get(KEY) is not None


def test_what_can_be_had_without_blocking_is_not_copied_where_that_might_block(tmp_path: Path, clock: Clock) -> None:
    slow, two = AliasLayer(lambda: caches["default"], "photos", 300, "memory", clock), disk(tmp_path / "cache", clock)
    layers = Layers([slow, two], clock=clock)
    two.put(KEY, entry(), NOW + 300)
    assert layers.get_now(KEY) is not None
    assert slow.get(KEY) is None
    assert layers.get(KEY) is not None
    assert slow.get(KEY) is not None


def test_every_layer_says_at_once_that_it_works_and_when_it_does_no_more(tmp_path: Path, clock: Clock) -> None:
    changes: list[tuple[str, bool]] = []
    layers = Layers([memory(clock), disk(tmp_path / "cache", clock)], clock=clock)
    layers.on_change(lambda name, works: changes.append((name, works)))
    assert changes == [("memory", True), ("disk", True)]


def test_no_layers_hold_nothing() -> None:
    layers = Layers()
    layers.put(KEY, entry())
    layers.delete(KEY)
    assert (layers.get(KEY), layers.get_now(KEY), layers.purge("group"), layers.clear()) == (None, None, 0, 0)


def test_a_deleted_entry_is_gone_from_every_layer(tmp_path: Path, clock: Clock) -> None:
    one, two = memory(clock), disk(tmp_path / "cache", clock)
    layers = Layers([one, two], clock=clock)
    layers.put(KEY, entry())
    layers.delete(KEY)
    assert (one.get(KEY), two.get(KEY)) == (None, None)


# -------------------------------------------------------------------------------------- staleness


@pytest.mark.parametrize(
    ("age", "stale"), [(0, False), (299.9, False), (300, True), (359.9, True), (360, None), (10_000, None)]
)
def test_an_entry_past_its_time_is_stale_and_then_no_entry(age: float, stale: bool | None, clock: Clock) -> None:
    layers = Layers([memory(clock)], ttl=300, stale=60, clock=clock)
    layers.put(KEY, entry())
    clock.now += age
    for found in (layers.get(KEY), layers.get_now(KEY)):
        assert (None if found is None else found.stale) is stale


@pytest.mark.parametrize(("ahead", "is_there"), [(59, True), (61, False), (10 * 365 * 86_400, False)])
def test_an_entry_that_dates_from_a_wrong_clock_is_no_entry(ahead: float, is_there: bool, clock: Clock) -> None:
    locmem = AliasLayer(lambda: caches["default"], "photos", 300, clock=clock)
    locmem.clear()
    layers = Layers([locmem], clock=clock)
    clock.now += ahead
    layers.put(KEY, entry(created=clock.now))
    clock.now = NOW
    assert (layers.get(KEY) is not None) is is_there


# ---------------------------------------------------------------------------- as they are wired


def test_no_layer_is_on_unless_it_was_switched_on(tmp_path: Path) -> None:
    def names(cache: dict[str, object]) -> tuple[str, ...]:
        conf = read(StorageConf, {"name": "a", "driver": "local", "root": "/", "cache": cache}, "", [])
        return wired_layers(conf, str(tmp_path / "run")).names

    alias = {"alias": "default"}
    assert names({}) == ()
    assert names({"memory": {"enabled": True}}) == ()
    assert names({"memory": {"max_size_mb": 1}}) == ()
    assert names({"memory": {"enabled": True, "max_size_mb": 1}}) == ("memory",)
    assert names({"memory": alias, "disk": alias}) == ()
    assert names({"memory": {"enabled": True, **alias}, "disk": {"enabled": True, **alias}, "shared": alias}) == (
        "memory",
        "disk",
        "shared",
    )
    assert names({"disk": {"enabled": True, "dir": str(tmp_path / "cache")}}) == ("disk",)


def test_an_entry_of_another_version_of_mage_is_a_miss_and_removed(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "cache", max_bytes=None)
    store.set("group/name", b"something else", expires=None)
    layer = DiskLayer(store)
    assert layer.get("group/name") is None
    assert store.get("group/name") is None
    store.set("group/name", b"something else", expires=None)
    with contextlib.suppress(BlockingIOError):
        assert layer.get_now("group/name") is None
