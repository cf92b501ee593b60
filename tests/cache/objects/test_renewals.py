"""Renewals of entries in an object store: they are known without a write, and no purge that is read late misses one."""

from pathlib import Path

import pytest

from tests.support.cache_layers import KEY, bodies, disk, entry
from tests.support.clock import NOW, Clock
from tests.support.dict_store import DictStore
from tests.support.object_layers import object_layer
from tests.support.private_files import private_file
from thumbs.cache.layers import Layers
from thumbs.cache.objects.alone import SharingObjectLayer
from thumbs.cache.objects.layer import Lifetimes, ObjectLayer
from thumbs.cache.purge.journal import PurgeJournal

_POLL = 300
_TIMES = Lifetimes(ttl=300_000, timeout=60, poll=_POLL, keep=10_000)


@pytest.fixture
def store() -> DictStore:
    return DictStore()


def machine(store: DictStore, clock: Clock, kind: type[ObjectLayer] = SharingObjectLayer) -> ObjectLayer:
    return object_layer(lambda: store, clock, kind=kind, times=_TIMES, scope="photos")


def lifetime(layer: ObjectLayer) -> tuple[float, float] | None:
    found = layer.get(KEY)
    return None if found is None else (found.created, found.fresh_until)


@pytest.mark.parametrize("kind", [ObjectLayer, SharingObjectLayer])
def test_what_was_renewed_without_a_write_is_fresh_for_the_process(
    store: DictStore, clock: Clock, kind: type[ObjectLayer]
) -> None:
    layer = machine(store, clock, kind)
    for number in range(4):
        layer.put(KEY, entry(created=clock.now), clock.now + 300)
        assert lifetime(layer) == (clock.now, clock.now + 300)
        assert layer.get_expired(KEY) is not None
        clock.now += 301
        assert lifetime(layer) == (clock.now - 301, clock.now - 1), number
    assert store.count("put") == 1
    # Another process has not asked the source.
    assert lifetime(machine(store, clock, kind)) == (NOW, NOW + 300)


def test_a_renewal_is_of_the_bytes_that_were_there(store: DictStore, clock: Clock) -> None:
    layer, other = machine(store, clock), machine(store, clock)
    layer.put(KEY, entry(), NOW + 300)
    clock.now += 301
    layer.put(KEY, entry(created=clock.now), clock.now + 300)
    changed = entry(b"changed", created=NOW + 200)
    changed.etag = '"other"'
    other.put(KEY, changed, NOW + 500)
    found = layer.get(KEY)
    assert (bodies(found), lifetime(layer)) == (b"changed", (NOW + 200, NOW + 500))


def test_a_renewal_does_not_keep_an_object_for_longer(store: DictStore, clock: Clock) -> None:
    layer = machine(store, clock)
    layer.put(KEY, entry(), NOW + 300)
    clock.now += _TIMES.ttl / 8
    layer.put(KEY, entry(created=clock.now), clock.now + 300)
    clock.now = NOW + _TIMES.ttl
    assert layer.get(KEY) is None


def test_a_renewal_ends_with_a_purge(store: DictStore, clock: Clock) -> None:
    layer = machine(store, clock)
    layer.put(KEY, entry(), NOW + 300)
    data = store.objects[f"mage/photos/{KEY}"]
    clock.now += 301
    layer.put(KEY, entry(created=clock.now), clock.now + 300)
    layer.delete_group("group")
    store.objects[f"mage/photos/{KEY}"] = data
    assert layer.get(KEY) is None
    assert layer.get_expired(KEY) is None


def renewed_before_the_purge_is_read(store: DictStore, clock: Clock, path: Path) -> Layers:
    """Layers with a disk that had an entry when another machine purged it, and which renewed that before they knew."""
    there = machine(store, clock)
    journal = PurgeJournal(private_file(path / "journal"), keep=_TIMES.keep, clock=clock)
    layers = Layers([disk(path, clock), there], purges=journal, clock=clock)
    layers._followers[0].poll_once()  # the thread would do so at another time
    layers._followers[0].start = lambda: None  # type: ignore[method-assign]
    layers.put(KEY, entry())
    assert layers.flush(60)
    clock.now += 1
    here = machine(store, clock)
    purges = PurgeJournal(private_file(path / "other"), keep=_TIMES.keep, clock=clock)
    Layers([here], purges=purges, clock=clock).purge("group")
    clock.now += _POLL - 10
    layers.put(KEY, entry(created=clock.now))
    assert layers.flush(60)
    return layers


def test_what_was_renewed_before_its_purge_is_read_is_not_served_afterwards(
    store: DictStore, clock: Clock, tmp_path: Path
) -> None:
    layers = renewed_before_the_purge_is_read(store, clock, tmp_path)
    assert bodies(layers.get(KEY)) == b"picture"  # it may be, for `poll_seconds`
    clock.now += 10
    layers._followers[0].poll_once()
    assert layers.get(KEY) is None
    layers.close()


def test_a_process_that_starts_later_does_not_serve_what_was_renewed_before_its_purge_was_read(
    store: DictStore, clock: Clock, tmp_path: Path
) -> None:
    renewed_before_the_purge_is_read(store, clock, tmp_path).close()
    written = machine(store, clock)
    written.put(KEY, entry(created=clock.now), clock.now + 300)
    assert f"mage/photos/{KEY}" in store.objects
    assert machine(store, clock).get(KEY) is None
    clock.now += _POLL + 60
    written.put("group/new", entry(created=clock.now), clock.now + 300)
    assert machine(store, clock).get("group/new") is not None
