"""A render that will not end: its process is replaced, and all other requests are served meanwhile and afterwards."""

import gc
import logging
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.commands import local_storage
from tests.support.processes import children
from tests.support.waiting import eventually
from thumbs.pipeline import watchdog
from thumbs.pipeline.executor import BoundedExecutor
from thumbs.pipeline.watchdog import Watchdog, replace_process


def test_what_runs_for_too_long_is_told_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "_EVERY_SECONDS", 0.01)
    counted: list[float] = []
    gate = threading.Event()
    with closing(BoundedExecutor("render", threads=2, queue_length=0)) as executor:
        executor.on_start = Watchdog(0.3, counted.append).watch
        assert executor.longest == 0.0
        for work in (gate.wait, int):
            executor.submit(lambda work=work: (work(), lambda: None)[1])  # type: ignore[misc]
        eventually(lambda: bool(counted))
        assert counted[0] > 0.3
        gate.set()
        eventually(lambda: executor.longest == 0.0)
        assert len(counted) == 1


def test_a_stage_that_is_not_used_or_is_gone_is_not_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "_EVERY_SECONDS", 0.01)

    before = set(threading.enumerate())  # those of earlier tests may end meanwhile

    def watchdogs() -> int:
        return sum(thread.name == "mage-watchdog" for thread in set(threading.enumerate()) - before)

    executor = BoundedExecutor("render", threads=1, queue_length=0)
    executor.on_start = Watchdog(60).watch
    assert watchdogs() == 0
    executor.submit(lambda: lambda: None)
    assert watchdogs() == 1
    executor.close()
    del executor
    gc.collect()
    eventually(lambda: watchdogs() == 0)


def test_a_process_that_would_not_be_started_again_goes_on(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "gunicorn.arbiter", raising=False)
    with caplog.at_level(logging.ERROR, "thumbs"):
        replace_process(60)
    assert "has not ended after 60 s" in caplog.text


@pytest.mark.parametrize("worker", [servers.OUR_WORKER, "asgi", "gthread"])
def test_a_worker_of_gunicorns_with_a_render_that_does_not_end_is_replaced(
    originals: Path, tmp_path: Path, worker: str
) -> None:
    storage = local_storage("photos", originals)
    limits = {"fetch_seconds": 1.0, "render_seconds": 1.0, "renders": 1}
    document = {"storages": [storage], "limits": limits, "run_dir": str(tmp_path / "run")}
    with servers.site(document, tmp_path, worker=worker, module="tests.support.stuck") as server:
        assert server.get("photos/thumbs/50x/quarters.jpg").status == 200  # so that its worker is there
        (first,) = children(server.process.pid)
        # It never ends, so the request meets its time limit.
        began = time.monotonic()
        assert server.get("photos/thumbs/666x/quarters.jpg").status == 504
        eventually(lambda: children(server.process.pid).isdisjoint({first}))
        eventually(lambda: server.get("photos/thumbs/51x/quarters.jpg").status == 200)
        (second,) = children(server.process.pid)
        assert second != first
        assert "has not ended after" in server.log.read_text()
        print(f"{worker}: answers again after {time.monotonic() - began:.1f} s")  # noqa: T201 - to read with `-s`
