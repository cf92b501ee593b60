"""The feed and the leases of machines that share nothing but an object store."""

import threading
import time
from pathlib import Path

import pytest

from tests.support.cache_layers import KEY, bodies, entry, memory
from tests.support.clock import NOW, Clock
from tests.support.dict_store import DictStore
from tests.support.object_layers import object_layer
from tests.support.private_files import private_file
from tests.support.waiting import eventually
from thumbs.cache.layers import Layers
from thumbs.cache.objects import alone
from thumbs.cache.objects.alone import SharingObjectLayer
from thumbs.cache.purge.journal import EVERYTHING, Purge, PurgeJournal
from thumbs.errors import StorageFailed

_GROUP = "0123456789abcdef" * 2


def machine(store: DictStore, clock: Clock) -> SharingObjectLayer:
    layer = object_layer(lambda: store, clock, scope="photos")
    assert isinstance(layer, SharingObjectLayer)
    return layer


@pytest.fixture
def store() -> DictStore:
    return DictStore()


# ------------------------------------------------------------------------------------------ feed


def test_a_purge_is_read_once_and_by_a_machine_that_starts_later(store: DictStore, clock: Clock) -> None:
    here, there = machine(store, clock), machine(store, clock)
    offset, purges = there.read_purges_since(None)
    assert purges == []
    made = [Purge(_GROUP, NOW + 0.123456789), Purge(EVERYTHING, NOW + 1.5), Purge("group", NOW + 2)]
    for purge in made:
        here.append_purge(purge)
    clock.now += 3
    offset, purges = there.read_purges_since(offset)
    assert purges == made
    clock.now += 3
    offset, purges = there.read_purges_since(offset)
    assert purges == []
    assert machine(store, clock).read_purges_since(None)[1] == made


@pytest.mark.parametrize("behind", [0, 59, -59])
def test_a_purge_by_a_clock_that_differs_is_read(store: DictStore, clock: Clock, behind: float) -> None:
    there = machine(store, clock)
    offset, _ = there.read_purges_since(None)
    clock.now += 30
    purge = Purge(_GROUP, clock.now - behind)
    machine(store, clock).append_purge(purge)
    assert there.read_purges_since(offset)[1] == [purge]


def test_a_reading_that_failed_misses_nothing(store: DictStore, clock: Clock) -> None:
    here, there = machine(store, clock), machine(store, clock)
    offset, _ = there.read_purges_since(None)
    here.append_purge(Purge(_GROUP, clock.now))
    store.fails = True
    with pytest.raises(StorageFailed):
        there.read_purges_since(offset)
    store.fails = False
    clock.now += 900
    assert there.read_purges_since(offset)[1] == [Purge(_GROUP, NOW)]


def test_what_is_no_message_is_skipped(store: DictStore, clock: Clock) -> None:
    layer = machine(store, clock)
    layer.append_purge(Purge(_GROUP, clock.now))
    (name,) = store.objects
    start = name.partition("_")[0]
    for rest in ("", "_", "_1.5", "_never_group", "_1.5_", "x"):
        store.objects[start + rest] = b"-"
    assert layer.read_purges_since(None)[1] == [Purge(_GROUP, NOW)]


def test_a_purge_on_one_machine_reaches_the_memory_of_another(
    store: DictStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = time.time

    def layers(name: str) -> tuple[Layers, SharingObjectLayer]:
        below = object_layer(lambda: store, clock, scope="photos")  # type: ignore[arg-type]
        assert isinstance(below, SharingObjectLayer)
        monkeypatch.setattr(below, "_times", below._times.__class__(ttl=3000, timeout=60, poll=0.05, keep=1000))
        journal = PurgeJournal(private_file(tmp_path / name), keep=1000)
        return Layers([memory(clock), below], purges=journal), below  # type: ignore[arg-type]

    (here, _), (there, _) = layers("here"), layers("there")
    made = entry(created=time.time())
    here.put(KEY, made)
    assert here.flush(60)
    found = there.get(KEY)
    assert found is not None
    assert found.layer == "objects"
    assert bodies(there.get_now(KEY)) == b"picture"
    time.sleep(0.01)  # an entry made at the moment of its purge is purged
    assert here.purge("group") == 1  # of its own memory
    assert here.get(KEY) is None
    eventually(lambda: there.get_now(KEY) is None)
    assert there.get(KEY) is None
    for each in (here, there):
        each.close()


# ---------------------------------------------------------------------------------------- leases


def test_one_machine_at_a_time_has_a_lease(store: DictStore, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alone, "_ASK_SECONDS", 0)
    here, there = machine(store, clock), machine(store, clock)
    assert here.lease(KEY)
    assert not there.lease(KEY)
    assert there.lease("group/other")
    there.end_lease(KEY)  # it has none
    assert not there.lease(KEY)
    here.end_lease(KEY)
    assert there.lease(KEY)
    assert not here.lease(KEY)


def test_a_machine_that_was_refused_does_not_ask_again_at_once(store: DictStore, clock: Clock) -> None:
    here, there = machine(store, clock), machine(store, clock)
    assert here.lease(KEY)
    assert not there.lease(KEY)
    before = len(store.calls)
    assert not there.lease(KEY)
    assert len(store.calls) == before


def test_of_all_threads_of_all_machines_one_gets_a_lease(store: DictStore, clock: Clock) -> None:
    machines = [machine(store, clock) for _ in range(8)]
    got: list[bool] = []
    threads = [threading.Thread(target=lambda each=each: got.append(each.lease(KEY))) for each in machines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [False] * 7 + [True]


@pytest.mark.parametrize("seconds", [71, -71])
def test_the_lease_of_a_machine_that_crashed_is_taken_over(store: DictStore, clock: Clock, seconds: float) -> None:
    assert machine(store, clock).lease(KEY)
    clock.now += seconds
    there = machine(store, clock)
    assert there.lease(KEY)
    assert not machine(store, clock).lease(KEY)


def test_a_lease_that_does_not_change_is_taken_over_whatever_the_clocks_say(
    store: DictStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alone, "_ASK_SECONDS", 0)
    assert machine(store, clock).lease(KEY)
    there = machine(store, clock)
    assert not there.lease(KEY)
    monkeypatch.setattr(alone, "_LEASE_SECONDS", 0)
    assert there.lease(KEY)


@pytest.mark.parametrize("content", [b"", b"not a time", b"\xff"])
def test_a_lease_that_cannot_be_read_is_taken_over(store: DictStore, clock: Clock, content: bytes) -> None:
    layer = machine(store, clock)
    assert layer.lease(KEY)
    (name,) = store.objects
    store.objects[name] = content
    assert machine(store, clock).lease(KEY)


def test_a_store_without_conditions_has_no_leases_and_is_not_asked_again(clock: Clock) -> None:
    store = DictStore(conditional=False)
    here, there = machine(store, clock), machine(store, clock)
    for _ in range(2):
        assert here.lease(KEY)
        assert there.lease(KEY)
    assert store.count("put_new") == 2


def test_a_lease_ends_after_its_entry_has_been_written(store: DictStore, clock: Clock) -> None:
    layer = machine(store, clock)
    layers = Layers([layer], clock=clock)
    result = layers.lock_or_get(KEY)
    assert result.lock is not None
    store.hangs = True
    layers.put(KEY, entry())
    result.lock.release()
    eventually(lambda: store.count("put") == 1)
    assert store.count("delete") == 0
    store.released.set()
    assert layers.flush(60)
    assert [name for method, name in store.calls if method in ("put", "delete")] == [
        "mage/photos/group/name",
        "mage/photos~leases/group/name",
    ]
    layers.close()


def test_a_store_that_fails_refuses_the_lease_to_no_machine(store: DictStore, clock: Clock) -> None:
    store.fails = True
    layers = Layers([machine(store, clock)], clock=clock)
    result = layers.lock_or_get(KEY)
    assert result.lock is not None
    layers.put(KEY, entry())
    result.lock.release()
    assert layers.flush(60)
    layers.close()
