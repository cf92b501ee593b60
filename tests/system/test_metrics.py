"""Prometheus text of a server: right across workers, and there only where it was asked for."""

import os
import platform
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import django
import pytest

import thumbs
from mage_project.build_info import build_info
from tests.support import servers
from tests.support.commands import environ_with, finished, local_storage
from tests.support.prometheus import samples
from thumbs.conf import installation

BUILD = {
    "version": thumbs.__version__,
    "python": platform.python_version(),
    "django": django.get_version(),
    "libvips": metadata.version("pyvips-binary"),
    "libvips_origin": "bundled",
    "libvips_mode": "API",
}
MEMORY = {"enabled": True, "max_size_mb": 16}


@pytest.mark.parametrize("asked", [True, False])
def test_the_server_adds_up_its_workers_where_metrics_are_asked_for(
    originals: Path, tmp_path: Path, asked: bool
) -> None:
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
    answer = answers[-1]  # an answer must not be counted, or told, in the next one
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
        told = [line for line in each.body.decode().splitlines() if line.startswith("mage_build_info")]
        labels = ",".join(f'{name}="{value}"' for name, value in sorted(BUILD.items()))
        assert told == [f"mage_build_info{{{labels}}} 1.0"]


def test_what_is_the_same_in_all_processes_leaves_nothing_in_their_files(tmp_path: Path) -> None:
    """A second answer would find it there, and tell it once more for each process."""
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
    told = [line for line in done.stdout.splitlines() if line.startswith(("mage_cache", "mage_build"))]
    assert told == [
        'mage_cache_entries{storage="photos"} 2.0',
        'mage_cache_bytes{storage="photos"} 8192.0',
        'mage_build_info{libvips="8.18.7",version="1"} 1.0',
    ]


def test_the_version_of_the_package_is_that_of_its_project() -> None:
    """The image holds the modules, and nothing that `importlib.metadata` could read."""
    project = tomllib.loads((servers.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert thumbs.__version__ == project["version"]


def test_a_libvips_that_cannot_be_asked_is_told_as_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "libvips", lambda: installation.Unknown("no Python", broken=False))
    assert build_info() == BUILD | {name: "unknown" for name in BUILD if name.startswith("libvips")}
