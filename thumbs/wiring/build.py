"""The composition root: builds the thumbnailer of a configuration from concrete classes."""

from contextlib import suppress
from functools import cache, partial
from typing import TYPE_CHECKING, TypedDict

from thumbs.cache.filestore.store import ForeignDirectory
from thumbs.conf.codecs import codecs
from thumbs.conf.cpus import usable_cores
from thumbs.conf.document import DUMMY, OFF, RENDERED, TEXT_LINES, LimitsConf, StorageConf
from thumbs.conf.loading import Configuration
from thumbs.observability.access_log import AccessLog
from thumbs.observability.clients import Clients
from thumbs.pipeline.executor import BoundedExecutor, Watch
from thumbs.pipeline.fair_executor import FairExecutor
from thumbs.pipeline.gate import Gate
from thumbs.pipeline.ports import FETCH, LOOKUP, RENDER, Storage, fetch_stage, render_stage
from thumbs.pipeline.reporting.reports import Sinks
from thumbs.pipeline.thumbnailer import Thumbnailer
from thumbs.pipeline.watchdog import Watchdog
from thumbs.request.dialects.translating import Translator
from thumbs.sources.dummy import DummySource
from thumbs.sources.health import StorageHealth
from thumbs.sources.outgoing import OUTGOING
from thumbs.sources.source import Hosted, Limiting, Observable, Placed, Source
from thumbs.version import VERSION
from thumbs.wiring.caches import file_store, layers
from thumbs.wiring.dialects import dialects
from thumbs.wiring.dummy import DummyRender, drawable, large_enough
from thumbs.wiring.policies import policy
from thumbs.wiring.rendering import Rendering
from thumbs.wiring.sources import source

if TYPE_CHECKING:
    from thumbs.observability.metrics import Metrics
    from thumbs.observability.tracing import ThumbTracer

# Threads that read cold disks and shared caches: they wait most of the time.
_LOOKUP_THREADS = 8
_LOOKUP_QUEUE_LENGTH = 1024
_STUCK_SECONDS = 30.0


class _QueueOptions(TypedDict):
    queue_length: int
    max_queue_seconds: float


# ------------------------------------------------------------------------------ one for each process


def build(read: Configuration, rendering: Rendering | None = None) -> Thumbnailer:
    """A thumbnailer for `read`. It starts no thread or process and opens no connection until it is used.

    `rendering` is the process's own, made here where it is not given.
    """
    read.require()
    rendering = rendering or rendering_of(read)
    limits = read.document.limits
    queue = _QueueOptions(queue_length=limits.queue_length, max_queue_seconds=limits.queue_seconds)
    observer = metrics() if read.document.metrics else None

    def watch(stage: str) -> Watch | None:
        return None if observer is None else observer.watch(stage)

    weights = {conf.name: conf.weight for conf in read.storages}
    preempt = None if rendering.pool is None else rendering.pool.preempt
    places = FairExecutor(weights, places=renders(read), watch=watch(RENDER), preempt=preempt, **queue)
    if rendering.pool is None:
        watchdog = Watchdog(_stuck_after(read))
        places.on_start, places.on_close = watchdog.watch, watchdog.stop
    return Thumbnailer(
        {conf.name: storage(conf, read, rendering) for conf in read.storages},
        {
            LOOKUP: BoundedExecutor(
                LOOKUP, threads=_LOOKUP_THREADS, queue_length=_LOOKUP_QUEUE_LENGTH, watch=watch(LOOKUP)
            ),
            # One for each storage, so that a hanging storage delays only its own requests.
            **{
                fetch_stage(name): BoundedExecutor(
                    FETCH, threads=limits.fetches, on_demand=True, watch=watch(FETCH), **queue
                )
                for name in weights
            },
            **{render_stage(name): places.stage(name) for name in weights},
        },
        observer=observer,
        sinks=_sinks(read),
        translate=Translator(dialects(read)) if read.dialects else None,
    )


def _sinks(read: Configuration) -> Sinks:
    document = read.document
    clients = Clients(document.trusted_proxies)
    access = AccessLog(clients, as_text=document.log_format == TEXT_LINES) if document.access_log else None
    return Sinks(access, _tracer(read, clients) if document.tracing else None)


def _tracer(read: Configuration, clients: Clients) -> "ThumbTracer":
    """Imported here: without tracing there is no OpenTelemetry. Its threads start with the first span."""
    from thumbs.observability.span_export import tracer  # noqa: PLC0415
    from thumbs.observability.tracing import ThumbTracer  # noqa: PLC0415

    names = [conf.name for conf in read.storages]
    return ThumbTracer(partial(tracer, VERSION), names, clients, OUTGOING)


def rendering_of(read: Configuration) -> Rendering:
    """Where this process renders."""
    count = metrics().render_process if read.document.metrics else lambda _: None
    document = drawable(read.document) if read.document.mode == DUMMY else read.document
    offered = {
        name
        for name in codecs().optional_writers()
        if any(conf.formats is None or name in conf.formats for conf in read.storages)
    }
    return Rendering(document, renders(read), count, outputs=frozenset(offered))


def _stuck_after(read: Configuration) -> float:
    """Seconds after which a render counts as stuck: well past its deadline, which some operations overrun."""
    limits = [read.document.limits.narrowed(conf.limits) for conf in read.storages]
    return 2 * max((each.render_seconds for each in limits), default=0.0) + _STUCK_SECONDS


def renders(read: Configuration) -> int:
    """Renders at once in one process: one more than its share of the cores; in threads twice the share, at least four.

    A child waits a moment for its next original, while its answer is taken: a further one uses the gap. Of threads a
    render alternates between two threads, and other renders use the gaps. Also, kept-alive connections do not spread
    evenly over the processes. With two renders in a process instead of four, throughput was 16 % lower where one
    process had all the connections.
    """
    document = read.document
    if document.limits.renders:
        return document.limits.renders
    if document.isolation == OFF:
        return max(4, 2 * -(-usable_cores() // document.workers))
    return max(1, usable_cores() // document.workers) + 1


@cache
def metrics() -> "Metrics":
    """The metrics of this process. Imported here: a site without metrics has no prometheus-client."""
    from prometheus_client import CollectorRegistry  # noqa: PLC0415

    from thumbs.observability.metrics import Metrics  # noqa: PLC0415

    return Metrics(CollectorRegistry())


def stores(read: Configuration) -> dict[str, tuple[int, int]]:
    """Entries and bytes of each storage's disk cache, from its ledger; without those whose ledger cannot be read."""
    found = {}
    for conf in read.storages:
        store = file_store(conf)
        if store is not None:
            with suppress(OSError, ForeignDirectory):
                usage = store.usage()
                found[conf.name] = (usage.entries, usage.bytes)
    return found


# ------------------------------------------------------------------------------------- storages


def storage(conf: StorageConf, read: Configuration, rendering: Rendering) -> Storage:
    """A storage of the configuration with its source, its cache layers and its renderer."""
    limits = read.document.limits.narrowed(conf.limits)
    is_dummy = read.document.mode == DUMMY
    observer = metrics() if read.document.metrics else None
    own = large_enough(limits) if is_dummy else limits
    render = rendering.renderer(own, truncated=conf.truncated == RENDERED)
    originals = DummySource() if is_dummy else source(conf, limits)
    if isinstance(originals, Observable) and observer is not None:
        originals.observe(observer.fetches(conf.name))
    # In mode dummy no storage is read: nor written to.
    kept = layers(conf, read.document.run_dir, {} if is_dummy else read.stores)
    if observer is not None:
        kept.on_change(partial(observer.layer_up, conf.name))
    health = StorageHealth(
        conf.name,
        originals,
        probe_key=conf.probe_key,
        holds_entries=kept.holds_entries,
        report=partial(observer.storage_up, conf.name) if observer is not None else _unreported,
    )
    return Storage(
        policy=policy(conf, read),
        source=originals,
        layers=kept,
        render=DummyRender(render) if is_dummy else render,
        # Doubled to allow for the time in the queues; clients give up after that anyway.
        seconds=2 * (limits.fetch_seconds + limits.render_seconds),
        keeps_sources=conf.cache.sources,
        gate=_gate(originals, read.document.limits),
        host_of=originals.host_of if isinstance(originals, Hosted) else None,
        require_place=originals.require_place if isinstance(originals, Placed) else None,
        health=health,
        has_lifetimes=isinstance(originals, Limiting) and originals.has_lifetimes,
    )


def _gate(originals: Source, limits: LimitsConf) -> Gate | None:
    if not isinstance(originals, Hosted):
        return None
    return Gate(originals.fetches_per_host, queue_length=limits.queue_length, max_seconds=limits.queue_seconds)


def _unreported(_: object) -> None:
    pass
