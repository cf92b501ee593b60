"""A purge hides what was made before it, in every process, whatever happens to the journal."""

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

from tests.support.cache_layers import KEY, bodies, disk, entry, memory
from tests.support.clock import NOW, Clock
from tests.support.private_files import private_file
from thumbs.cache.adapters import MemoryLayer
from thumbs.cache.layer import Layer
from thumbs.cache.layers import Layers
from thumbs.cache.purge import journal as purges_module
from thumbs.cache.purge.journal import PurgeJournal
from thumbs.cache.sieve import Sieve

# ---------------------------------------------------------------------------------------- purges


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal is read at every lookup, however soon after the last."""
    monkeypatch.setattr(purges_module, "_CHECK_SECONDS", 0)


def purging(path: Path, clock: Clock, store: Layer | None = None) -> Layers:
    """The layers of one of several processes: its own memory, a common journal."""
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
def test_a_process_that_starts_later_sees_the_purges(tmp_path: Path, clock: Clock) -> None:
    shared = disk(tmp_path / "cache", clock)
    here = purging(tmp_path, clock, shared)
    here.put(KEY, entry())
    clock.now += 1
    here.purge("group")
    shared.put(KEY, entry(), NOW + 300)  # another process was slow to write it
    assert purging(tmp_path, clock, shared).get(KEY) is None


@pytest.mark.usefixtures("_at_once")
def test_a_process_that_slept_while_the_journal_was_rewritten_misses_no_purge(
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
    while journal.stat().st_size <= was:  # longer than when it was last read, as if only appended to
        groups.append(f"more{len(groups)}")
        here.append(groups[-1])
    assert all(asleep.is_purged(group, clock.now - 55) for group in groups[-50:])
    assert not asleep.is_purged("never", NOW)


def written_anew(purges: PurgeJournal, clock: Clock, journal: Path) -> list[str]:
    """The groups of one purge a second, until the journal has just been rewritten."""
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
def test_purges_that_still_cover_entries_are_in_the_rewritten_journal(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purges_module, "_REWRITE_BYTES", 4000)
    groups = written_anew(
        PurgeJournal(private_file(tmp_path / "journal"), keep=60, clock=clock), clock, tmp_path / "journal"
    )
    later = PurgeJournal(private_file(tmp_path / "journal"), keep=60, clock=clock)
    assert all(later.is_purged(group, clock.now - 55) for group in groups[-50:])


@pytest.mark.usefixtures("_at_once")
def test_a_clearing_that_still_covers_entries_is_in_the_rewritten_journal(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purges_module, "_REWRITE_BYTES", 4000)
    purges = PurgeJournal(private_file(tmp_path / "journal"), keep=60, clock=clock)
    for _ in range(200):
        purges.append("old")
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
def test_an_invalid_journal_purges_nothing_and_raises_nothing(journal: bytes, tmp_path: Path, clock: Clock) -> None:
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


# --------------------------------------------------------------------------------------- a full disk


class Full(PurgeJournal):
    """A journal without room for its next `failures` purges. Each try to write one takes a second."""

    failures = 1
    number = errno.ENOSPC
    clock: ClassVar[Clock]

    def append(self, group: str) -> float:
        self.clock.now += 1
        if self.failures:
            self.failures -= 1
            raise OSError(self.number, os.strerror(self.number))
        return super().append(group)


def full(path: Path, clock: Clock, *stores: Layer) -> tuple[Layers, Full]:
    Full.clock = clock
    journal = Full(private_file(path / "run" / "journal"), keep=1000, clock=clock)
    return Layers(stores, purges=journal, clock=clock), journal


@pytest.mark.usefixtures("_at_once")
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize(("purge", "count"), [(Layers.clear, 4), (lambda layers: layers.purge("group"), 2)])
def test_a_purge_makes_the_room_that_the_journal_lacks(
    tmp_path: Path, clock: Clock, purge: Callable[[Layers], int], count: int, number: int
) -> None:
    shared = disk(tmp_path / "cache", clock)
    here, journal = full(tmp_path, clock, memory(clock), shared)
    there = purging(tmp_path, clock)
    journal.number = number
    for layers in (here, there):
        layers.put(KEY, entry())
        layers.put("other/name", entry())
    assert purge(here) == count
    assert shared.get(KEY) is None
    assert here.get(KEY) is None
    assert there.get(KEY) is None


@pytest.mark.usefixtures("_at_once")
def test_what_is_put_back_before_there_is_room_for_a_purge_is_covered_by_it(tmp_path: Path, clock: Clock) -> None:
    class PutBack(MemoryLayer):
        def clear(self) -> int:
            count = super().clear()
            there.put(KEY, entry(b"old", created=clock.now))
            return count

    there = purging(tmp_path, clock)
    here, _ = full(tmp_path, clock, PutBack(Sieve(max_bytes=10_000, max_items=10, clock=clock)))
    here.clear()
    assert there.get(KEY) is None


@pytest.mark.parametrize(("failures", "number", "kept"), [(2, errno.ENOSPC, False), (1, errno.EIO, True)])
def test_a_purge_that_the_journal_cannot_have_is_an_error(
    tmp_path: Path, clock: Clock, failures: int, number: int, kept: bool
) -> None:
    shared = disk(tmp_path / "cache", clock)
    layers, journal = full(tmp_path, clock, shared)
    layers.put(KEY, entry())
    journal.failures, journal.number = failures, number
    with pytest.raises(OSError, match=os.strerror(number)):
        layers.clear()
    assert (shared.get(KEY) is not None) == kept


# ---------------------------------------------------------------------------- as they are wired


@pytest.mark.usefixtures("_at_once")
def test_a_journal_that_cannot_be_made_fails_the_purge_and_nothing_else(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "file").touch()
    purges = PurgeJournal(private_file(tmp_path / "file" / "journal"), keep=100, clock=clock)
    assert not purges.is_purged("group", NOW)
    with pytest.raises(OSError):  # noqa: PT011 - whatever the disk says
        purges.append("group")
    assert purges.is_purged("group", NOW - 1)
