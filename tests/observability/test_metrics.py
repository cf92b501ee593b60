"""Prometheus text: values are right, labels come from closed sets."""

import threading
import time
from collections.abc import Callable

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
