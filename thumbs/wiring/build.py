"""The composition root: the one place that knows every concrete class and puts them together."""

from contextlib import suppress
from functools import cache
from typing import TypedDict

from prometheus_client import CollectorRegistry

from thumbs.cache.filestore.store import ForeignDirectory
from thumbs.conf.cpus import usable_cores
from thumbs.conf.document import StorageConf
from thumbs.conf.loading import Configuration
from thumbs.observability.access_log import AccessLog
from thumbs.observability.metrics import Metrics
from thumbs.pipeline.executor import BoundedExecutor, Watch
from thumbs.pipeline.ports import FETCH, LOOKUP, RENDER, Storage, fetch_stage
from thumbs.pipeline.thumbnailer import Thumbnailer
from thumbs.pipeline.watchdog import Watchdog
from thumbs.wiring.caches import file_store, layers
from thumbs.wiring.policies import policy
from thumbs.wiring.rendering import _LazyRender
from thumbs.wiring.sources import source

# Threads that look into cold disks and shared caches: they wait more than they work.
_LOOKUPS = 8
_QUEUE_OF_LOOKUPS = 1024
_STUCK_SECONDS = 30.0


class _Costly(TypedDict):
    queue_length: int
    max_queue_seconds: float
    on_demand: bool


class NotConfigured(RuntimeError):
    """The configuration has errors. `manage.py check` lists them."""


# ----------------------------------------------------------------------------------- one a process


def build(read: Configuration) -> Thumbnailer:
    """A thumbnailer for `read`. It starts no thread and opens no connection until it is used."""
    _require(read)
    limits = read.document.limits
    costly = _Costly(queue_length=limits.queue_length, max_queue_seconds=limits.queue_seconds, on_demand=True)
    observer = metrics() if read.document.metrics else None

    def watch(stage: str) -> Watch | None:
        return None if observer is None else observer.watch(stage)

    rendering = BoundedExecutor(RENDER, threads=renders(read), watch=watch(RENDER), **costly)
    rendering.on_start = Watchdog(_stuck_after(read)).watch
    return Thumbnailer(
        {conf.name: storage(conf, read) for conf in read.storages},
        {
            LOOKUP: BoundedExecutor(LOOKUP, threads=_LOOKUPS, queue_length=_QUEUE_OF_LOOKUPS, watch=watch(LOOKUP)),
            # One for each storage: who hangs keeps nobody waiting but those who ask him.
            **{
                fetch_stage(conf.name): BoundedExecutor(FETCH, threads=limits.fetches, watch=watch(FETCH), **costly)
                for conf in read.storages
            },
            RENDER: rendering,
        },
        observer=observer,
        access=AccessLog() if read.document.access_log else None,
    )


def _stuck_after(read: Configuration) -> float:
    """Seconds after which a render will not end any more: its deadline has long passed, which some work outlives."""
    limits = [read.document.limits.narrowed(conf.limits) for conf in read.storages]
    return 2 * max((each.render_seconds for each in limits), default=0.0) + _STUCK_SECONDS


def _require(read: Configuration) -> None:
    if read.unusable:
        raise NotConfigured("; ".join(f"({error.id}) {error}" for error in read.unusable))


def renders(read: Configuration) -> int:
    """Renders at once in one process: twice its share of the cores, at least four.

    Each hands over between two threads again and again, and another one fills the gaps; and kept-alive connections do
    not spread evenly over the processes. With two in a process instead of four, 16 % fewer were made where one process
    had all the connections.
    """
    return read.document.limits.renders or max(4, 2 * -(-usable_cores() // read.document.workers))


@cache
def metrics() -> Metrics:
    """The metrics of this process."""
    return Metrics(CollectorRegistry())


def stores(read: Configuration) -> dict[str, tuple[int, int]]:
    """Entries and bytes of each storage's disk cache, from its account; without those that cannot be asked."""
    found = {}
    for conf in read.storages:
        store = file_store(conf)
        if store is not None:
            with suppress(OSError, ForeignDirectory):
                usage = store.usage()
                found[conf.name] = (usage.entries, usage.bytes)
    return found


# ------------------------------------------------------------------------------------- storages


def storage(conf: StorageConf, read: Configuration) -> Storage:
    """One storage of the configuration, at work."""
    limits = read.document.limits.narrowed(conf.limits)
    return Storage(
        policy=policy(conf, read),
        source=source(conf, limits),
        layers=layers(conf, read.document.run_dir),
        render=_LazyRender(read.document, limits),
        # Twice, for the time in the queues: longer than that nobody looks at an empty frame.
        seconds=2 * (limits.fetch_seconds + limits.render_seconds),
        keeps_sources=conf.cache.sources,
    )
