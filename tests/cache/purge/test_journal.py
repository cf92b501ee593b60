"""The file of purges: a purge that was reported is in it, whatever happens to the disk and to other processes."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.clock import NOW, Clock
from tests.support.containers import sizes
from tests.support.private_files import private_file
from thumbs.cache.filestore import flock
from thumbs.cache.purge import journal
from thumbs.cache.purge.journal import PurgeJournal

KEEP = 1000.0


def opened(path: Path, clock: Clock) -> PurgeJournal:
    """The journal as another process has it that starts now."""
    return PurgeJournal(private_file(path / "journal"), keep=KEEP, clock=clock)


@pytest.fixture
def _copied_descriptors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each file that is locked stays open elsewhere, as in a child that was forked while it was locked."""
    copies: list[int] = []

    def lock(fd: int) -> None:
        flock.lock(fd)
        copies.append(os.dup(fd))

    monkeypatch.setattr(journal, "lock", lock)
    yield
    for copy in copies:
        os.close(copy)


@pytest.mark.usefixtures("_copied_descriptors")
def test_a_child_that_was_forked_during_a_purge_does_not_keep_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flock, "LOCK_SECONDS", 0.1)
    purges = PurgeJournal(private_file(tmp_path / "journal"), keep=KEEP)
    for _ in range(2):
        purges.append("group")


@pytest.mark.parametrize("tail", [b"1700000000.0 torn", b"1700000000.0 *", b"\0\0\0"])
def test_a_purge_is_not_glued_to_a_line_that_a_power_failure_has_cut(tmp_path: Path, clock: Clock, tail: bytes) -> None:
    opened(tmp_path, clock).append("first")
    clock.now += 10
    with (tmp_path / "journal").open("ab") as file:
        file.write(tail)
    running = opened(tmp_path, clock)
    assert running.is_purged("first", NOW)
    opened(tmp_path, clock).append("second")
    for purges in (opened(tmp_path, clock), reread(running)):
        assert purges.is_purged("second", NOW + 10)
        assert not purges.is_purged("third", NOW + 1)


def reread(purges: PurgeJournal) -> PurgeJournal:
    """`purges`, which looks at the file at its next question, however soon that is."""
    purges._check_at = 0.0
    return purges


def test_a_purge_that_was_written_in_part_is_no_success_and_leaves_nothing(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    purges = opened(tmp_path, clock)
    purges.append("first")
    content = (tmp_path / "journal").read_bytes()
    with monkeypatch.context() as full:
        full.setattr(os, "pwrite", room_for(7))
        with pytest.raises(OSError, match="No space left"):
            purges.append("second")
    assert (tmp_path / "journal").read_bytes() == content
    purges.append("third")
    later = opened(tmp_path, clock)
    assert [later.is_purged(group, NOW) for group in ("first", "second", "third")] == [True, False, True]


def room_for(count: int) -> Callable[[int, bytes, int], int]:
    """`os.pwrite` of a disk that has room for `count` bytes."""
    pwrite, left = os.pwrite, count

    def write(fd: int, data: bytes, position: int) -> int:
        nonlocal left
        if not left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = pwrite(fd, data[:left], position)
        left -= written
        return written

    return write


def test_a_purge_that_is_written_in_parts_is_whole(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, position: pwrite(fd, data[:5], position))
    for group in ("first", "second"):
        opened(tmp_path, clock).append(group)
    assert (tmp_path / "journal").read_bytes().endswith(b"\n1700000000.0 first\n1700000000.0 second\n")


def test_at_no_moment_of_a_rewrite_does_a_process_miss_a_purge(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_REWRITE_BYTES", 4000)
    purges, running = opened(tmp_path, clock), opened(tmp_path, clock)
    groups = [f"new{number}" for number in range(10)]
    for number in range(100):
        purges.append(f"old{number}")
    clock.now += KEEP + 1
    for group in groups:
        purges.append(group)
    looks = []

    def knows_all(process: PurgeJournal) -> bool:
        return all(process.is_purged(group, clock.now) for group in groups)

    def look_after(name: str) -> None:
        call: Callable[..., int | None] = getattr(os, name)

        def call_and_look(*arguments: object) -> int | None:
            result = call(*arguments)
            looks.append(knows_all(opened(tmp_path, clock)) and knows_all(reread(running)))
            return result

        monkeypatch.setattr(os, name, call_and_look)

    look_after("pwrite")
    look_after("ftruncate")
    size = 0
    while (was := size) <= (size := (tmp_path / "journal").stat().st_size):
        purges.append("more")
    while (tmp_path / "journal").stat().st_size <= was:
        groups.append(f"more{len(groups)}")
        purges.append(groups[-1])
    assert set(looks) == {True}
    assert knows_all(reread(running))


# ----------------------------------------------------------------------------------------- bulk purges


def purge_many(purges: PurgeJournal, path: Path) -> list[str]:
    """Purge 500 groups, which is more than a journal of `_REWRITE_BYTES` holds; return the marks that it had."""
    marks = []
    for number in range(500):
        purges.append(f"group{number}")
        with (path / "journal").open() as lines:
            marks.append(next(lines))
    return marks


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_REWRITE_BYTES", 2000)


@pytest.mark.usefixtures("_small")
def test_a_journal_of_purges_that_all_have_an_effect_is_not_rewritten(tmp_path: Path, clock: Clock) -> None:
    assert len(set(purge_many(opened(tmp_path, clock), tmp_path))) == 1
    later = opened(tmp_path, clock)
    assert all(later.is_purged(f"group{number}", NOW) for number in range(500))


@pytest.mark.usefixtures("_small")
def test_a_journal_of_repeated_purges_is_rewritten_when_that_halves_it(tmp_path: Path, clock: Clock) -> None:
    purges = opened(tmp_path, clock)
    marks = {mark for _ in range(5) for mark in purge_many(purges, tmp_path)}
    assert 2 <= len(marks) <= 5
    assert len((tmp_path / "journal").read_text().splitlines()) <= 1001
    later = opened(tmp_path, clock)
    assert all(later.is_purged(f"group{number}", NOW) for number in range(500))


@pytest.mark.usefixtures("_small")
def test_a_bulk_purge_goes_through_all_purges_a_few_times_only(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop, walks = PurgeJournal._drop_before, []

    def drop_before(self: PurgeJournal, before: float) -> None:
        walks.append(self)
        drop(self, before)

    monkeypatch.setattr(PurgeJournal, "_drop_before", drop_before)
    purges, running = opened(tmp_path, clock), opened(tmp_path, clock)
    for number in range(500):
        purges.append(f"group{number}")
        assert reread(running).is_purged(f"group{number}", NOW)
    assert len(walks) <= 20


@pytest.mark.usefixtures("_small")
def test_a_bulk_purge_that_has_no_effect_any_more_leaves_the_journal_and_the_memory_of_processes(
    tmp_path: Path, clock: Clock
) -> None:
    purges, running = opened(tmp_path, clock), opened(tmp_path, clock)
    purge_many(purges, tmp_path)
    assert running.is_purged("group0", NOW)
    clock.now += KEEP + 1
    purges.append("last")
    assert len((tmp_path / "journal").read_text().splitlines()) <= 3
    for process in (purges, reread(running), opened(tmp_path, clock)):
        assert process.is_purged("last", clock.now)
        assert max(sizes(process).values()) <= 1
