"""A render that will not end: its process is replaced, and everybody else is served meanwhile and afterwards."""

import gc
import logging
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests import servers
from tests.commands import local_storage
from tests.processes import children
from tests.servers import eventually
from thumbs import rescue
from thumbs.rescue import Overseer, replace_process
from thumbs.stages import Stage


def test_what_runs_for_too_long_is_told_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescue, "_EVERY_SECONDS", 0.01)
    told: list[float] = []
    gate = threading.Event()
    with closing(Stage("render", threads=2, queue_length=0)) as stage:
        stage.oversee = Overseer(0.3, told.append).watch
        assert stage.longest == 0.0
        for work in (gate.wait, int):
            stage.submit(lambda work=work: (work(), lambda: None)[1])  # type: ignore[misc]
        eventually(lambda: bool(told))
        assert told[0] > 0.3
        gate.set()
        eventually(lambda: stage.longest == 0.0)
        assert len(told) == 1


def test_nobody_watches_a_stage_that_is_not_used_or_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescue, "_EVERY_SECONDS", 0.01)

    def overseers() -> int:
        return sum(thread.name == "mage-overseer" for thread in threading.enumerate())

    before = overseers()
    stage = Stage("render", threads=1, queue_length=0)
    stage.oversee = Overseer(60).watch
    assert overseers() == before
    stage.submit(lambda: lambda: None)
    assert overseers() == before + 1
    stage.close()
    del stage
    gc.collect()
    eventually(lambda: overseers() == before)


def test_a_process_that_nobody_would_start_again_goes_on(
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
    with servers.site(document, tmp_path, worker=worker, module="tests.stuck") as server:
        assert server.get("photos/thumbs/50x/quarters.jpg").status == 200  # so that its worker is there
        (first,) = children(server.process.pid)
        # Nobody can wait for it, and while it runs there is room for no other: so the queue's patience ends.
        began = time.monotonic()
        assert server.get("photos/thumbs/666x/quarters.jpg").status == 504
        eventually(lambda: children(server.process.pid).isdisjoint({first}))
        eventually(lambda: server.get("photos/thumbs/51x/quarters.jpg").status == 200)
        (second,) = children(server.process.pid)
        assert second != first
        assert "has not ended after" in server.log.read_text()
        print(f"{worker}: answers again after {time.monotonic() - began:.1f} s")  # noqa: T201 - to read with `-s`
