"""Prometheus text: values are right, labels come from closed sets."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from prometheus_client import CollectorRegistry

from tests.support.prometheus import samples
from tests.support.waiting import WAIT_SECONDS
from thumbs.observability.metrics import Metrics
from thumbs.pipeline.executor import BoundedExecutor


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

    def told() -> tuple[float, float]:
        text = metrics.exposition(None)[1].decode()
        return samples(text, "mage_stage_waiting")[("render",)], samples(text, "mage_stage_running")[("render",)]

    assert told() == (0, 0)
    for _ in range(3):
        stage.submit(work)
    assert begun.acquire(timeout=WAIT_SECONDS)
    assert told() == (2, 1)
    poll_once.set()
    for _ in range(2):
        assert begun.acquire(timeout=WAIT_SECONDS)
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


def test_disk_caches_and_versions_are_values_of_the_whole_machine() -> None:
    metrics = Metrics(CollectorRegistry())
    stores = {"photos": (2, 8192), "films": (0, 4096)}
    kind, body = metrics.exposition(None, stores, {"version": "1", "libvips": "8.18.7"})
    assert kind.startswith("text/plain; version=")
    text = body.decode()
    assert samples(text, "mage_cache_entries") == {("photos",): 2, ("films",): 0}
    assert samples(text, "mage_cache_bytes") == {("photos",): 8192, ("films",): 4096}
    built = [line for line in text.splitlines() if line.startswith("mage_build_info")]
    assert built == ['mage_build_info{libvips="8.18.7",version="1"} 1.0']


def test_nothing_is_told_of_versions_that_are_not_given() -> None:
    text = Metrics(CollectorRegistry()).exposition(None)[1].decode()
    assert "mage_build_info" not in text
    assert "mage_cache_entries{" not in text


def test_a_shared_directory_has_the_counts_of_all_processes_instead_of_this_one(tmp_path: Path) -> None:
    metrics = Metrics(CollectorRegistry())
    metrics.answered(200, "memory", {})
    text = metrics.exposition(str(tmp_path), {"photos": (2, 8192)})[1].decode()
    assert "mage_requests_total" not in text  # no process has written there
    assert samples(text, "mage_cache_entries") == {("photos",): 2}


def test_a_process_that_has_made_its_file_and_counted_nothing_yet_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "counter_1.db").touch()
    (tmp_path / "gauge_livesum_1.db").touch()
    content_type, body = Metrics(CollectorRegistry()).exposition(str(tmp_path), {"photos": (3, 4096)})
    assert content_type.startswith("text/plain")
    assert b'mage_cache_entries{storage="photos"} 3' in body


def test_an_unknown_stage_is_ignored() -> None:
    metrics = Metrics(CollectorRegistry())
    metrics.answered(200, "memory", {"wait": 5.0})
    text = metrics.exposition(None)[1].decode()
    assert set(samples(text, "mage_stage_seconds_sum").values()) == {0.0}
