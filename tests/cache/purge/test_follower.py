"""Questions start no thread: only work with the layers begins to follow the purges of other machines."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.test import override_settings

from tests.support import servers
from tests.support.clock import Clock
from tests.support.private_files import private_file
from thumbs.cache.adapters import AliasLayer, MemoryLayer
from thumbs.cache.entry import Entry
from thumbs.cache.layers import Layers
from thumbs.cache.purge import follower
from thumbs.cache.purge.journal import CLOCK_SKEW, Purge, PurgeJournal
from thumbs.cache.sieve import Sieve

KEEP = 1000.0
KEY = "group/name"


@pytest.fixture
def shared(request: pytest.FixtureRequest) -> Iterator[Callable[[], BaseCache]]:
    backend = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": request.node.name}
    with override_settings(CACHES={"default": backend}):
        yield lambda: caches["default"]


@pytest.fixture
def machine(shared: Callable[[], BaseCache], tmp_path: Path) -> Callable[[str], Layers]:
    """Makes the layers of a machine: its own memory and journal, and the cache that all machines share."""

    def make(name: str) -> Layers:
        memory = MemoryLayer(Sieve(max_bytes=10**6, max_items=10))
        return Layers(
            [memory, AliasLayer(shared, "photos", KEEP)],
            purges=PurgeJournal(private_file(tmp_path / name), keep=KEEP),
            ttl=KEEP,
        )

    return make


@pytest.fixture
def started() -> Callable[[], int]:
    """How many threads that follow purges were started since the test began."""
    before = set(threading.enumerate())
    return lambda: sum(each.name == "mage-purges" for each in set(threading.enumerate()) - before)


def entry() -> Entry:
    now = time.time()
    return Entry(b"body", "image/webp", '"etag"', "v1", int(now), now, now + KEEP)


def test_asking_what_is_purged_starts_no_thread(machine: Callable[[str], Layers], started: Callable[[], int]) -> None:
    layers = machine("here")
    assert not layers.purged_since(KEY, time.time())
    assert started() == 0


def test_other_questions_start_no_thread(machine: Callable[[str], Layers], started: Callable[[], int]) -> None:
    layers = machine("here")
    assert (layers.names, layers.shared, layers.failing) == (("memory", "shared"), True, ())
    assert layers.lifetime() > 0
    assert started() == 0


def test_purging_starts_no_thread(machine: Callable[[str], Layers], started: Callable[[], int]) -> None:
    layers = machine("here")
    layers.purge("group")
    layers.clear()
    layers.delete(KEY)
    assert started() == 0


WORK: dict[str, Callable[[Layers], object]] = {
    "get_now": lambda layers: layers.get_now(KEY),
    "get": lambda layers: layers.get(KEY),
    "put": lambda layers: layers.put(KEY, entry()),
    "lock_or_get": lambda layers: layers.lock_or_get(KEY),
}


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
def test_work_with_the_layers_starts_one_thread(
    machine: Callable[[str], Layers], started: Callable[[], int], work: Callable[[Layers], object]
) -> None:
    layers = machine("here")
    work(layers)
    work(layers)
    assert started() == 1


def test_an_entry_in_memory_is_gone_after_a_purge_on_another_machine(
    machine: Callable[[str], Layers], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "EVERY_SECONDS", 0.05)
    here, there = machine("here"), machine("there")
    made = time.time()
    there.put(KEY, entry())
    assert there.get_now(KEY) is not None
    here.purge("group")
    servers.eventually(lambda: there.purged_since(KEY, made))
    assert there.get_now(KEY) is None


def test_a_purge_covers_what_is_younger_by_as_much_as_clocks_may_differ(
    shared: Callable[[], BaseCache], tmp_path: Path, clock: Clock
) -> None:
    when = clock.now
    alias = AliasLayer(shared, "photos", KEEP, clock=clock)
    layers = Layers([alias], purges=PurgeJournal(private_file(tmp_path / "here"), keep=KEEP, clock=clock), clock=clock)
    layers._followers[0].poll_once()
    alias.append_purge(Purge("group", when))
    clock.now += CLOCK_SKEW + 0.5
    layers._followers[0].poll_once()
    assert layers.purged_since(KEY, when + CLOCK_SKEW)
    assert not layers.purged_since(KEY, when + CLOCK_SKEW + 0.1)


def test_layers_without_a_feed_start_no_thread(tmp_path: Path, started: Callable[[], int]) -> None:
    memory = MemoryLayer(Sieve(max_bytes=10**6, max_items=10))
    layers = Layers([memory], purges=PurgeJournal(private_file(tmp_path / "journal"), keep=KEEP))
    layers.start_following()
    layers.put(KEY, entry())
    assert started() == 0
