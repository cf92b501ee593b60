"""What the composition root makes of a configuration."""

from pathlib import Path

import pytest

from thumbs.conf.loading import load
from thumbs.pipeline.fair_executor import FairStage
from thumbs.pipeline.ports import render_stage
from thumbs.pipeline.watchdog import Watchdog
from thumbs.wiring import build as build_module
from thumbs.wiring.build import build, renders, stores
from thumbs.wiring.caches import file_store


@pytest.mark.parametrize("render_seconds", [1, 15, 60])
def test_the_watchdog_waits_longer_than_a_render_may_take(tmp_path: Path, render_seconds: int) -> None:
    storage = {"name": "photos", "driver": "local", "root": str(tmp_path), "allowed_sizes": ["9x9"]}
    thumbnailer = build(load({"STORAGES": [storage], "LIMITS": {"render_seconds": render_seconds}}))
    stage = thumbnailer.executors[render_stage("photos")]
    assert isinstance(stage, FairStage)
    watchdog = getattr(stage.executor.on_start, "__self__", None)
    assert isinstance(watchdog, Watchdog)
    assert watchdog._seconds >= 2 * render_seconds


def test_the_usage_of_each_disk_cache_is_that_of_its_ledger(tmp_path: Path) -> None:
    def storage(name: str, **cache: object) -> dict[str, object]:
        return {"name": name, "driver": "local", "root": str(tmp_path), "cache": cache}

    def on_disk(name: str) -> dict[str, object]:
        return storage(name, disk={"enabled": True, "dir": str(tmp_path / name)})

    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "holiday.jpg").touch()
    loaded = load({"STORAGES": [on_disk("used"), on_disk("strange"), storage("none"), on_disk("new")]})
    used = file_store(loaded.storages[0])
    assert used is not None
    used.set("group/a", b"x" * 5000, expires=None)
    used.set("group/b", b"x", expires=None)
    usage = used.usage()
    found = stores(loaded)
    assert found["used"] == (2, usage.bytes)
    assert found["new"][0] == 0
    assert list(found) == ["used", "new"]  # a directory of another program has no usage of ours


@pytest.mark.parametrize(
    ("limits", "workers", "cores", "renders"),
    [({}, 1, 1, 4), ({}, 1, 8, 16), ({}, 4, 8, 4), ({}, 3, 8, 6), ({"renders": 3}, 1, 8, 3)],
)
def test_a_process_renders_twice_its_share_of_the_cores_at_once_and_at_least_four(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: dict[str, int], workers: int, cores: int, renders: int
) -> None:
    monkeypatch.setattr(build_module, "usable_cores", lambda: cores)
    storage = {"name": "photos", "driver": "local", "root": str(tmp_path), "allowed_sizes": ["9x9"]}
    loaded = load({"STORAGES": [storage], "LIMITS": {**limits, "queue_length": 1}, "WORKERS": workers})
    stage = build(loaded).executors[render_stage("photos")]
    assert isinstance(stage, FairStage)
    assert stage.executor._queue._places == renders


@pytest.mark.parametrize(
    ("limits", "workers", "cores", "places"),
    [({}, 1, 1, 2), ({}, 1, 8, 9), ({}, 4, 8, 3), ({}, 8, 2, 2), ({"renders": 1}, 1, 8, 1)],
)
def test_in_children_a_process_renders_one_more_than_its_share_of_the_cores(
    monkeypatch: pytest.MonkeyPatch, limits: dict[str, int], workers: int, cores: int, places: int
) -> None:
    monkeypatch.setattr(build_module, "usable_cores", lambda: cores)
    assert renders(load({"ISOLATION": "auto", "LIMITS": limits, "WORKERS": workers})) == places


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


@pytest.mark.parametrize("asked", [True, False])
def test_origins_set_lifetimes_where_the_configuration_asks_them(asked: bool) -> None:
    origin = {"name": "shop", "driver": "http", "base_url": "https://shop.example/", "allowed_sizes": ["9x9"]}
    loaded = load({"STORAGES": [{**origin, "origin_cache_control": asked}]})
    assert build(loaded).storages["shop"].has_lifetimes is asked
