"""Prometheus metrics. Labels come from closed sets only: nothing that a client sends becomes one."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

_STAGES = ("queue", "fetch", "render", "encode")
# Seconds: from a small picture out of the page cache to a large one from a slow storage.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Counts in this process; with `PROMETHEUS_MULTIPROC_DIR` set, in files that all processes add up."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._requests = Counter(
            "mage_requests", "Answers by status and the layer that gave them.", ["status", "layer"], registry=registry
        )
        seconds = Histogram(
            "mage_stage_seconds", "Time spent on what had to be made.", ["stage"], buckets=_BUCKETS, registry=registry
        )
        self._seconds = {stage: seconds.labels(stage) for stage in _STAGES}
        self._waiting = Gauge(
            "mage_stage_waiting", "What waits for a thread.", ["stage"], registry=registry, multiprocess_mode="livesum"
        )
        self._running = Gauge(
            "mage_stage_running", "What has a thread.", ["stage"], registry=registry, multiprocess_mode="livesum"
        )
        self._failures = Counter(
            "mage_storage_errors", "What a storage did not do.", ["storage", "code"], registry=registry
        )
        self._known: dict[tuple[int, str], Counter] = {}

    def answered(self, status: int, layer: str, seconds: Mapping[str, float]) -> None:
        counter = self._known.get((status, layer))
        if counter is None:
            counter = self._known[status, layer] = self._requests.labels(str(status), layer or "none")
        counter.inc()
        for stage, spent in seconds.items():
            if stage in self._seconds:
                self._seconds[stage].observe(spent)

    def failed(self, storage: str, code: str) -> None:
        """A storage of the configuration failed in one of the ways that `thumbs.errors` knows."""
        self._failures.labels(storage, code).inc()

    def watch(self, stage: str) -> Callable[[int, int], None]:
        """What a stage tells of what waits in it and of what runs."""
        waiting, running = self._waiting.labels(stage), self._running.labels(stage)

        def moved(wait: int, run: int) -> None:
            waiting.inc(wait)
            running.inc(run)

        return moved

    def exposition(
        self,
        shared_directory: str | None,
        stores: Mapping[str, tuple[int, int]] | None = None,
        build: Mapping[str, str] | None = None,
    ) -> tuple[str, bytes]:
        """Content type and text: of all processes that share `shared_directory`, or of this one.

        All processes have in common: `stores`, entries and bytes of the disk cache by storage, and `build`, versions
        by name.
        """
        registry = self._registry
        if shared_directory is not None:
            registry = CollectorRegistry()
            MultiProcessCollector(registry, path=shared_directory)  # type: ignore[no-untyped-call]
        common = CollectorRegistry()
        common.register(_Common(stores or {}, build or {}))
        return CONTENT_TYPE_LATEST, generate_latest(registry) + generate_latest(common)


class _Common(Collector):
    """What no process has for itself. A Gauge would leave it in this one's file, to be told with those of others."""

    def __init__(self, stores: Mapping[str, tuple[int, int]], build: Mapping[str, str]) -> None:
        self._stores = stores
        self._build = build

    def collect(self) -> Iterator[GaugeMetricFamily]:
        entries = GaugeMetricFamily("mage_cache_entries", "Entries on disk.", labels=["storage"])
        weight = GaugeMetricFamily("mage_cache_bytes", "Bytes of disk that they take.", labels=["storage"])
        for storage, (count, size) in self._stores.items():
            entries.add_metric([storage], count)
            weight.add_metric([storage], size)
        yield from (entries, weight)
        if self._build:
            built = GaugeMetricFamily("mage_build_info", "Versions of what runs; always 1.", labels=list(self._build))
            built.add_metric(list(self._build.values()), 1)
            yield built
