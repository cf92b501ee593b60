"""What the composition root makes of a configuration."""

from pathlib import Path

import pytest

from thumbs.conf.loading import load
from thumbs.pipeline.fair_executor import FairStage
from thumbs.pipeline.ports import render_stage
from thumbs.pipeline.watchdog import Watchdog
from thumbs.wiring.build import build


@pytest.mark.parametrize("render_seconds", [1, 15, 60])
def test_the_watchdog_waits_longer_than_a_render_may_take(tmp_path: Path, render_seconds: int) -> None:
    storage = {"name": "photos", "driver": "local", "root": str(tmp_path), "allowed_sizes": ["9x9"]}
    thumbnailer = build(load({"STORAGES": [storage], "LIMITS": {"render_seconds": render_seconds}}))
    stage = thumbnailer.executors[render_stage("photos")]
    assert isinstance(stage, FairStage)
    watchdog = getattr(stage.executor.on_start, "__self__", None)
    assert isinstance(watchdog, Watchdog)
    assert watchdog._seconds >= 2 * render_seconds


def test_storages_share_the_render_places_by_their_weights(tmp_path: Path) -> None:
    storage = {"driver": "local", "root": str(tmp_path), "allowed_sizes": ["9x9"]}
    storages = [{**storage, "name": "photos"}, {**storage, "name": "scans", "weight": 2.5}]
    thumbnailer = build(load({"STORAGES": storages, "LIMITS": {"renders": 3, "queue_length": 7}}))
    stages = [thumbnailer.executors[render_stage(name)] for name in ("photos", "scans")]
    assert all(isinstance(stage, FairStage) for stage in stages)
    executors = [stage.executor for stage in stages if isinstance(stage, FairStage)]
    assert executors[0] is executors[1]
    queue = executors[0]._queue
    assert {name: flow.weight for name, flow in queue._flows.items()} == {"photos": 1.0, "scans": 2.5}
    assert (queue._places, queue._queue_length) == (3, 7)
