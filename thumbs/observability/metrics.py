"""Prometheus metrics. Label values come from closed sets only, never from a request."""

from collections import Counter as Tally
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from thumbs.observability.machine import CommonCollector
from thumbs.observability.shared_counts import SharedCounts

_STAGES = ("queue", "fetch", "render", "encode")
# Label values that are there from the start: what appears with its first event has no increase for Prometheus.
RENDER_EVENTS = ("started", "failed", "retired", "timeout", "killed", "crash", "invalid", "memory")
DROP_REASONS = ("stalled", "unsent", "crowded", "unanswered")
STOPPED, LOST = "stopped", "lost"  # a worker that ended when it was told to, and one that did not
# Seconds: from a small original in the page cache to a large one in a slow storage.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


@dataclass(frozen=True, slots=True)
class Totals:
    """What was counted since the start. `shared`: over all processes with the same `PROMETHEUS_MULTIPROC_DIR`.

    `requests` by (status, layer), where the layer of an error is `none`; `errors` of storages by (storage, code);
    `seconds` and `steps` by stage: their sum, and how many there were.
    """

    shared: bool
    requests: Mapping[tuple[str, str], int]
    errors: Mapping[tuple[str, str], int]
    seconds: Mapping[str, float]
    steps: Mapping[str, int]


class Metrics:
    """Counts in this process or, with `PROMETHEUS_MULTIPROC_DIR` set, in files that are summed over all processes."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._requests = Counter(
            "mage_requests",
            "Responses by status and by the layer that answered.",
            ["status", "layer"],
            registry=registry,
        )
        seconds = Histogram(
            "mage_stage_seconds",
            "Seconds in each stage of making a thumbnail.",
            ["stage"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._seconds = {stage: seconds.labels(stage) for stage in _STAGES}
        self._whole = Histogram(
            "mage_thumbnail_seconds",
            "Seconds of making a thumbnail: all stages together.",
            buckets=_BUCKETS,
            registry=registry,
        )
        self._waiting = Gauge(
            "mage_stage_waiting",
            "Steps that wait for a thread.",
            ["stage"],
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._running = Gauge(
            "mage_stage_running",
            "Steps that run in a thread.",
            ["stage"],
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._failures = Counter(
            "mage_storage_errors",
            "Failed reads of a storage, by kind of error.",
            ["storage", "code"],
            registry=registry,
        )
        self._children = Counter(
            "mage_render_processes",
            "What became of processes that render.",
            ["event"],
            registry=registry,
        )
        for event in RENDER_EVENTS:
            self._children.labels(event)
        Gauge(
            "mage_workers",
            "Worker processes that answer.",
            registry=registry,
            multiprocess_mode="livesum",
        ).set(1)
        worker_exits(registry)
        self._dropped = Counter(
            "mage_connections_dropped",
            "Connections that the server closed to protect itself, by reason.",
            ["reason"],
            registry=registry,
        )
        for reason in DROP_REASONS:
            self._dropped.labels(reason)
        self._refused = Counter(
            "mage_answers_refused",
            "Answers that became 503 because clients had not taken others.",
            registry=registry,
        )
        self._storages = Gauge(
            "mage_storage_up",
            "Whether the storage can be reached, by the last probe: 1 or 0.",
            ["storage"],
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self._layers = Gauge(
            "mage_cache_layer_up",
            "Whether this cache layer works in all processes: 1 or 0.",
            ["storage", "layer"],
            registry=registry,
            multiprocess_mode="livemin",
        )
        self._fetches = Counter(
            "mage_fetches",
            "Reads of originals over HTTP, by outcome.",
            ["storage", "outcome"],
            registry=registry,
        )
        self._fetch_seconds = Histogram(
            "mage_fetch_seconds",
            "Seconds of a read over HTTP.",
            ["storage"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._fetch_bytes = Counter(
            "mage_fetch_bytes",
            "Bytes of originals that were read over HTTP.",
            ["storage"],
            registry=registry,
        )
        self._known: dict[tuple[int, str], Counter] = {}

    def answered(self, status: int, layer: str, seconds: Mapping[str, float]) -> None:
        """Count an answer. `layer` is "" for an error; `seconds` is by stage; unknown stages are ignored."""
        counter = self._known.get((status, layer))
        if counter is None:
            counter = self._known[status, layer] = self._requests.labels(str(status), layer or "none")
        counter.inc()
        if not seconds:
            return
        made = {stage: spent for stage, spent in seconds.items() if stage in self._seconds}
        for stage, spent in made.items():
            self._seconds[stage].observe(spent)
        self._whole.observe(sum(made.values()))

    def failed(self, storage: str, code: str) -> None:
        """Count a failure of `storage`. `code` is that of a class in `thumbs.errors`."""
        self._failures.labels(storage, code).inc()

    def storage_up(self, storage: str, up: bool) -> None:
        """Whether `storage` can be reached."""
        self._storages.labels(storage).set(float(up))

    def layer_up(self, storage: str, layer: str, up: bool) -> None:
        """Whether this layer of the cache of `storage` works in this process."""
        self._layers.labels(storage, layer).set(float(up))

    def fetches(self, storage: str) -> Callable[[str, float, int], None]:
        """A callback for the reads of `storage`: it takes an outcome, seconds, and the bytes of the original.

        The outcomes are `ok`, `unchanged`, `missing`, `refused`, `failed`, `timeout` and `too_large`.
        """
        seconds, size = self._fetch_seconds.labels(storage), self._fetch_bytes.labels(storage)

        def fetched(outcome: str, spent: float, length: int) -> None:
            self._fetches.labels(storage, outcome).inc()
            seconds.observe(spent)
            size.inc(length)

        return fetched

    def render_process(self, event: str) -> None:
        """Count an event of `render.isolation.pool.EVENTS`."""
        self._children.labels(event).inc()

    def dropped(self, reason: str) -> None:
        """Count a connection that the server closed to protect itself. `reason` is a constant."""
        self._dropped.labels(reason).inc()

    def refused(self) -> None:
        """Count an answer that was refused because too much was unsent."""
        self._refused.inc()

    def watch(self, stage: str) -> Callable[[int, int], None]:
        """A callback for the executor of `stage`: it takes the changes in the numbers of waiting and running steps."""
        waiting, running = self._waiting.labels(stage), self._running.labels(stage)

        def changed(wait: int, run: int) -> None:
            waiting.inc(wait)
            running.inc(run)

        return changed

    def totals(self) -> Totals:
        """What was counted, in all processes where they share a directory, else in this one."""
        registry = CollectorRegistry()
        try:
            SharedCounts(registry)
        except ValueError:  # PROMETHEUS_MULTIPROC_DIR is not set, or names no directory
            return _totals(self._registry, shared=False)
        return _totals(registry, shared=True)

    def exposition(
        self,
        shared_directory: str | None,
        stores: Mapping[str, tuple[int, int]] | None = None,
        build: Mapping[str, str] | None = None,
        isolation: Mapping[str, bool] | None = None,
        codecs: Mapping[str, Mapping[str, str]] | None = None,
        *more: Collector,
    ) -> tuple[str, bytes]:
        """Content type and body of `/metrics`, for all processes that share `shared_directory`, else for this one.

        `stores` has entries and bytes of each storage's disk cache, `build` versions by name, `isolation` whether each
        layer holds, `codecs` the name of what reads and writes each format (`Codecs.described`). `more` are collectors
        of other values of the whole machine.
        """
        registry = self._registry
        if shared_directory is not None:
            registry = CollectorRegistry()
            SharedCounts(registry, path=shared_directory)
        common = CollectorRegistry()
        common.register(CommonCollector(stores or {}, build or {}, isolation or {}, codecs or {}))
        for collector in more:
            common.register(collector)
        return CONTENT_TYPE_LATEST, generate_latest(registry) + generate_latest(common)


def worker_exits(registry: CollectorRegistry) -> Counter:
    """Counts workers that have ended, by `STOPPED` or `LOST`. gunicorn's main process has one too, and increases it."""
    counter = Counter("mage_worker_exits", "Worker processes that have ended, by event.", ["event"], registry=registry)
    for event in (STOPPED, LOST):
        counter.labels(event)
    return counter


def _totals(registry: CollectorRegistry, *, shared: bool) -> Totals:
    requests: Tally[tuple[str, str]] = Tally()
    errors: Tally[tuple[str, str]] = Tally()
    seconds: dict[str, float] = {}
    steps: dict[str, int] = {}
    for sample in (sample for family in registry.collect() for sample in family.samples):
        labels = sample.labels
        if sample.name == "mage_requests_total":
            requests[labels["status"], labels["layer"]] += int(sample.value)
        elif sample.name == "mage_storage_errors_total":
            errors[labels["storage"], labels["code"]] += int(sample.value)
        elif sample.name == "mage_stage_seconds_sum":
            seconds[labels["stage"]] = sample.value
        elif sample.name == "mage_stage_seconds_count":
            steps[labels["stage"]] = int(sample.value)
    return Totals(shared, requests, errors, seconds, steps)
