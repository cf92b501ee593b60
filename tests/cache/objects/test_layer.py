"""An object layer: names, lifetimes, tombstones, and what it costs."""

import pytest

from tests.support.cache_layers import KEY, bodies, entry
from tests.support.clock import NOW, Clock
from tests.support.dict_store import DictStore
from tests.support.object_layers import object_layer
from thumbs.cache.filestore import entry_file
from thumbs.cache.filestore.paths import path_of
from thumbs.cache.layer import CountedLayer, ExpiredLayer, FeedLayer, LeasingLayer, LocalLayer, QuickLayer, SlowLayer
from thumbs.cache.layers import Layers
from thumbs.cache.objects.alone import SharingObjectLayer
from thumbs.cache.objects.bounded_store import StoreFailed
from thumbs.cache.objects.layer import Lifetimes, ObjectLayer
from thumbs.errors import StorageFailed

EXPIRES = NOW + 300
SCOPE = "photos.site"
_PREFIX = f"mage/{SCOPE}/"


@pytest.fixture
def store() -> DictStore:
    return DictStore()


@pytest.fixture
def layer(store: DictStore, clock: Clock) -> ObjectLayer:
    return object_layer(lambda: store, clock, kind=ObjectLayer, scope=SCOPE)


def keep_purges_known(layer: ObjectLayer) -> None:
    layer.attach(lambda: True, lambda _key, _moment: False)


def test_an_object_has_the_bytes_of_a_disk_entry_below_the_prefix_of_its_original(
    store: DictStore, layer: ObjectLayer
) -> None:
    layer.put(KEY, entry(), EXPIRES)
    assert list(store.objects) == [f"{_PREFIX}group/name"]
    payload = entry_file.parse(store.objects[f"{_PREFIX}group/name"], digest=path_of(KEY).digest)
    assert payload == entry().pack()


def test_what_a_layer_can_do_depends_on_whether_machines_share_another_cache(store: DictStore, clock: Clock) -> None:
    below_shared, alone = object_layer(lambda: store, clock, kind=ObjectLayer), object_layer(lambda: store, clock)
    for made in (below_shared, alone):
        assert isinstance(made, ExpiredLayer)
        assert isinstance(made, SlowLayer)
        assert not isinstance(made, QuickLayer | LocalLayer | CountedLayer)
    assert not isinstance(below_shared, FeedLayer | LeasingLayer)
    assert isinstance(alone, FeedLayer)
    assert isinstance(alone, LeasingLayer)


@pytest.mark.parametrize("name", ["source", "reduced-7"])
def test_originals_and_proxies_are_not_kept_and_not_asked_for(store: DictStore, layer: ObjectLayer, name: str) -> None:
    layer.put(f"group/{name}", entry(), EXPIRES)
    assert layer.get(f"group/{name}") is None
    assert layer.get_expired(f"group/{name}") is None
    layer.delete(f"group/{name}")
    assert store.calls == []


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda _: b"", lambda data: data + b"x", lambda _: b"?" * 99]
)
def test_what_is_not_whole_is_a_miss_and_is_replaced(store: DictStore, layer: ObjectLayer, damage: object) -> None:
    layer.put(KEY, entry(), EXPIRES)
    (name,) = store.objects
    store.objects[name] = damage(store.objects[name])  # type: ignore[operator]
    assert layer.get(KEY) is None
    layer.put(KEY, entry(created=NOW + 1000), NOW + 1300)
    assert layer.get(KEY) is not None


def test_an_object_of_another_key_is_a_miss(store: DictStore, layer: ObjectLayer) -> None:
    layer.put(KEY, entry(), EXPIRES)
    store.objects[f"{_PREFIX}group/other"] = store.objects[f"{_PREFIX}group/name"]
    assert layer.get("group/other") is None


def test_an_expired_entry_is_not_served_but_found_for_its_renewal_until_the_end_of_the_object(
    store: DictStore, layer: ObjectLayer, clock: Clock
) -> None:
    layers = Layers([layer], ttl=300, clock=clock)
    layer.put(KEY, entry(lives=300), EXPIRES)
    clock.now += 2999
    result = layers.lock_or_get(KEY)
    assert result.found is None
    assert bodies(result.expired) == b"picture"
    clock.now += 1
    result = layers.lock_or_get(KEY)
    assert (result.found, result.expired) == (None, None)


def test_a_miss_asks_the_store_once_for_the_entry_and_its_expired_form(store: DictStore, layer: ObjectLayer) -> None:
    keep_purges_known(layer)
    assert layer.get(KEY) is None
    assert layer.get_expired(KEY) is None
    assert store.calls == [("get", f"{_PREFIX}group/name")]
    assert layer.get_expired(KEY) is None
    assert store.count("get") == 2


def test_a_renewal_does_not_write_again_what_is_there_for_long(
    store: DictStore, layer: ObjectLayer, clock: Clock
) -> None:
    layer.put(KEY, entry(), EXPIRES)
    for _ in range(5):
        clock.now += 100
        layer.put(KEY, entry(created=clock.now), clock.now + 300)
    assert store.count("put") == 1
    clock.now += 300
    layer.put(KEY, entry(created=clock.now), clock.now + 300)
    assert store.count("put") == 2


def test_what_was_read_is_not_written_again_and_other_bytes_are(
    store: DictStore, layer: ObjectLayer, clock: Clock
) -> None:
    layer.put(KEY, entry(), EXPIRES)
    other = object_layer(lambda: store, clock, kind=ObjectLayer, scope=SCOPE)
    assert other.get(KEY) is not None
    other.put(KEY, entry(created=NOW + 10), EXPIRES)
    assert store.count("put") == 1
    changed = entry(b"changed", created=NOW + 10)
    changed.etag = '"other"'
    other.put(KEY, changed, EXPIRES)
    assert bodies(layer.get(KEY)) == b"changed"


# --------------------------------------------------------------------------------------- purges


def test_an_object_that_comes_after_its_purge_is_hidden_by_the_tombstone(
    store: DictStore, layer: ObjectLayer, clock: Clock
) -> None:
    late = object_layer(lambda: store, clock, kind=ObjectLayer, scope=SCOPE)
    clock.now += 5
    layer.delete_group("group")
    late.put(KEY, entry(), EXPIRES)  # it was made before, on a machine that has not read of the purge
    new = object_layer(lambda: store, clock, kind=ObjectLayer, scope=SCOPE)
    assert new.get(KEY) is None
    clock.now += 400  # past the lifetime of the entry, when journals may have forgotten the purge
    keep_purges_known(new)
    assert new.get(KEY) is None
    assert new.get_expired(KEY) is None


def test_a_tombstone_of_all_hides_what_comes_after_it(store: DictStore, layer: ObjectLayer, clock: Clock) -> None:
    clock.now += 5
    layer.clear()
    layer.put(KEY, entry(), EXPIRES)
    assert layer.get(KEY) is None


def test_tombstones_are_not_read_while_the_purges_are_known(store: DictStore, layer: ObjectLayer) -> None:
    layer.put(KEY, entry(), EXPIRES)
    assert layer.get(KEY) is not None
    assert store.count("get") == 3
    keep_purges_known(layer)
    assert layer.get(KEY) is not None
    assert store.count("get") == 4


def test_a_tombstone_from_a_wrong_clock_hides_nothing(store: DictStore, layer: ObjectLayer, clock: Clock) -> None:
    clock.now += 10 * 365 * 86_400
    layer.delete_group("group")
    clock.now = NOW
    layer.put(KEY, entry(), EXPIRES)
    assert bodies(layer.get(KEY)) == b"picture"


def test_what_was_purged_while_it_waited_to_be_written_is_not_written(store: DictStore, layer: ObjectLayer) -> None:
    layer.attach(lambda: True, lambda key, moment: (key, moment) == (KEY, NOW))
    layer.put(KEY, entry(), EXPIRES)
    layer.put("group/other", entry(), EXPIRES)
    assert list(store.objects) == [f"{_PREFIX}group/other"]


def test_a_purge_removes_more_objects_than_one_page_has(store: DictStore, layer: ObjectLayer) -> None:
    for number in range(10):
        layer.put(f"group/{number}", entry(), EXPIRES)
    layer.put("group2/one", entry(), EXPIRES)
    layer.delete_group("group")
    assert [name for name in store.objects if name.startswith(_PREFIX)] == [f"{_PREFIX}group2/one"]


def test_two_storages_in_one_bucket_do_not_see_each_other(store: DictStore, clock: Clock) -> None:
    first, second, third = (
        object_layer(lambda: store, clock, kind=ObjectLayer, scope=scope) for scope in ("a", "a.b", "ab")
    )
    for made in (first, second, third):
        made.put(KEY, entry(), EXPIRES)
    first.clear()
    assert first.get(KEY) is None
    assert bodies(second.get(KEY)) == bodies(third.get(KEY)) == b"picture"


# --------------------------------------------------------------------------------------- failures


def test_a_lookup_ends_with_its_time_and_a_purge_after_a_failed_one_does(clock: Clock) -> None:
    store = DictStore()
    store.hangs = True
    layer = object_layer(lambda: store, clock, times=Lifetimes(ttl=3000, timeout=0.05, poll=30, keep=1000))
    assert isinstance(layer, SharingObjectLayer)
    calls = (lambda: layer.get(KEY), lambda: layer.lease(KEY))
    for call in calls:
        with pytest.raises(StoreFailed, match=r"StorageTimeout: no answer within 0\.05 s"):
            call()
    store.hangs, store.fails = False, True
    store.released.set()
    with pytest.raises(StorageFailed):
        layer.delete_group("group")
    store.hangs, store.released = True, type(store.released)()
    with pytest.raises(StoreFailed):  # without a wait of seconds: a test that hangs would fail by its timeout
        layer.delete_group("group")
    layer.close()
    store.released.set()


def test_a_storage_that_is_no_object_store_fails_and_does_not_break_a_lookup(clock: Clock) -> None:
    layer = object_layer(lambda: None, clock)
    with pytest.raises(StorageFailed):
        layer.get(KEY)
    layers = Layers([layer], clock=clock)
    layers.put(KEY, entry())
    assert layers.get(KEY) is None
    assert layers.flush(60)
    assert layers.working == {"objects": False}
    layers.close()


def test_the_reason_of_a_failure_is_in_its_text(store: DictStore, layer: ObjectLayer) -> None:
    store.reason = OSError("the wire is cut")
    with pytest.raises(StoreFailed, match="StorageFailed, OSError: the wire is cut"):
        layer.get(KEY)
