"""Several processes on one cache directory, some of them killed: every read whole, the cap kept, nothing left over."""

import operator
import os
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cache_workers import KEYS, LARGEST, Pool, is_whole, pool_in, written_by
from tests.support.disk_usage import SAMPLE_SECONDS, disk_bytes
from tests.support.waiting import WAIT_SECONDS, eventually
from thumbs.cache.filestore.ledger import BLOCK
from thumbs.cache.filestore.store import FileStore

# Enough for a fault that shows in seconds; `MAGE_CAP_SECONDS=60` looks for longer.
CAP_SECONDS = float(os.environ.get("MAGE_CAP_SECONDS", "5"))
CAP = 30_000_000
WORKERS = 4


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    with pool_in(tmp_path / "cache") as pool:
        yield pool


# ----------------------------------------------------------------------------- P6: killed while writing


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_writers_killed_while_writing_leave_no_torn_read_and_no_orphan(pool: Pool, kills: int) -> None:
    chance = random.Random(1)
    writers = [pool.start("write", CAP, seed) for seed in range(3)]
    readers = [pool.start("read") for _ in range(1 if kills < 100 else 3)]
    for seed in range(kills):
        # The next is started before the last is killed, so that three or more write at any time.
        writers.append(pool.start("write", CAP, 100 + seed))
        time.sleep(chance.uniform(0.0, 0.03))
        pool.kill(writers.pop(0))
    for writer in writers:
        pool.kill(writer)
    # The readers, whenever they are scheduled, read once more what was left before they stop.
    (pool.directory.parent / "stop").touch()
    found_by_readers = [reader.result() for reader in readers]
    for reader in readers:
        pool.join(reader)
    assert [wrong for _, wrong in found_by_readers] == [[]] * len(readers)
    assert sum(whole for whole, _ in found_by_readers) > 0
    assert pool.end() == []

    store = FileStore(pool.directory, max_bytes=CAP)
    store.sweep()
    left = {path for path in pool.directory.rglob("*") if path.is_file()}
    assert {path for path in left if path.suffix == ".tmp"} == set()
    assert store.usage().bytes == disk_bytes(pool.directory) <= CAP
    found = {key: store.get(key, expired=True) for key in KEYS}
    assert all(is_whole(key, entry.payload) for key, entry in found.items() if entry)
    assert len([path for path in left if path.suffix == ".entry"]) == len([entry for entry in found.values() if entry])


# ------------------------------------------------------------------------------------- P7: the hard cap


@pytest.mark.parametrize("janitor", ["without", "with", "killed"])
@pytest.mark.parametrize("seconds", [1, pytest.param(CAP_SECONDS, marks=pytest.mark.slow)])
def test_the_cap_holds_at_every_moment(pool: Pool, janitor: str, seconds: float, tmp_path: Path) -> None:
    writers = [pool.start("flood", CAP, seed) for seed in range(WORKERS)]
    sweeper = pool.start("sweep", CAP, tmp_path / "log") if janitor != "without" else None
    samples: list[int] = []
    # For that time, and until the writers, whenever they are scheduled, have filled the cache.
    end = time.monotonic() + seconds
    last = end + WAIT_SECONDS
    while (now := time.monotonic()) < end or (max(samples) <= CAP * 0.9 and now < last):
        samples.append(disk_bytes(pool.directory))
        time.sleep(SAMPLE_SECONDS)
        if sweeper is not None and janitor == "killed" and len(samples) % 10 == 0:
            pool.kill(sweeper)
            sweeper = pool.start("sweep", CAP, tmp_path / "log")
    assert all(writer.runs() for writer in writers)
    assert pool.end() == []
    largest = LARGEST + 2 * BLOCK
    print(  # noqa: T201 - figures to read with `pytest -s`
        f"{janitor} janitor: {len(samples)} samples, most {max(samples):,} of {CAP:,} bytes, mean "
        f"{sum(samples) // len(samples):,}"
    )
    assert max(samples) <= CAP + WORKERS * largest
    assert max(samples) > CAP * 0.9
    assert disk_bytes(pool.directory) <= CAP + WORKERS * largest
    FileStore(pool.directory, max_bytes=CAP).sweep()
    assert FileStore(pool.directory, max_bytes=CAP).usage().bytes == disk_bytes(pool.directory) <= CAP


# ------------------------------------------------------------------------------------- P14: janitors


def sweeps_in(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def wait_for_sweeps(log: Path, more: int) -> None:
    """Until `more` lines were added to the log."""
    target = len(sweeps_in(log)) + more
    eventually(lambda: len(sweeps_in(log)) >= target)


def test_one_janitor_works_at_a_time_and_the_next_takes_over(pool: Pool, tmp_path: Path) -> None:
    log = tmp_path / "log"
    for seed in range(WORKERS):
        pool.start("write", CAP, seed)
    janitors = {process.pid: process for process in (pool.start("sweep", CAP, log) for _ in range(3))}
    for _ in range(2):
        wait_for_sweeps(log, 10)
        active = int(sweeps_in(log)[-1].split()[1])
        pool.kill(janitors.pop(active))
        wait_for_sweeps(log, 10)
    assert pool.end() == []
    working: str | None = None
    for what, pid in (line.split() for line in sweeps_in(log)):
        if what == "begin":
            # One that was killed has no end; the one that works now must be another.
            assert working is None or working not in map(str, janitors)
            working = pid
        else:
            assert working == pid
            working = None


# ------------------------------------------------------------------- P8: the directory deleted, often


def test_writers_outlive_their_directory(pool: Pool) -> None:
    seeds = range(3)
    writers = [pool.start("write", CAP, seed) for seed in seeds]

    def counts() -> list[bytes]:
        return [written_by(pool.directory, seed).read_bytes() for seed in seeds]

    for _ in range(50):
        before = counts()
        shutil.rmtree(pool.directory, ignore_errors=True)
        # One write makes the directory again five times: each writer must have ended one.
        eventually(lambda before=before: all(map(operator.ne, counts(), before)))  # type: ignore[misc]
    assert all(writer.runs() for writer in writers)
    assert pool.end() == []
    store = FileStore(pool.directory, max_bytes=CAP)
    store.sweep()
    assert store.usage().bytes == disk_bytes(pool.directory) <= CAP
    assert store.usage().entries > 0


# ---------------------------------------------------------------------------------- atomic changes


def test_processes_that_count_together_miss_nothing(pool: Pool) -> None:
    counters = [pool.start("count", "g/counter", 300, ready=False) for _ in range(WORKERS)]
    made = [counter.result() for counter in counters]
    for counter in counters:
        pool.join(counter)
    assert pool.end() == []
    found = FileStore(pool.directory, max_bytes=None).get("g/counter")
    assert found is not None
    assert found.payload == b"%d" % (300 * WORKERS)
    assert sum(made) == 1
