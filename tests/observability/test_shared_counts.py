"""The counts of processes that have ended: each is kept, counted once at any moment, and takes no file of its own."""

import errno
import fcntl
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.mmap_dict import MmapedDict, mmap_key

from tests.support.prometheus import samples
from tests.support.waiting import WAIT_SECONDS
from thumbs.observability import shared_counts
from thumbs.observability.shared_counts import SharedCounts

PIDS = range(4_000_001, 4_000_021)  # more than Linux gives
_KEYS = {
    "counter": [mmap_key("a", "a_total", ["of"], ["one"], "Help."), mmap_key("a", "a_total", ["of"], ["two"], "Help.")],
    "histogram": [mmap_key("h", "h_bucket", ["le"], [le], "Help.") for le in ("1.0", "+Inf")]
    + [mmap_key("h", "h_sum", [], [], "Help.")],
}
_SUMS = {"a": {("one",): 20, ("two",): 40}, "h_bucket": {("1.0",): 20, ("+Inf",): 60}, "h_sum": {(): 60}}


def write(path: Path, values: Mapping[str, float]) -> None:
    """A file as a process leaves it."""
    file = MmapedDict(str(path))  # type: ignore[no-untyped-call]
    for key, value in values.items():
        file.write_value(key, value, 0.0)  # type: ignore[no-untyped-call]
    file.close()  # type: ignore[no-untyped-call]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The files of processes that have ended: in each, the values are 1, 2 and 3, in the order of the keys."""
    for pid in PIDS:
        for kind, keys in _KEYS.items():
            write(tmp_path / f"{kind}_{pid}.db", {key: float(value) for value, key in enumerate(keys, 1)})
    return tmp_path


def sums(directory: Path) -> dict[str, dict[tuple[str, ...], float]]:
    registry = CollectorRegistry()
    SharedCounts(registry, path=str(directory))
    text = generate_latest(registry).decode()
    return {"a": samples(text, "a_total"), **{name: samples(text, name) for name in ("h_bucket", "h_sum")}}


def files(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


@contextmanager
def locked(directory: Path, kind: int) -> Iterator[None]:
    descriptor = os.open(directory, os.O_RDONLY)
    fcntl.flock(descriptor, kind)
    try:
        yield
    finally:
        os.close(descriptor)


def test_the_counts_of_processes_that_have_ended_are_kept_in_one_file_of_each_kind(directory: Path) -> None:
    shared = SharedCounts(None, path=str(directory))
    for pid in PIDS:
        shared.add_to_ended(pid)
        assert sums(directory) == _SUMS
    assert files(directory) == {"counter_ended.db", "histogram_ended.db"}


def test_a_process_that_has_counted_nothing_leaves_the_others_as_they_are(directory: Path) -> None:
    before = files(directory)
    SharedCounts(None, path=str(directory)).add_to_ended(PIDS[-1] + 1)
    assert files(directory) == before


def test_more_counts_than_fit_a_first_file_are_kept(tmp_path: Path) -> None:
    shared = SharedCounts(None, path=str(tmp_path))
    for pid in PIDS[:2]:
        keys = [mmap_key("a", "a_total", ["of"], [f"{pid} {number}"], "Help." * 4) for number in range(700)]
        write(tmp_path / f"counter_{pid}.db", dict.fromkeys(keys, 1.0))
        shared.add_to_ended(pid)
    assert (tmp_path / "counter_ended.db").stat().st_size > 1 << 16
    assert sum(sums(tmp_path)["a"].values()) == 1400


def test_no_scrape_counts_a_process_twice_or_not_at_all(directory: Path) -> None:
    """A scrape after the other, while one process after the other ends."""
    seen: list[object] = []
    begun, ended = threading.Event(), threading.Event()

    def scrape() -> None:
        while not ended.is_set():
            seen.append(sums(directory))
            begun.set()

    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        assert begun.wait(WAIT_SECONDS)
        shared = SharedCounts(None, path=str(directory))
        for pid in PIDS:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(shared_counts, "_TRIES", 1_000_000)
                shared.add_to_ended(pid)
    finally:
        ended.set()
        thread.join(WAIT_SECONDS)
    assert all(each == _SUMS for each in seen)


def test_a_scrape_waits_until_the_counts_of_a_process_are_moved(directory: Path) -> None:
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(sums(directory)))
    with locked(directory, fcntl.LOCK_EX):
        thread.start()
        thread.join(0.1)
        assert found == []
    thread.join(WAIT_SECONDS)
    assert found == [_SUMS]


def test_a_scrape_that_does_not_end_holds_nothing_up(directory: Path) -> None:
    """Gunicorn's main process would wait for a worker that it has to end itself."""
    shared, before = SharedCounts(None, path=str(directory)), files(directory)
    with locked(directory, fcntl.LOCK_SH), pytest.raises(BlockingIOError):
        shared.add_to_ended(PIDS[0])
    assert files(directory) == before
    shared.add_to_ended(PIDS[0])
    assert f"counter_{PIDS[0]}.db" not in files(directory)
    assert sums(directory) == _SUMS


def test_a_process_that_was_forked_during_a_scrape_does_not_keep_the_lock(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies: list[int] = []
    opened = os.open

    def open_and_copy(path: str, flags: int) -> int:
        descriptor = opened(path, flags)
        copies.append(os.dup(descriptor))  # what a fork makes of it
        return descriptor

    monkeypatch.setattr(os, "open", open_and_copy)
    try:
        assert sums(directory) == _SUMS
        assert copies
        SharedCounts(None, path=str(directory)).add_to_ended(PIDS[0])
    finally:
        for copy in copies:
            os.close(copy)
    assert not list(directory.glob(f"*_{PIDS[0]}.db"))


def test_on_a_full_disk_the_files_stay_as_they_are(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = SharedCounts(None, path=str(directory))
    shared.add_to_ended(PIDS[0])
    before = files(directory)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        with pytest.raises(OSError, match="No space left"):
            shared.add_to_ended(PIDS[1])
    assert files(directory) == before
    assert sums(directory) == _SUMS


def test_what_a_killed_process_had_begun_is_begun_anew(directory: Path) -> None:
    (directory / "counter_ended.new").write_bytes(b"\xff" * 100)
    SharedCounts(None, path=str(directory)).add_to_ended(PIDS[0])
    assert "counter_ended.new" not in files(directory)
    assert sums(directory) == _SUMS
