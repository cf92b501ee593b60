"""The memory of workers and of their children, from the kernel."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from thumbs.observability import memory as module
from thumbs.observability.memory import memory, workers_in

PAGE = os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "_PROC", tmp_path / "proc")
    return tmp_path / "proc"


def add(
    proc: Path, pid: int, *, resident: int, shared: int, threads: Mapping[int, Sequence[int]] | None = None
) -> None:
    """A process, in pages, with the children of each thread."""
    (proc / str(pid)).mkdir(parents=True)
    (proc / str(pid) / "statm").write_text(f"9999 {resident} {shared} 3 0 500 0\n")
    for thread, children in (threads or {pid: ()}).items():
        directory = proc / str(pid) / "task" / str(thread)
        directory.mkdir(parents=True)
        (directory / "children").write_text("".join(f"{child} " for child in children))


def gauges(directory: Path, *pids: int) -> str:
    directory.mkdir()
    for pid in pids:
        (directory / f"gauge_livesum_{pid}.db").touch()
    return str(directory)


def test_the_workers_are_the_processes_whose_gauges_are_there(tmp_path: Path) -> None:
    names = ("gauge_livesum_41.db", "gauge_livemin_41.db", "gauge_livemostrecent_42.db", "counter_43.db", "x_44.db")
    for name in names:
        (tmp_path / name).touch()
    assert workers_in(str(tmp_path)) == {41, 42}
    assert workers_in(None) == workers_in(str(tmp_path / "none")) == set()


def test_all_workers_and_all_that_their_threads_started_are_added_up(proc: Path, tmp_path: Path) -> None:
    add(proc, 41, resident=100, shared=30, threads={41: (), 47: (45, 46)})
    add(proc, 42, resident=50, shared=20)
    add(proc, 45, resident=20, shared=5, threads={45: (48,)})
    add(proc, 46, resident=10, shared=5)
    add(proc, 48, resident=3, shared=1)
    add(proc, 49, resident=1000, shared=0)  # not ours
    found = memory(gauges(tmp_path / "counts", 41, 42))
    assert found == {"worker": (70 + 30) * PAGE, "render": (15 + 5 + 2) * PAGE}


def test_a_worker_that_another_one_started_counts_once(proc: Path, tmp_path: Path) -> None:
    add(proc, 41, resident=100, shared=30, threads={41: (42,)})
    add(proc, 42, resident=50, shared=20)
    assert memory(gauges(tmp_path / "counts", 41, 42)) == {"worker": 100 * PAGE, "render": 0}


def test_a_process_that_has_ended_meanwhile_is_left_out(proc: Path, tmp_path: Path) -> None:
    add(proc, 41, resident=100, shared=30, threads={41: (45, 46)})
    add(proc, 46, resident=10, shared=5)
    assert memory(gauges(tmp_path / "counts", 41, 42)) == {"worker": 70 * PAGE, "render": 5 * PAGE}


def test_children_that_the_kernel_hides_are_left_out_instead_of_being_nothing(proc: Path, tmp_path: Path) -> None:
    add(proc, 41, resident=100, shared=30, threads={41: (45,)})
    assert memory(gauges(tmp_path / "counts", 41)) == {"worker": 70 * PAGE}


def test_without_a_directory_it_is_the_memory_of_this_process() -> None:
    assert memory(None)["worker"] > 1024**2


def test_nothing_is_said_where_the_kernel_says_nothing(proc: Path) -> None:
    assert memory(None) == {}
