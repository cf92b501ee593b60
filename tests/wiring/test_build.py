"""What the composition root makes of a configuration."""

from pathlib import Path

import pytest

from thumbs.conf.loading import load
from thumbs.pipeline.ports import RENDER
from thumbs.pipeline.watchdog import Watchdog
from thumbs.wiring.build import build


@pytest.mark.parametrize("render_seconds", [1, 15, 60])
def test_the_watchdog_waits_longer_than_a_render_may_take(tmp_path: Path, render_seconds: int) -> None:
    storage = {"name": "photos", "driver": "local", "root": str(tmp_path), "allowed_sizes": ["9x9"]}
    thumbnailer = build(load({"STORAGES": [storage], "LIMITS": {"render_seconds": render_seconds}}))
    watch = thumbnailer.executors[RENDER].on_start
    watchdog = getattr(watch, "__self__", None)
    assert isinstance(watchdog, Watchdog)
    assert watchdog._seconds >= 2 * render_seconds
