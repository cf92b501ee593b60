"""The feed: every purge reaches every machine once, also a machine that starts later."""

import gc
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import ClassVar

import pytest
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.memcached import PyMemcacheCache
from django.test import override_settings

from tests.support import servers
from tests.support.clock import NOW, Clock
from tests.support.private_files import private_file
from tests.support.waiting import eventually
from thumbs.cache.adapters import AliasLayer, MemoryLayer
from thumbs.cache.layers import Layers
from thumbs.cache.purge import follower
from thumbs.cache.purge import journal as purges_module
from thumbs.cache.purge.feed import NothingKept, PurgeFeed
from thumbs.cache.purge.follower import PurgeFollower
from thumbs.cache.purge.journal import EVERYTHING, Purge, PurgeJournal
from thumbs.cache.sieve import Sieve

KEEP = 300.0
DJANGO = "django.core.cache.backends"


MEMCACHED = pytest.param("memcached.PyMemcacheCache", marks=pytest.mark.system)


@pytest.fixture(params=["locmem.LocMemCache", "filebased.FileBasedCache", MEMCACHED])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], BaseCache]]:
    with ExitStack() as stack:
        if "memcached" in request.param:
            yield stack.enter_context(memcached(tmp_path))
            return
        settings = {"default": {"BACKEND": f"{DJANGO}.{request.param}", "LOCATION": str(tmp_path / "cache")}}
        stack.enter_context(override_settings(CACHES=settings))
        cache = caches["default"]
        cache.clear()
        yield lambda: cache


@contextmanager
def memcached(directory: Path) -> Iterator[Callable[[], BaseCache]]:
    """Debian's, with one pool of connections for all threads: those of threads that end would stay open."""
    with servers.memcached(directory) as port:
        cache = PyMemcacheCache(f"127.0.0.1:{port}", {"OPTIONS": {"use_pooling": True}})
        # Django makes its client at the first use: threads that come first at once would make several, and only one is
        # closed.
        cache.get("nothing")
        yield lambda: cache
        cache.close()


def read_groups(feed: PurgeFeed, after: int | None = None) -> tuple[int | None, list[str]]:
    last, purge = feed.read_since(after)
    return last, [each.group for each in purge]


def test_a_first_reading_has_all_purges_and_the_next_one_only_new_ones(
    shared: Callable[[], BaseCache], clock: Clock
) -> None:
    here, there = (PurgeFeed(shared, "photos", keep=KEEP, clock=clock) for _ in range(2))
    assert there.read_since(None) == (None, [])
    here.append(Purge("one", NOW))
    last, purge = there.read_since(None)
    assert purge == [Purge("one", NOW)]
    assert there.read_since(last) == (last, [])
    groups = [f"group{number}" for number in range(50)]  # more than fit into one round trip
    for group in groups:
        here.append(Purge(group, NOW))
    last, found = read_groups(there, last)
    assert sorted(found) == sorted(groups)
    assert there.read_since(last) == (last, [])
    late, found = read_groups(there)
    assert late == last
    assert sorted(found) == sorted(["one", *groups])


def test_two_storages_have_separate_feeds(shared: Callable[[], BaseCache], clock: Clock) -> None:
    one, two = (PurgeFeed(shared, storage, keep=KEEP, clock=clock) for storage in ("one", "two"))
    one.append(Purge("group", NOW))
    assert two.read_since(None) == (None, [])


@pytest.mark.system
def test_purges_that_are_appended_at_once_are_all_read(tmp_path: Path, clock: Clock) -> None:
    groups = [f"group{number}" for number in range(200)]
    with memcached(tmp_path) as shared:
        feed = PurgeFeed(shared, "photos", keep=KEEP, clock=clock)
        found: list[str] = []
        last: int | None = None
        with ThreadPoolExecutor(8) as pool:
            posting = [pool.submit(feed.append, Purge(group, NOW)) for group in groups]
            while not all(done.done() for done in posting):
                last, more = read_groups(feed, last)
                found += more
        for done in posting:
            done.result()
        last, more = read_groups(feed, last)
        assert sorted([*found, *more]) == sorted(groups)
        assert sorted(read_groups(feed)[1]) == sorted(groups)


def test_a_head_that_is_behind_hides_nothing(shared: Callable[[], BaseCache], clock: Clock) -> None:
    feed = PurgeFeed(shared, "photos", keep=KEEP, clock=clock)
    feed.append(Purge("one", NOW))
    head = shared().get("mage:photos:purge")
    feed.append(Purge("two", NOW))
    feed.append(Purge("three", NOW))
    shared().set("mage:photos:purge", head)
    last, found = read_groups(feed)
    assert sorted(found) == ["one", "three", "two"]
    feed.append(Purge("four", NOW))
    assert read_groups(feed, last)[1] == ["four"]


@pytest.mark.parametrize("later", [10.0, -86_400.0])
def test_a_purge_after_the_cache_was_flushed_is_read(
    later: float, shared: Callable[[], BaseCache], clock: Clock
) -> None:
    feed = PurgeFeed(shared, "photos", keep=KEEP, clock=clock)
    feed.append(Purge("one", NOW))
    last, _ = feed.read_since(None)
    shared().clear()
    assert feed.read_since(last) == (last, [])
    clock.now += later
    feed.append(Purge("two", NOW))
    last, found = read_groups(feed, last)
    assert found == ["two"]
    assert feed.read_since(last) == (last, [])


@pytest.mark.parametrize("rubbish", [None, "", "soon", "soon group", "5.0 \u00fc", "5.0 g\n9e9 *", b"\xff", [1], 5])
def test_other_data_under_the_key_of_a_message_is_skipped(
    rubbish: object, shared: Callable[[], BaseCache], clock: Clock
) -> None:
    feed = PurgeFeed(shared, "photos", keep=KEEP, clock=clock)
    feed.append(Purge("one", NOW))
    feed.append(Purge("two", NOW))
    last, _ = feed.read_since(None)
    assert last is not None
    shared().set(f"mage:photos:purge:{last - 1}", rubbish)
    assert read_groups(feed)[1] == ["two"]
    shared().set("mage:photos:purge", "rubbish")
    assert feed.read_since(last) == (last, [])


class Full(BaseCache):
    """Stores nothing."""

    def __init__(self) -> None:
        super().__init__({})
        self.asked = 0

    def add(self, *_: object, **__: object) -> bool:
        self.asked += 1
        return False

    def get(self, key: object, default: object = None, version: object = None) -> object:  # noqa: ARG002
        return default


def test_a_cache_that_keeps_nothing_is_an_error_after_a_few_offsets() -> None:
    full = Full()
    with pytest.raises(NothingKept):
        PurgeFeed(lambda: full, "photos", keep=KEEP).append(Purge("group", NOW))
    assert full.asked <= 17  # the head, and each offset once


class Replicated(BaseCache):
    """Writes go to a primary, reads to a replica that has them when it catches up."""

    def __init__(self, primary: BaseCache) -> None:
        super().__init__({})
        self._primary = primary
        self._written: set[str] = set()
        self._replica: dict[str, object] = {}

    def catch_up(self) -> None:
        self._replica |= self._primary.get_many(self._written)

    def add(self, key: str, value: object, timeout: object = None, version: int | None = None) -> bool:  # noqa: ARG002
        self._written.add(key)
        return self._primary.add(key, value, timeout=None)

    def set(self, key: str, value: object, timeout: object = None, version: int | None = None) -> None:  # noqa: ARG002
        self._written.add(key)
        self._primary.set(key, value, timeout=None)

    def get(self, key: str, default: object = None, version: int | None = None) -> object:  # noqa: ARG002
        return self._replica.get(key, default)


@pytest.mark.parametrize("has_head", [True, False])
def test_purges_are_kept_that_follow_each_other_faster_than_a_replica(
    has_head: bool, shared: Callable[[], BaseCache], clock: Clock
) -> None:
    cache = Replicated(shared())
    feed = PurgeFeed(lambda: cache, "photos", keep=KEEP, clock=clock)
    groups = ["one", "two", "three", "four"]
    for group in groups:
        feed.append(Purge(group, NOW))
        if has_head and group == "one":
            cache.catch_up()
    cache.catch_up()
    assert sorted(read_groups(feed)[1]) == sorted(groups)


class Absent(BaseCache):
    """One of several memcached servers is down: its keys are absent until it is back."""

    def __init__(self, cache: BaseCache) -> None:
        super().__init__({})
        self._cache = cache

    def get(self, key: str, default: object = None, version: int | None = None) -> object:
        return self._cache.get(key, default, version)

    def get_many(self, keys: Iterable[str], version: int | None = None) -> dict[str, object]:  # noqa: ARG002
        return {}


def test_a_message_that_is_missing_for_a_while_is_read_later(shared: Callable[[], BaseCache], clock: Clock) -> None:
    feed = PurgeFeed(shared, "photos", keep=KEEP, clock=clock)
    feed.append(Purge("one", NOW))
    last, _ = feed.read_since(None)
    feed.append(Purge("two", NOW))
    assert read_groups(PurgeFeed(lambda: Absent(shared()), "photos", keep=KEEP), last) == (last, [])
    assert read_groups(feed, last)[1] == ["two"]


# ------------------------------------------------------------------------------------- what is merged


def test_a_purge_elsewhere_covers_what_was_made_until_it_is_merged(tmp_path: Path, clock: Clock) -> None:
    purges = PurgeJournal(private_file(tmp_path / "journal"), keep=KEEP, clock=clock)
    clock.now += 3
    purges.merge([Purge("group", NOW)])
    assert purges.is_purged("group", NOW + 3)  # the clock of the other machine may be behind
    assert not purges.is_purged("group", NOW + 3.1)
    assert not purges.is_purged("other", NOW)
    purges.merge([Purge(EVERYTHING, NOW)])
    assert purges.is_purged("other", NOW + 3)


def test_a_purge_that_is_long_past_covers_nothing_that_was_made_since(tmp_path: Path, clock: Clock) -> None:
    purges = PurgeJournal(private_file(tmp_path / "journal"), keep=KEEP, clock=clock)
    clock.now += 200
    purges.merge([Purge("group", NOW)])
    assert purges.is_purged("group", NOW + 60)
    assert not purges.is_purged("group", NOW + 61)


def test_a_purge_of_this_machine_is_known_from_the_journal_and_not_merged_again(tmp_path: Path, clock: Clock) -> None:
    here, beside = (PurgeJournal(private_file(tmp_path / "journal"), keep=KEEP, clock=clock) for _ in range(2))
    here.append("group")
    here.append(EVERYTHING)
    clock.now += 2
    for purges in (here, beside):
        purges.merge([Purge("group", NOW), Purge(EVERYTHING, NOW)])
        assert purges.is_purged("group", NOW)
        assert not purges.is_purged("group", NOW + 1)


def test_a_rewritten_journal_keeps_what_was_merged(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purges_module, "_REWRITE_BYTES", 150)
    purges = PurgeJournal(private_file(tmp_path / "journal"), keep=KEEP, clock=clock)
    purges.append("one")
    while (tmp_path / "journal").stat().st_size <= 150:
        purges.append("one")
    purges.merge([Purge("two", NOW)])
    purges.append("three")
    assert all(purges.is_purged(group, NOW) for group in ("one", "two", "three"))
    beside = PurgeJournal(private_file(tmp_path / "journal"), keep=KEEP, clock=clock)
    assert all(beside.is_purged(group, NOW) for group in ("one", "two", "three"))


class Slow(MemoryLayer):
    """Clearing it takes a while, as with a disk."""

    clock: ClassVar[Clock]

    def clear(self) -> int:
        self.clock.now += 30
        return self.sieve.clear()


def test_what_is_made_after_a_clearing_that_took_long_is_not_cleared_again(
    shared: Callable[[], BaseCache], tmp_path: Path, clock: Clock
) -> None:
    Slow.clock = clock
    alias = AliasLayer(shared, "photos", KEEP, clock=clock)
    purges = PurgeJournal(private_file(tmp_path / "journal"), keep=KEEP, clock=clock)
    layers = Layers([Slow(Sieve(max_bytes=10**6, max_items=10, clock=clock)), alias], purges=purges, clock=clock)
    layers.clear()
    made = clock.now + 1
    clock.now += 2
    for process in (purges, PurgeJournal(private_file(tmp_path / "journal"), keep=KEEP, clock=clock)):
        process.merge(alias.read_purges_since(None)[1])
        assert not process.is_purged("group", made)
        assert process.is_purged("group", NOW)


def test_a_merged_purge_is_dropped_when_it_covers_nothing_any_more(tmp_path: Path, clock: Clock) -> None:
    purges = PurgeJournal(private_file(tmp_path / "journal"), keep=KEEP, clock=clock)
    purges.merge([Purge(f"group{number}", NOW) for number in range(100)])
    clock.now += KEEP + 1
    purges.merge([Purge("group", clock.now)])
    assert not purges.is_purged("group0", NOW)
    assert purges.is_purged("group", clock.now)


# ------------------------------------------------------------------------------------------ following


def threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "mage-purges"}


def test_a_thread_runs_from_the_first_start_until_its_follower_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "EVERY_SECONDS", 0.01)
    before = threads()
    asked: list[int | None] = []
    merged: list[Purge] = []

    def read(after: int | None) -> tuple[int | None, list[Purge]] | None:
        asked.append(after)
        return None if len(asked) == 2 else (len(asked), [Purge(f"group{len(asked)}", NOW)])

    reader = PurgeFollower(read, merged.extend)
    assert threads() <= before
    with ThreadPoolExecutor(4) as pool:
        for _ in range(20):
            pool.submit(reader.start)
    assert len(threads() - before) == 1
    eventually(lambda: len(asked) > 3)
    assert asked[:4] == [None, 1, 1, 3]  # what could not be read is read the next time
    assert [purge.group for purge in merged[:2]] == ["group1", "group3"]
    del reader
    gc.collect()
    eventually(lambda: threads() <= before)


def test_a_purge_elsewhere_reaches_the_layers_of_this_process(
    shared: Callable[[], BaseCache], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "EVERY_SECONDS", 0.05)

    def machine(name: str) -> Layers:
        alias = AliasLayer(shared, "photos", KEEP)
        return Layers(
            [MemoryLayer(Sieve(max_bytes=10**6, max_items=10)), alias],
            purges=PurgeJournal(private_file(tmp_path / name), keep=KEEP),
        )

    here, there = machine("here"), machine("there")
    there.start_following()
    seen = time.time()
    assert not there.purged_since("group/name", seen)
    here.purge("group")
    eventually(lambda: there.purged_since("group/name", seen))
    assert not there.purged_since("other/name", seen)
    here.clear()
    eventually(lambda: there.purged_since("other/name", seen))
