"""Cache layers: a hit below is copied upwards, what was purged is gone everywhere, what fails is left out."""

import contextlib
import errno
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from django.core.cache import caches
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from tests.support import servers, strategies
from tests.support.clock import NOW, Clock
from tests.support.private_files import private_file
from thumbs.cache import circuit_breaker
from thumbs.cache.adapters import AliasLayer, DiskLayer, MemoryLayer
from thumbs.cache.entry import Entry
from thumbs.cache.filestore.store import FileStore
from thumbs.cache.layer import Layer, QuickLayer
from thumbs.cache.layers import Found, Layers
from thumbs.cache.purge import journal as purges_module
from thumbs.cache.purge.journal import PurgeJournal
from thumbs.cache.sieve import Sieve
from thumbs.conf.document import StorageConf
from thumbs.conf.keys import read
from thumbs.wiring.caches import layers as wired_layers

KEY = "group/name"


def entry(body: bytes = b"picture", *, created: float = NOW, lives: float = 300, version: str | None = "v1") -> Entry:
    return Entry(body, "image/webp", '"tag"', version, 1_600_000_000, created, created + lives)


def memory(clock: Clock) -> MemoryLayer:
    return MemoryLayer(Sieve(max_bytes=10_000_000, max_items=1000, clock=clock))


def disk(path: Path, clock: Clock) -> DiskLayer:
    return DiskLayer(FileStore(path, max_bytes=None, clock=clock))


def bodies(found: Found | Entry | None) -> bytes | None:
    return None if found is None else found.entry.body if isinstance(found, Found) else found.body


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


class Bottom(DiskLayer):
    name = "bottom"


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


# --------------------------------------------------------------------------------------- failures


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


def test_a_layer_that_fails_is_skipped_and_logged_once(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
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


def test_a_layer_that_still_fails_when_it_is_tried_again_is_not_logged_again(
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


def test_the_quick_layers_are_those_that_can_tell_at_once(tmp_path: Path, clock: Clock) -> None:
    assert isinstance(memory(clock), QuickLayer)
    assert isinstance(disk(tmp_path, clock), QuickLayer)
    assert not isinstance(AliasLayer(lambda: caches["default"], "photos", 300), QuickLayer)


# ---------------------------------------------------------------------------------------- purges


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look at the journal counts, however soon after the last."""
    monkeypatch.setattr(purges_module, "_LOOK_SECONDS", 0)


def purging(path: Path, clock: Clock, store: Layer | None = None) -> Layers:
    """What one of several processes has: a memory of its own, the journal in common."""
    return Layers(
        [store or memory(clock)],
        purges=PurgeJournal(private_file(path / "run" / "journal"), keep=1000, clock=clock),
        clock=clock,
    )


@pytest.mark.usefixtures("_at_once")
def test_a_purge_hides_what_was_created_before_in_every_process(tmp_path: Path, clock: Clock) -> None:
    here, there = purging(tmp_path, clock), purging(tmp_path, clock)
    for layers in (here, there):
        layers.put(KEY, entry())
        layers.put("other/name", entry())
    clock.now += 1
    assert here.purge("group") == 1
    for layers in (here, there):
        assert layers.get(KEY) is None
        assert layers.get_now(KEY) is None
        assert bodies(layers.get("other/name")) == b"picture"
    clock.now += 1
    there.put(KEY, entry(b"new", created=clock.now))
    assert bodies(there.get(KEY)) == b"new"


@pytest.mark.usefixtures("_at_once")
def test_what_was_being_made_during_a_purge_is_not_kept(tmp_path: Path, clock: Clock) -> None:
    here, there = purging(tmp_path, clock), purging(tmp_path, clock)
    made = entry(created=clock.now)
    clock.now += 1
    here.purge("group")
    clock.now += 1
    there.put(KEY, made)
    assert there.get(KEY) is None


@pytest.mark.usefixtures("_at_once")
def test_clearing_hides_everything_in_every_process(tmp_path: Path, clock: Clock) -> None:
    here, there = purging(tmp_path, clock), purging(tmp_path, clock)
    for layers in (here, there):
        layers.put(KEY, entry())
        layers.put("other/name", entry())
    clock.now += 1
    assert here.clear() == 2
    for layers in (here, there):
        assert layers.get(KEY) is None
        assert layers.get("other/name") is None


@pytest.mark.usefixtures("_at_once")
def test_a_process_that_starts_later_knows_the_purges(tmp_path: Path, clock: Clock) -> None:
    shared = disk(tmp_path / "cache", clock)
    here = purging(tmp_path, clock, shared)
    here.put(KEY, entry())
    clock.now += 1
    here.purge("group")
    shared.put(KEY, entry(), NOW + 300)  # another process was slow to write it
    assert purging(tmp_path, clock, shared).get(KEY) is None


@pytest.mark.usefixtures("_at_once")
def test_a_process_that_slept_while_the_journal_was_written_anew_misses_no_purge(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purges_module, "_REWRITE_BYTES", 4000)
    journal = tmp_path / "journal"
    here, asleep = (PurgeJournal(private_file(journal), keep=60, clock=clock) for _ in range(2))
    for number in range(100):
        here.append(f"old{number}")
    assert asleep.is_purged("old0", NOW)
    was = journal.stat().st_size
    groups = written_anew(here, clock, journal)
    while journal.stat().st_size <= was:  # longer than when it was last looked at, as if only appended to
        groups.append(f"more{len(groups)}")
        here.append(groups[-1])
    assert all(asleep.is_purged(group, clock.now - 55) for group in groups[-50:])
    assert not asleep.is_purged("never", NOW)


def written_anew(purges: PurgeJournal, clock: Clock, journal: Path) -> list[str]:
    """The groups of one purge a second until the journal has just been written anew."""
    groups: list[str] = []
    purges.append("first")
    size = 0
    while journal.stat().st_size >= size:
        size = journal.stat().st_size
        clock.now += 1
        groups.append(f"new{len(groups)}")
        purges.append(groups[-1])
        assert len(groups) < 10_000
    return groups


@pytest.mark.usefixtures("_at_once")
def test_what_is_still_to_be_covered_is_in_the_journal_written_anew(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purges_module, "_REWRITE_BYTES", 4000)
    groups = written_anew(
        PurgeJournal(private_file(tmp_path / "journal"), keep=60, clock=clock), clock, tmp_path / "journal"
    )
    later = PurgeJournal(private_file(tmp_path / "journal"), keep=60, clock=clock)
    assert all(later.is_purged(group, clock.now - 55) for group in groups[-50:])


@pytest.mark.usefixtures("_at_once")
def test_a_clearing_that_still_covers_something_is_in_the_journal_written_anew(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purges_module, "_REWRITE_BYTES", 4000)
    purges = PurgeJournal(private_file(tmp_path / "journal"), keep=60, clock=clock)
    for number in range(300):
        purges.append(f"old{number}")
    clock.now += 50
    purges.append(purges_module.EVERYTHING)
    cleared = clock.now
    written_anew(purges, clock, tmp_path / "journal")
    assert clock.now < cleared + 60
    assert PurgeJournal(private_file(tmp_path / "journal"), keep=60, clock=clock).is_purged("any", cleared)


@pytest.mark.usefixtures("_at_once")
def test_purges_that_cover_nothing_any_more_are_forgotten(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purges_module, "_REWRITE_BYTES", 4000)
    purges = PurgeJournal(private_file(tmp_path / "journal"), keep=100, clock=clock)
    purges.append("old")
    for number in range(300):
        clock.now += 1
        purges.append(f"new{number}")
    text = (tmp_path / "journal").read_text()
    assert " old\n" not in text
    assert " new0\n" not in text
    assert " new299\n" in text
    assert not purges.is_purged("old", NOW)
    assert not PurgeJournal(private_file(tmp_path / "journal"), keep=100, clock=clock).is_purged("old", NOW)


@pytest.mark.usefixtures("_at_once")
def test_a_line_that_is_still_being_written_is_read_when_it_is_whole(tmp_path: Path, clock: Clock) -> None:
    journal, purges = tmp_path / "journal", PurgeJournal(private_file(tmp_path / "journal"), keep=100, clock=clock)
    journal.write_text(f"# mark\n{NOW!r} gro")
    assert not purges.is_purged("gro", NOW)
    with journal.open("a") as file:
        file.write("up\n")
    assert purges.is_purged("group", NOW)
    assert not purges.is_purged("gro", NOW)


@pytest.mark.usefixtures("_at_once")
@pytest.mark.parametrize("journal", [b"", b"\xff\xfe\n", b"# mark\nnonsense\n12 \n", b"# mark\n9e99 gro", b"\n\n\n"])
def test_a_journal_of_rubbish_covers_nothing_and_fails_nothing(journal: bytes, tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "journal").write_bytes(journal)
    layers = purging(tmp_path, clock)
    layers.put(KEY, entry())
    assert bodies(layers.get(KEY)) == b"picture"
    clock.now += 1
    layers.purge("group")
    assert layers.get(KEY) is None


@pytest.mark.usefixtures("_at_once")
def test_a_journal_that_cannot_be_read_fails_no_request(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "run" / "journal").mkdir(parents=True)
    layers = purging(tmp_path, clock)
    layers.put(KEY, entry())
    assert bodies(layers.get(KEY)) == b"picture"
    with pytest.raises(OSError, match="Is a directory"):
        layers.purge("group")


def test_a_purge_is_seen_by_another_process_within_a_second(tmp_path: Path) -> None:
    here, there = (PurgeJournal(private_file(tmp_path / "journal"), keep=100) for _ in range(2))
    now = time.time()
    assert not there.is_purged("group", now)
    here.append("group")
    end = time.monotonic() + 1
    while not there.is_purged("group", now) and time.monotonic() < end:
        time.sleep(0.05)
    assert there.is_purged("group", now)


# ----------------------------------------------------------------------- any of Django's caches


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


def test_two_storages_in_one_cache_do_not_meet(shared: Callable[..., AliasLayer], clock: Clock) -> None:
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


def damaged(sealed: bytes, index: int) -> bytes:
    return sealed[:index] + bytes([sealed[index] ^ 1]) + sealed[index + 1 :]


def test_what_was_not_sealed_for_its_key_is_a_miss(shared: Callable[..., AliasLayer]) -> None:
    layer, cache = shared(), caches["default"]
    for key in (KEY, "group/other"):
        layer.put(key, entry(), NOW + 300)
    sealed, other = (cache.get(f"mage:photos:{key}") for key in (KEY, "group/other"))
    assert isinstance(sealed, bytes)
    garbage: list[object] = [None, "text", 5, [sealed], b"", b"x" * 500, sealed[:-1], sealed[:20], sealed + b"x", other]
    garbage += [damaged(sealed, index) for index in range(len(sealed))]
    for value in garbage:
        cache.set("mage:photos:group/name", value)
        assert layer.get(KEY) is None
    cache.set("mage:photos:group/name", sealed)
    assert bodies(layer.get(KEY)) == b"picture"


@pytest.mark.parametrize("marker", [None, "soon", b"\xff", [1]])
def test_a_marker_of_rubbish_purges_nothing(marker: object, shared: Callable[..., AliasLayer]) -> None:
    layer = shared()
    layer.put(KEY, entry(), NOW + 300)
    caches["default"].set("mage:photos:purged:group", marker)
    assert bodies(layer.get(KEY)) == b"picture"


def test_an_entry_without_a_second_left_is_not_stored(shared: Callable[..., AliasLayer], clock: Clock) -> None:
    layer = shared()
    layer.put(KEY, entry(), clock.now + 0.5)
    assert layer.get(KEY) is None


def test_an_entry_that_memcached_would_not_store_is_not_sent_there(clock: Clock) -> None:
    closed_port = {"BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache", "LOCATION": "127.0.0.1:1"}
    with override_settings(CACHES={"default": closed_port}):
        layer = AliasLayer(lambda: caches["default"], "photos", 300, clock=clock)
        layer.put(KEY, entry(bytes(1024 * 1024 - 4000)), NOW + 300)
        with pytest.raises(OSError, match="refused"):
            layer.put(KEY, entry(bytes(1024 * 1024 - 8000)), NOW + 300)


IN_A_DATABASE = """
import time
from django.conf import settings
from django.core.cache import caches
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "cache.sqlite"}},
    CACHES={"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "thumbnails"}},
)
import django
django.setup()
from django.core.management import call_command
from django.db import connection
from django.db.backends.signals import connection_created
from thumbs.cache.entry import Entry
from thumbs.cache.adapters import AliasLayer
from thumbs.wiring.caches import _opener
call_command("createcachetable")
made = []
connection_created.connect(lambda **_: made.append(1), weak=False)
layer = AliasLayer(_opener("default"), "photos", 300)
now = time.time()
entry = Entry(b"picture", "image/webp", '"tag"', "v1", 0, now, now + 300)
layer.put("group/name", entry, now + 300)
assert layer.get("group/name").body == b"picture"

# The database has closed it, and a first call has met that.
before = len(made)
connection.errors_occurred = True
connection.is_usable = lambda: False
assert layer.get("group/name").body == b"picture"
assert len(made) == before + 1
del connection.is_usable

# Nobody else's cursor or transaction is touched.
before = len(made)
cursor = connection.cursor()
cursor.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT i FROM n")
assert cursor.fetchone() == (1,)
layer.get("group/name")
assert len(cursor.fetchall()) == 499
connection.set_autocommit(False)
connection.cursor().execute("CREATE TABLE kept (i)")
connection.errors_occurred = True
layer.get("group/name")
connection.commit()
connection.set_autocommit(True)
connection.cursor().execute("SELECT * FROM kept")
assert len(made) == before
connection.close()
print("well")
"""


def test_a_cache_in_the_database_gets_a_new_connection_for_a_broken_one_and_for_no_other(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(servers.ROOT)}
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", IN_A_DATABASE],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("well\n", "")


def test_an_entry_of_an_alias_is_copied_upwards_like_any_other(shared: Callable[..., AliasLayer], clock: Clock) -> None:
    one, two = memory(clock), shared()
    two.put(KEY, entry(), NOW + 300)
    layers = Layers([one, two], clock=clock)
    found = layers.get(KEY)
    assert found is not None
    assert found.layer == "shared"
    clock.now = NOW + 299
    assert one.get(KEY) is not None
    clock.now = NOW + 300
    assert one.get(KEY) is None


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


@pytest.mark.usefixtures("_at_once")
def test_a_journal_that_cannot_be_made_fails_the_purge_and_nothing_else(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "file").touch()
    purges = PurgeJournal(private_file(tmp_path / "file" / "journal"), keep=100, clock=clock)
    assert not purges.is_purged("group", NOW)
    with pytest.raises(OSError):  # noqa: PT011 - whatever the disk says
        purges.append("group")
    assert purges.is_purged("group", NOW - 1)
