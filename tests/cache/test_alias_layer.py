"""Any of Django's caches as a layer: entries are sealed, purges are markers, and the rest of the cache stays."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.cache import caches
from django.test import override_settings

from tests.support.cache_layers import KEY, bodies, entry, memory
from tests.support.clock import NOW, Clock
from thumbs.cache.adapters import AliasLayer
from thumbs.cache.layers import Layers


@pytest.fixture(params=["LocMemCache", "FileBasedCache"])
def shared(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Callable[..., AliasLayer]]:
    module = {"LocMemCache": "locmem", "FileBasedCache": "filebased"}[request.param]
    backend = f"django.core.cache.backends.{module}.{request.param}"
    override = override_settings(CACHES={"default": {"BACKEND": backend, "LOCATION": str(tmp_path / "c")}})
    with override:
        caches["default"].clear()

        def layer(storage: str = "photos") -> AliasLayer:
            return AliasLayer(lambda: caches["default"], storage, 300, clock=clock)

        yield layer


def test_an_entry_comes_back_from_any_cache_of_djangos(shared: Callable[..., AliasLayer], clock: Clock) -> None:
    layer = shared()
    assert layer.get(KEY) is None
    layer.put(KEY, entry(), NOW + 300)
    found = layer.get(KEY)
    assert found is not None
    assert found.pack() == entry().pack()
    layer.delete(KEY)
    assert layer.get(KEY) is None


def test_two_storages_in_one_cache_share_no_entries(shared: Callable[..., AliasLayer], clock: Clock) -> None:
    one, two = shared("one"), shared("two")
    one.put(KEY, entry(b"one"), NOW + 300)
    assert two.get(KEY) is None
    two.put(KEY, entry(b"two"), NOW + 300)
    clock.now += 1
    one.clear()
    assert one.get(KEY) is None
    assert bodies(two.get(KEY)) == b"two"


def test_a_purge_is_a_marker_that_hides_older_entries(shared: Callable[..., AliasLayer], clock: Clock) -> None:
    here, elsewhere = shared(), shared()
    for key in ("group/one", "group/two", "other/one"):
        here.put(key, entry(), NOW + 300)
    clock.now += 1
    here.delete_group("group")
    assert elsewhere.get("group/one") is None
    assert elsewhere.get("group/two") is None
    assert bodies(elsewhere.get("other/one")) == b"picture"
    elsewhere.put("group/one", entry(created=NOW), NOW + 300)  # it was being made meanwhile
    assert here.get("group/one") is None
    clock.now += 1
    elsewhere.put("group/one", entry(b"new", created=clock.now), NOW + 300)
    assert bodies(here.get("group/one")) == b"new"


@pytest.mark.parametrize("behind", [30.0, -30.0])
@pytest.mark.parametrize("everything", [False, True])
def test_a_purge_covers_what_a_machine_with_another_clock_has_made_before(
    behind: float, everything: bool, shared: Callable[..., AliasLayer], clock: Clock
) -> None:
    here, elsewhere = shared(), dataclasses.replace(shared(), clock=lambda: clock.now + behind, _read={})
    elsewhere.put(KEY, entry(b"old", created=elsewhere.clock()), NOW + 600)
    clock.now += 10
    if everything:
        here.clear()
    else:
        here.delete_group("group")
    assert (here.get(KEY), shared().get(KEY), elsewhere.get(KEY)) == (None, None, None)
    late = entry(b"old", created=elsewhere.clock() - 1)  # it was being made meanwhile
    elsewhere.put(KEY, late, NOW + 600)
    assert (here.get(KEY), shared().get(KEY), elsewhere.get(KEY)) == (None, None, None)


@pytest.mark.parametrize("behind", [30.0, -30.0])
def test_what_is_made_by_a_machine_that_has_read_of_a_purge_is_shared_at_once(
    behind: float, shared: Callable[..., AliasLayer], clock: Clock
) -> None:
    here, elsewhere = shared(), dataclasses.replace(shared(), clock=lambda: clock.now + behind, _read={})
    here.delete_group("group")
    for maker in (here, elsewhere):
        clock.now += 1
        maker.get("group/other")
        clock.now += 1
        maker.put(KEY, entry(b"new", created=maker.clock()), NOW + 600)
        for reader in (here, elsewhere, shared()):
            assert bodies(reader.get(KEY)) == b"new"
    clock.now += 1
    here.delete_group("group")
    assert (here.get(KEY), shared().get(KEY), elsewhere.get(KEY)) == (None, None, None)


def test_clearing_hides_every_entry_of_the_storage(shared: Callable[..., AliasLayer], clock: Clock) -> None:
    layer = shared()
    layer.put("group/one", entry(), NOW + 300)
    layer.put("other/one", entry(), NOW + 300)
    clock.now += 1
    layer.clear()
    assert (layer.get("group/one"), layer.get("other/one")) == (None, None)


def test_the_rest_of_a_sites_cache_stays_when_a_storage_is_cleared(shared: Callable[..., AliasLayer]) -> None:
    caches["default"].set("of-the-site", 1)
    shared().clear()
    assert caches["default"].get("of-the-site") == 1


def damaged(sealed: bytes, place: int) -> bytes:
    return sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]


def test_what_was_not_sealed_for_its_key_is_a_miss(shared: Callable[..., AliasLayer]) -> None:
    layer, cache = shared(), caches["default"]
    for key in (KEY, "group/other"):
        layer.put(key, entry(), NOW + 300)
    sealed, other = (cache.get(f"mage:photos:{key}") for key in (KEY, "group/other"))
    assert isinstance(sealed, bytes)
    garbage: list[object] = [None, "text", 5, [sealed], b"", b"x" * 500, sealed[:-1], sealed[:20], sealed + b"x", other]
    garbage += [damaged(sealed, place) for place in range(len(sealed))]
    for value in garbage:
        cache.set("mage:photos:group/name", value)
        assert layer.get(KEY) is None
    cache.set("mage:photos:group/name", sealed)
    assert bodies(layer.get(KEY)) == b"picture"


@pytest.mark.parametrize("marker", [None, "soon", b"\xff", [1]])
def test_an_invalid_marker_purges_nothing(marker: object, shared: Callable[..., AliasLayer]) -> None:
    layer = shared()
    layer.put(KEY, entry(), NOW + 300)
    caches["default"].set("mage:photos:purged:group", marker)
    assert bodies(layer.get(KEY)) == b"picture"


def test_an_entry_without_a_second_left_is_not_stored(shared: Callable[..., AliasLayer], clock: Clock) -> None:
    layer = shared()
    layer.put(KEY, entry(), clock.now + 0.5)
    assert layer.get(KEY) is None


def test_an_entry_that_memcached_would_not_store_is_not_sent_there(clock: Clock) -> None:
    unreachable = {"BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache", "LOCATION": "127.0.0.1:1"}
    with override_settings(CACHES={"default": unreachable}):
        layer = AliasLayer(lambda: caches["default"], "photos", 300, clock=clock)
        layer.put(KEY, entry(bytes(1024 * 1024 - 4000)), NOW + 300)
        with pytest.raises(OSError, match="refused"):
            layer.put(KEY, entry(bytes(1024 * 1024 - 8000)), NOW + 300)


def test_an_entry_of_an_alias_is_copied_upwards_like_any_other(shared: Callable[..., AliasLayer], clock: Clock) -> None:
    one, two = memory(clock), shared()
    two.put(KEY, entry(), NOW + 300)
    layers = Layers([one, two], clock=clock)
    found = layers.get(KEY)
    assert found is not None
    assert found.layer == "shared"
    clock.now = NOW + 299
    assert bodies(one.get(KEY)) == b"picture"
    clock.now = NOW + 300
    assert one.get(KEY) is None
