"""The composition root: the one place that knows every concrete class and puts them together."""

import hashlib
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from django.conf import settings
from django.utils.crypto import salted_hmac
from prometheus_client import CollectorRegistry

from thumbs.access import AccessLog
from thumbs.cache.files import ForeignDirectory
from thumbs.caching import file_store, layers
from thumbs.conf.document import MIB, DocumentConf, LimitsConf, StorageConf
from thumbs.conf.loading import Configuration, load
from thumbs.cores import usable_cores
from thumbs.encoding import Encoding
from thumbs.geometry import OutputLimits
from thumbs.metrics import Metrics
from thumbs.orders import Terms
from thumbs.ports import FETCH, LOOKUP, RENDER, Picture, Storage, fetch_stage
from thumbs.quality import DEFAULT_QUALITIES
from thumbs.rescue import Overseer
from thumbs.signing import Signer
from thumbs.sources.local import LocalSource
from thumbs.sources.original import Source
from thumbs.sources.s3 import S3Http, S3Settings, S3Source
from thumbs.sources.storage import StorageSource, storage_of_alias, storage_of_class
from thumbs.stages import Stage, Watch
from thumbs.thumbnailer import Thumbnailer
from thumbs.transforms import Transform

if TYPE_CHECKING:
    from thumbs.render.renderer import BoundRenderer

# Threads that look into cold disks and shared caches: they wait more than they work.
_LOOKUPS = 8
_QUEUE_OF_LOOKUPS = 1024
_STUCK_SECONDS = 30.0
_OF_DJANGO = "django"
_SALT = "thumbs.signing"


class _Costly(TypedDict):
    queue_length: int
    patience: float
    on_demand: bool


class NotConfigured(RuntimeError):
    """The configuration has errors. `manage.py check` lists them."""


# ----------------------------------------------------------------------------------- one a process


class _Process:
    """What belongs to this process alone: a fork must not inherit its threads, connections and locks."""

    def __init__(self) -> None:
        self.start_anew()
        os.register_at_fork(after_in_child=self.start_anew)

    def start_anew(self) -> None:
        self._lock = threading.Lock()
        self._thumbnailer: Thumbnailer | None = None
        self.url_prefix: str | None = None

    def thumbnailer(self) -> Thumbnailer:
        if self._thumbnailer is None:
            with self._lock:
                if self._thumbnailer is None:
                    read = configuration()
                    self._thumbnailer = build(read)
                    self.url_prefix = read.document.url_prefix
        return self._thumbnailer


_process = _Process()


def thumbnailer() -> Thumbnailer:
    """This process's thumbnailer, made at the first call. Raises `NotConfigured`."""
    return _process.thumbnailer()


def url_prefix() -> str | None:
    """What the configuration says to put before `{storage}/thumbs/…` in URLs; None leaves it to Django's URLconf."""
    _process.thumbnailer()
    return _process.url_prefix


def forget() -> None:
    """Drop this process's thumbnailer: the next call makes a new one, from the settings as they are then."""
    _process.start_anew()


def configuration() -> Configuration:
    """`settings.THUMBS` as it is now, with everything that is wrong with it."""
    return load(getattr(settings, "THUMBS", {}))


def build(read: Configuration) -> Thumbnailer:
    """A thumbnailer for `read`. It starts no thread and opens no connection until it is used."""
    _require(read)
    limits = read.document.limits
    costly = _Costly(queue_length=limits.queue_length, patience=limits.queue_seconds, on_demand=True)
    observer = metrics() if read.document.metrics else None

    def watch(stage: str) -> Watch | None:
        return None if observer is None else observer.watch(stage)

    rendering = Stage(RENDER, threads=renders(read), watch=watch(RENDER), **costly)
    rendering.oversee = Overseer(_stuck_after(read)).watch
    return Thumbnailer(
        {conf.name: storage(conf, read) for conf in read.storages},
        {
            LOOKUP: Stage(LOOKUP, threads=_LOOKUPS, queue_length=_QUEUE_OF_LOOKUPS, watch=watch(LOOKUP)),
            # One for each storage: who hangs keeps nobody waiting but those who ask him.
            **{
                fetch_stage(conf.name): Stage(FETCH, threads=limits.fetches, watch=watch(FETCH), **costly)
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
        terms=terms(conf, read),
        source=source(conf, limits),
        layers=layers(conf, read.document.run_dir),
        render=_LazyRender(read.document, limits),
        # Twice, for the time in the queues: longer than that nobody looks at an empty frame.
        seconds=2 * (limits.fetch_seconds + limits.render_seconds),
        keeps_sources=conf.cache.sources,
    )


class _LazyRender:
    """Loads libvips at the first render: what is loaded or asked for a URL before a server forks must not have it."""

    def __init__(self, document: DocumentConf, limits: LimitsConf) -> None:
        self._document = document
        self._limits = limits

    @cached_property
    def _bound(self) -> "BoundRenderer":
        from thumbs.render.header import SourceLimits  # noqa: PLC0415
        from thumbs.render.renderer import BoundRenderer, Renderer, RenderLimits  # noqa: PLC0415
        from thumbs.render.watermarks import Watermarks  # noqa: PLC0415

        limits = self._limits
        source = SourceLimits(
            pixels=int(limits.max_source_megapixels * 1_000_000),
            whole_pixels=int(limits.max_whole_megapixels * 1_000_000),
            frames=limits.max_frames,
        )
        output = OutputLimits(limits.max_side, limits.max_output_pixels)
        inputs = frozenset(self._document.input_formats)
        renderer = Renderer(
            inputs,
            self._document.vips_concurrency,
            encoding(self._document),
            Watermarks(self._document.watermarks, inputs),
        )
        caps = limits.max_avif_pixels, limits.max_gif_pixels
        return BoundRenderer(renderer, RenderLimits(source, output, *caps, seconds=limits.render_seconds))

    def __call__(self, data: bytes, transform: Transform, *, spare: Transform | None) -> Picture:
        return self._bound(data, transform, spare=spare)

    def reduce(self, data: bytes) -> bytes:
        return self._bound.reduce(data)

    def of_reduced(self, reduced: bytes, transform: Transform, *, spare: Transform | None) -> Picture | None:
        return self._bound.of_reduced(reduced, transform, spare=spare)


def encoding(document: DocumentConf) -> Encoding:
    chosen = document.encoding
    return Encoding(**{name: getattr(chosen, name) for name in chosen.__slots__})


def state_of(file: str) -> str:
    """What changes when the file does. A file that cannot be read has a state of its own, too."""
    try:
        return hashlib.blake2b(Path(file).read_bytes(), digest_size=8).hexdigest()
    except OSError:
        return "missing"


def terms(conf: StorageConf, read: Configuration) -> Terms:
    limits = read.document.limits.narrowed(conf.limits)
    return Terms(
        name=conf.name,
        qualities=DEFAULT_QUALITIES | read.document.quality,
        output=OutputLimits(limits.max_side, limits.max_output_pixels),
        signer=signer(conf),
        sizes=None if conf.allowed_sizes is None else frozenset(conf.allowed_sizes),
        presets=read.document.presets,
        presets_only=conf.presets_only,
        watermarks={name: state_of(file) for name, file in read.document.watermarks.items()},
        encoding=encoding(read.document),
        of_reduced=conf.cache.sources,
        formats=None if conf.formats is None else frozenset(conf.formats),
        cache_control=conf.cache_control,
        headers=tuple((name.encode(), value.encode()) for name, value in conf.headers.items()),
    )


def signer(conf: StorageConf) -> Signer | None:
    """The storage's signer; None for an unsigned one. The secret `django` stands for the site's own keys."""
    secrets: list[bytes] = []
    for secret in conf.signature_secret_key:
        if secret == _OF_DJANGO:
            keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
            secrets += [salted_hmac(_SALT, conf.name, secret=key, algorithm="sha256").digest() for key in keys]
        else:
            secrets.append(secret.encode())
    return Signer(tuple(secrets), conf.signature_length) if secrets else None


def source(conf: StorageConf, limits: LimitsConf) -> Source:
    make = _DRIVERS.get(conf.driver, _class_source)
    return make(conf, int(limits.max_source_mb * MIB), limits.fetch_seconds)


def _local_source(conf: StorageConf, max_bytes: int, deadline: float) -> Source:
    return LocalSource(conf.root or "", follow_symlinks=conf.follow_symlinks, max_bytes=max_bytes, deadline=deadline)


def _s3_source(conf: StorageConf, max_bytes: int, deadline: float) -> Source:
    http = S3Http(**{name: getattr(conf.s3_http_config, name) for name in conf.s3_http_config.__slots__})
    s3_settings = S3Settings(
        bucket=conf.bucket or "",
        region=conf.region,
        access_key=conf.access_key,
        secret_key=conf.secret_key,
        base_url=conf.base_url,
        http=http,
    )
    return S3Source(s3_settings, max_bytes=max_bytes, deadline=deadline)


def _alias_source(conf: StorageConf, max_bytes: int, deadline: float) -> Source:
    return StorageSource(storage_of_alias(conf.alias or ""), max_bytes=max_bytes, deadline=deadline)


def _class_source(conf: StorageConf, max_bytes: int, deadline: float) -> Source:
    return StorageSource(storage_of_class(conf.driver, conf.options), max_bytes=max_bytes, deadline=deadline)


_DRIVERS: dict[str, Callable[[StorageConf, int, float], Source]] = {
    "local": _local_source,
    "s3": _s3_source,
    "django": _alias_source,
}
