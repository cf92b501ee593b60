"""Prometheus' text: right across workers, with labels from closed sets, and there only where it was asked for."""

import re
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from tests import servers
from tests.commands import environ_with, local_storage
from thumbs.metrics import Metrics
from thumbs.stages import Stage

MEMORY = {"enabled": True, "max_size_mb": 16}


def samples(text: str, name: str) -> dict[tuple[str, ...], float]:
    """The values of one metric, by the values of its labels in the order of their names."""
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


def test_answers_are_counted_by_status_and_layer() -> None:
    metrics = Metrics(CollectorRegistry())
    for layer in ("memory", "memory", "disk"):
        metrics.answered(200, layer, {})
    metrics.answered(404, "", {})
    text = metrics.exposition(None)[1].decode()
    assert samples(text, "mage_requests_total") == {("memory", "200"): 2, ("disk", "200"): 1, ("none", "404"): 1}


def test_time_is_told_by_stage() -> None:
    metrics = Metrics(CollectorRegistry())
    metrics.answered(200, "source", {"queue": 0.001, "fetch": 0.2, "render": 0.03, "encode": 0.004, "lookup": 9})
    text = metrics.exposition(None)[1].decode()
    assert samples(text, "mage_stage_seconds_sum") == {
        ("queue",): 0.001,
        ("fetch",): 0.2,
        ("render",): 0.03,
        ("encode",): 0.004,
    }


def test_what_waits_and_what_runs_is_told_by_stage() -> None:
    metrics, begun, go_on = Metrics(CollectorRegistry()), threading.Semaphore(0), threading.Event()
    stage = Stage("render", threads=1, queue_length=2, watch=metrics.watch("render"))

    def work() -> Callable[[], None]:
        begun.release()
        go_on.wait(10)
        return lambda: None

    def told() -> tuple[float, float]:
        text = metrics.exposition(None)[1].decode()
        return samples(text, "mage_stage_waiting")[("render",)], samples(text, "mage_stage_running")[("render",)]

    assert told() == (0, 0)
    for _ in range(3):
        stage.submit(work)
    assert begun.acquire(timeout=10)
    assert told() == (2, 1)
    go_on.set()
    for _ in range(2):
        assert begun.acquire(timeout=10)
    end = time.monotonic() + 10
    while told() != (0, 0) and time.monotonic() < end:
        time.sleep(0.01)
    assert told() == (0, 0)
    stage.close()


def test_what_a_storage_did_not_do_is_counted_by_storage_and_kind() -> None:
    metrics = Metrics(CollectorRegistry())
    metrics.failed("photos", "storage-timeout")
    text = metrics.exposition(None)[1].decode()
    assert samples(text, "mage_storage_errors_total") == {("storage-timeout", "photos"): 1}


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
        answer = servers.fetch(f"{base}/metrics")
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
