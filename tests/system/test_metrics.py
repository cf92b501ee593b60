"""Prometheus' text: right across workers, with labels from closed sets, and only where it is enabled."""

import os
import platform
import re
import sys
import threading
import time
import tomllib
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import django
import pytest
from prometheus_client import CollectorRegistry

import thumbs
from mage_project.build_info import build_info
from tests.support import servers
from tests.support.commands import environ_with, finished, local_storage
from tests.support.prometheus import samples
from tests.support.waiting import WAIT_SECONDS
from thumbs.conf import installation
from thumbs.observability.metrics import Metrics
from thumbs.pipeline.executor import BoundedExecutor

BUILD = {
    "version": thumbs.__version__,
    "python": platform.python_version(),
    "django": django.get_version(),
    "libvips": metadata.version("pyvips-binary"),
    "libvips_origin": "bundled",
    "libvips_mode": "API",
}
MEMORY = {"enabled": True, "max_size_mb": 16}


def test_answers_are_counted_by_status_and_layer() -> None:
    metrics = Metrics(CollectorRegistry())
    for layer in ("memory", "memory", "disk"):
        metrics.answered(200, layer, {})
    metrics.answered(404, "", {})
    text = metrics.exposition(None)[1].decode()
    assert samples(text, "mage_requests_total") == {("memory", "200"): 2, ("disk", "200"): 1, ("none", "404"): 1}


def test_time_is_counted_by_stage() -> None:
    metrics = Metrics(CollectorRegistry())
    metrics.answered(200, "source", {"queue": 0.001, "fetch": 0.2, "render": 0.03, "encode": 0.004, "lookup": 9})
    text = metrics.exposition(None)[1].decode()
    assert samples(text, "mage_stage_seconds_sum") == {
        ("queue",): 0.001,
        ("fetch",): 0.2,
        ("render",): 0.03,
        ("encode",): 0.004,
    }


def test_what_waits_and_what_runs_is_counted_by_stage() -> None:
    metrics, begun, poll_once = Metrics(CollectorRegistry()), threading.Semaphore(0), threading.Event()
    stage = BoundedExecutor("render", threads=1, queue_length=2, watch=metrics.watch("render"))

    def work() -> Callable[[], None]:
        begun.release()
        poll_once.wait(10)
        return lambda: None

    def counts() -> tuple[float, float]:
        text = metrics.exposition(None)[1].decode()
        return samples(text, "mage_stage_waiting")[("render",)], samples(text, "mage_stage_running")[("render",)]

    assert counts() == (0, 0)
    for _ in range(3):
        stage.submit(work)
    assert begun.acquire(timeout=WAIT_SECONDS)
    assert counts() == (2, 1)
    poll_once.set()
    for _ in range(2):
        assert begun.acquire(timeout=WAIT_SECONDS)
    end = time.monotonic() + 10
    while counts() != (0, 0) and time.monotonic() < end:
        time.sleep(0.01)
    assert counts() == (0, 0)
    stage.close()


def test_what_a_storage_did_not_do_is_counted_by_storage_and_kind() -> None:
    metrics = Metrics(CollectorRegistry())
    metrics.failed("photos", "storage-timeout")
    text = metrics.exposition(None)[1].decode()
    assert samples(text, "mage_storage_errors_total") == {("storage-timeout", "photos"): 1}


@pytest.mark.parametrize("asked", [True, False])
def test_the_server_adds_up_its_workers_where_metrics_are_enabled(originals: Path, tmp_path: Path, asked: bool) -> None:
    disk = {"enabled": True, "dir": str(tmp_path / "disk"), "ttl_seconds": 600}
    environ = environ_with(tmp_path, [local_storage("photos", originals, memory=MEMORY, disk=disk)])
    config = tmp_path / "storages.json"
    config.write_text(config.read_text().replace("{", f'{{"metrics": {str(asked).lower()}, ', 1))
    port = servers.free_port()
    command = [sys.executable, "manage.py", "run_thumb_server", "--bind", f"127.0.0.1:{port}", "--workers", "2"]
    log = tmp_path / "log"
    with servers.running(command, log=log, environ=environ) as process:
        servers.wait_for_port(port, process, log)
        base = f"http://127.0.0.1:{port}"
        for _ in range(20):  # each on a connection of its own, so that both workers get some
            assert servers.fetch(f"{base}/photos/thumbs/90x60/quarters.jpg").status == 200
        assert servers.fetch(f"{base}/photos/thumbs/90x60/none.jpg?secret=canary").status == 404
        answers = [servers.fetch(f"{base}/metrics") for _ in range(12)]
    answer = answers[-1]  # an answer must not be counted, or reported, in the next one
    if not asked:
        assert answer.status == 404
        return
    counted = samples(answer.body.decode(), "mage_requests_total")
    assert sum(count for (_, _), count in counted.items()) == 21
    assert counted["none", "404"] == 1
    assert re.search(rb"canary|quarters", answer.body) is None
    entries = samples(answer.body.decode(), "mage_cache_entries")
    assert entries == {("photos",): 1}
    assert samples(answer.body.decode(), "mage_cache_bytes")[("photos",)] >= 4096
    assert samples(answer.body.decode(), "mage_stage_running")[("render",)] == 0
    for each in answers:
        lines = [line for line in each.body.decode().splitlines() if line.startswith("mage_build_info")]
        labels = ",".join(f'{name}="{value}"' for name, value in sorted(BUILD.items()))
        assert lines == [f"mage_build_info{{{labels}}} 1.0"]


def test_what_is_the_same_in_all_processes_leaves_nothing_in_their_files(tmp_path: Path) -> None:
    """A second answer would find it there, and report it once more for each process."""
    script = """
import sys
from prometheus_client import CollectorRegistry
from thumbs.observability.metrics import Metrics
metrics = Metrics(CollectorRegistry())
for _ in range(3):
    text = metrics.exposition(sys.argv[1], {"photos": (2, 8192)}, {"version": "1", "libvips": "8.18.7"})[1].decode()
sys.stdout.write(text)
"""
    environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    done = finished([sys.executable, "-c", script, str(tmp_path)], environ)
    assert done.stderr == ""
    lines = [line for line in done.stdout.splitlines() if line.startswith(("mage_cache", "mage_build"))]
    assert lines == [
        'mage_cache_entries{storage="photos"} 2.0',
        'mage_cache_bytes{storage="photos"} 8192.0',
        'mage_build_info{libvips="8.18.7",version="1"} 1.0',
    ]


def test_the_version_of_the_package_is_that_of_its_project() -> None:
    """The image holds the modules, and nothing that `importlib.metadata` could read."""
    project = tomllib.loads((servers.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert thumbs.__version__ == project["version"]


def test_a_libvips_whose_version_is_not_found_is_reported_as_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "libvips", lambda: installation.Unknown("no Python", broken=False))
    assert build_info.__wrapped__() == BUILD | {name: "unknown" for name in BUILD if name.startswith("libvips")}
