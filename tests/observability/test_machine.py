"""Values of the machine in Prometheus' text: room of disk caches, memory."""

from prometheus_client import CollectorRegistry

from tests.support.prometheus import samples
from thumbs.observability.machine import MachineCollector, Room
from thumbs.observability.metrics import DROP_REASONS, RENDER_EVENTS, Metrics
from thumbs.render.isolation.pool import EVENTS
from thumbs.server import drops


def text_of(collector: MachineCollector) -> str:
    return Metrics(CollectorRegistry()).exposition(None, None, None, None, None, collector)[1].decode()


def test_a_disk_cache_has_its_limit_and_free_space() -> None:
    text = text_of(MachineCollector({"photos": Room(2048, 4096), "films": Room(None, 512)}, {"worker": 7, "render": 0}))
    assert samples(text, "mage_cache_limit_bytes") == {("photos",): 2048}  # no limit, no value: full has no meaning
    assert samples(text, "mage_cache_free_bytes") == {("photos",): 4096, ("films",): 512}
    assert samples(text, "mage_memory_bytes") == {("worker",): 7, ("render",): 0}


def test_events_that_alerts_count_are_there_before_the_first_of_them() -> None:
    text = text_of(MachineCollector({}, {}))
    assert samples(text, "mage_render_processes_total") == {(event,): 0 for event in EVENTS}
    assert samples(text, "mage_connections_dropped_total") == {(reason,): 0 for reason in DROP_REASONS}
    assert samples(text, "mage_worker_exits_total") == {("stopped",): 0, ("lost",): 0}
    assert samples(text, "mage_workers") == {(): 1}


def test_the_names_of_events_are_those_of_the_code_that_counts_them() -> None:
    assert set(RENDER_EVENTS) == set(EVENTS)
    assert set(DROP_REASONS) == {drops.STALLED, drops.UNSENT, drops.CROWDED, drops.UNANSWERED}
