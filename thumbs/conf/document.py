"""Every key of the configuration: its name, its kind, its default. Sizes and times carry their unit in the name."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from thumbs.conf import values
from thumbs.conf.cpus import usable_cores
from thumbs.conf.keys import (
    anything,
    boolean,
    key,
    list_of,
    mapping_of,
    nested,
    number,
    one_of,
    one_or_list_of,
    overrides,
    some_of,
    text,
    whole,
)
from thumbs.image import limits
from thumbs.image.encoding import SUBSAMPLING, Encoding
from thumbs.image.formats import DEFAULT_INPUTS, FORMATS, OUTPUT_NAMES
from thumbs.image.geometry import OutputLimits
from thumbs.image.outputs import JSON
from thumbs.image.quality import QualityTable
from thumbs.image.transforms import ORIGINAL
from thumbs.request import cache_tags
from thumbs.request.grammar import Preset
from thumbs.request.signing import DEFAULT_LENGTH, MAXIMUM_LENGTH
from thumbs.sources.http.settings import HttpSettings
from thumbs.sources.s3.settings import DEFAULT_REGION, S3Http

MIB = 1024 * 1024
MEGAPIXEL = 1_000_000
MAX_WORKERS = 1024
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOG_FORMATS = (TEXT_LINES, JSON_LINES) = ("text", "json")
# What pictures are made of: the originals, or plain colors, without any storage.
NORMAL, DUMMY = MODES = ("normal", "dummy")
# An original whose data ends early: 422, or what browsers show of it.
REFUSED, RENDERED = TRUNCATED = ("refuse", "render")
# Where renders run: in threads; in child processes, with the sandbox that the kernel offers; in such with all of it.
OFF, AUTO, REQUIRE = ISOLATION = ("off", "auto", "require")
# The pages of the playground: none; pages that sign no URL and list no storage; pages that do both.
NO_PAGES, PAGES, SIGNING_PAGES = PLAYGROUND = ("off", "on", "sign")

# What a storage may offer. The stored bytes themselves are offered only where they are named.
FORMAT_NAMES = (*sorted({*OUTPUT_NAMES.values(), JSON}), ORIGINAL)

_DRIVERS = (
    'Such as "driver": "local" with "root": "/srv/photos", or in a site "driver": "django" with "alias": "default".'
)
# The least configurations that no check has anything to say about.
LEAST_IN_FILE = (
    'The least is {"storages": [{"name": "photos", "driver": "local", "root": "/srv/photos", '
    '"allowed_sizes": ["400x300"], "cache": {"memory": {"enabled": true, "max_size_mb": 64}}}]}.'
)
LEAST_IN_SETTINGS = (
    'In settings.py, the least is THUMBS = {"STORAGES": [{"name": "media", "driver": "django", "alias": "default", '
    '"signature_secret_key": "django", "cache": {"memory": {"enabled": True, "max_size_mb": 64}}}]}.'
)

# How files are written.
_ENCODING = nested(
    Encoding,
    jpeg_progressive=boolean,
    jpeg_subsampling=one_of(SUBSAMPLING),
    png_palette=boolean,
    keep_copyright=boolean,
    linear=boolean,
    keep_gain_map=boolean,
)
_S3_HTTP = nested(
    S3Http,
    max_idle_conns=whole(1),
    max_idle_conns_per_host=whole(1),
    max_conns_per_host=whole(0),
    idle_conn_timeout_sec=number(0),
    connect_timeout_sec=number(0.01),
    request_timeout_sec=number(0.01),
    response_header_timeout_sec=number(0.01),
)
_HTTP = HttpSettings()

# Of a `grid`: CSS pixels from which each is in use, those of Bootstrap.
BREAKPOINTS: Mapping[str, int] = {"s": 576, "m": 768, "l": 992, "xl": 1200, "xxl": 1400}


@dataclass(frozen=True, slots=True)
class MemoryCacheConf:
    enabled: bool | None = key(boolean, default=None)  # None: not given, which means off
    max_size_mb: float | None = key(number(0.001), default=None)
    max_items: int | None = key(whole(1), default=None)
    alias: str | None = key(text, default=None)


@dataclass(frozen=True, slots=True)
class DiskCacheConf:
    enabled: bool | None = key(boolean, default=None)  # None: not given, which means off
    ttl_seconds: float = key(number(1), default=300.0)
    max_size_mb: float = key(number(0), default=0.0)
    dir: str | None = key(text, default=None)
    clear_on_startup: bool = key(boolean, default=False)
    stale_seconds: float = key(number(0), default=0.0)
    alias: str | None = key(text, default=None)


@dataclass(frozen=True, slots=True)
class SharedCacheConf:
    alias: str | None = key(text, default=None)


@dataclass(frozen=True, slots=True)
class ObjectCacheConf:
    storage: str | None = key(values.storage_name, default=None)
    prefix: str = key(values.object_prefix, default="mage/")
    ttl_seconds: float = key(number(1), default=2_592_000.0)
    poll_seconds: float = key(number(1), default=30.0)
    timeout_ms: float = key(number(1), default=200.0)


@dataclass(frozen=True, slots=True)
class CacheConf:
    memory: MemoryCacheConf = key(nested(MemoryCacheConf))
    disk: DiskCacheConf = key(nested(DiskCacheConf))
    shared: SharedCacheConf = key(nested(SharedCacheConf))
    objects: ObjectCacheConf = key(nested(ObjectCacheConf))
    sources: bool = key(boolean, default=False)
    # Not given: empty in a file, so that servers that share a cache agree; in a site a digest of the storage's place.
    namespace: str | None = key(values.namespace, default=None)


@dataclass(frozen=True, slots=True)
class LimitsConf:
    """The global limits. Those of `PROCESS_LIMITS` are for a whole process; a storage may set the others."""

    max_source_mb: float = key(number(0.001), default=limits.MAX_SOURCE_BYTES / MIB)
    max_source_megapixels: float = key(number(0.001), default=limits.MAX_SOURCE_PIXELS / MEGAPIXEL)
    max_whole_megapixels: float = key(number(0.001), default=limits.MAX_WHOLE_PIXELS / MEGAPIXEL)
    max_animation_megapixels: float = key(number(0.001), default=limits.MAX_ANIMATION_PIXELS / MEGAPIXEL)
    max_side: int = key(whole(1), default=limits.MAX_SIDE)
    max_output_pixels: int = key(whole(1), default=limits.MAX_OUTPUT_PIXELS)
    max_avif_pixels: int = key(whole(1), default=limits.MAX_AVIF_PIXELS)
    max_gif_pixels: int = key(whole(1), default=limits.MAX_GIF_PIXELS)
    max_jxl_pixels: int = key(whole(1), default=limits.MAX_JXL_PIXELS)
    max_frames: int = key(whole(1), default=limits.MAX_FRAMES)
    fetch_seconds: float = key(number(0.01), default=limits.FETCH_SECONDS)
    render_seconds: float = key(number(0.01), default=limits.RENDER_SECONDS)
    renders: int | None = key(whole(1, 256), default=None)
    render_memory_mb: int = key(whole(64), default=limits.RENDER_MEMORY_BYTES // MIB)
    fetches: int = key(whole(1, 1024), default=16)
    queue_length: int = key(whole(1), default=100)
    queue_seconds: float = key(number(0.01), default=10.0)
    send_seconds: float = key(number(0.01), default=30.0)
    unsent_mb: float = key(number(0.001), default=64.0)

    @property
    def max_source_bytes(self) -> int:
        return int(self.max_source_mb * MIB)

    @property
    def max_source_pixels(self) -> int:
        return int(self.max_source_megapixels * MEGAPIXEL)

    @property
    def max_whole_pixels(self) -> int:
        return int(self.max_whole_megapixels * MEGAPIXEL)

    @property
    def max_animation_pixels(self) -> int:
        return int(self.max_animation_megapixels * MEGAPIXEL)

    @property
    def unsent_bytes(self) -> int:
        return int(self.unsent_mb * MIB)

    @property
    def output(self) -> OutputLimits:
        return OutputLimits(self.max_side, self.max_output_pixels)

    def narrowed(self, own: Mapping[str, Any]) -> "LimitsConf":
        """These limits with a storage's own in their place."""
        return replace(self, **own)


PROCESS_LIMITS = (
    *("renders", "render_memory_mb", "fetches", "queue_length", "queue_seconds"),
    *("send_seconds", "unsent_mb"),
)


@dataclass(frozen=True, slots=True)
class StorageConf:
    name: str = key(values.storage_name, required=True, example='Such as "name": "photos", which begins its URLs.')
    driver: str = key(text, required=True, example=_DRIVERS)
    root: str | None = key(text, default=None)
    follow_symlinks: bool = key(boolean, default=False)
    bucket: str | None = key(text, default=None)
    region: str = key(text, default=DEFAULT_REGION)
    access_key: str | None = key(text, default=None, secret=True)
    secret_key: str | None = key(text, default=None, secret=True)
    base_url: str | None = key(text, default=None)
    s3_http_config: S3Http = key(_S3_HTTP)
    allowed_sources: tuple[str, ...] = key(some_of(text), default=())
    allowed_redirects: tuple[str, ...] = key(some_of(text), default=())
    allowed_networks: tuple[str, ...] = key(some_of(text), default=())
    nat64_prefixes: tuple[str, ...] = key(some_of(text), default=())
    request_headers: dict[str, str] = key(mapping_of(text), default={}, secret=True)
    user_agent: str | None = key(text, default=None)
    connect_timeout_sec: float = key(number(0.01), default=_HTTP.connect_timeout_sec)
    response_header_timeout_sec: float = key(number(0.01), default=_HTTP.response_header_timeout_sec)
    request_timeout_sec: float = key(number(0.01), default=_HTTP.request_timeout_sec)
    max_redirects: int = key(whole(0, 20), default=_HTTP.max_redirects)
    max_conns_per_host: int = key(whole(1), default=_HTTP.max_conns_per_host)
    max_idle_conns: int = key(whole(0), default=_HTTP.max_idle_conns)
    idle_conn_timeout_sec: float = key(number(0), default=_HTTP.idle_conn_timeout_sec)
    max_conn_age_sec: float = key(number(0), default=_HTTP.max_conn_age_sec)
    ca_file: str | None = key(text, default=None)
    client_cert: str | None = key(text, default=None)
    client_key: str | None = key(text, default=None)
    revalidate: bool = key(boolean, default=_HTTP.revalidate)
    origin_cache_control: bool = key(boolean, default=_HTTP.origin_cache_control)
    alias: str | None = key(text, default=None)
    options: dict[str, object] = key(mapping_of(anything), default={}, secret=True)
    probe_key: str | None = key(text, default=None)
    signature_secret_key: tuple[str, ...] = key(one_or_list_of(text), default=(), secret=True)
    signature_length: int = key(whole(1, MAXIMUM_LENGTH), default=DEFAULT_LENGTH)
    cache: CacheConf = key(nested(CacheConf))
    cache_control: str | None = key(values.header_value, default=None)
    headers: dict[str, str] = key(values.headers, default={})
    cache_tag_header: str | None = key(one_of(cache_tags.HEADERS), default=None)
    allowed_sizes: tuple[str, ...] | None = key(some_of(values.size), default=None)
    presets_only: bool = key(boolean, default=False)
    private: bool = key(boolean, default=False)
    truncated: str = key(one_of(TRUNCATED), default=REFUSED)
    fallback: str | None = key(text, default=None)
    weight: float = key(number(0.1, 100), default=1.0)
    formats: tuple[str, ...] | None = key(list_of(one_of(FORMAT_NAMES)), default=None)
    limits: dict[str, Any] = key(overrides(LimitsConf, without=PROCESS_LIMITS), default={})


@dataclass(frozen=True, slots=True)
class DocumentConf:
    """The whole document: a `storages.json`, or `settings.THUMBS` with its names in upper case."""

    storages: tuple[object, ...] = key(list_of(anything), required=True, secret=True, example=LEAST_IN_FILE)
    dialects: tuple[object, ...] = key(list_of(anything), default=(), secret=True)
    limits: LimitsConf = key(nested(LimitsConf))
    quality: dict[str, QualityTable] = key(values.qualities, default={})
    presets: dict[str, Preset] = key(values.presets, default={})
    watermarks: dict[str, str] = key(values.watermarks, default={})
    encoding: Encoding = key(_ENCODING)
    input_formats: tuple[str, ...] = key(list_of(one_of(list(FORMATS))), default=DEFAULT_INPUTS)
    vips_concurrency: int = key(whole(1, 64), default=1)
    isolation: str = key(one_of(ISOLATION), default=OFF)
    playground: str = key(one_of(PLAYGROUND), default=NO_PAGES)
    playground_token: str | None = key(text, default=None, secret=True)
    url_prefix: str | None = key(values.prefix, default=None)
    run_dir: str | None = key(text, default=None)
    metrics: bool = key(boolean, default=False)
    access_log: bool = key(boolean, default=False)
    tracing: bool = key(boolean, default=False)
    purge_on_model_changes: bool = key(boolean, default=False)
    mode: str = key(one_of(MODES), default=NORMAL)
    strict: bool = key(boolean, default=False)
    breakpoints: dict[str, int] = key(mapping_of(whole(1)), default=BREAKPOINTS)
    container_width: int | None = key(whole(1), default=None)
    caches: dict[str, object] = key(mapping_of(anything), default={}, secret=True)
    # Not given: in a site, where the address is the site's affair. The standalone project has a default of its own.
    host: str | None = key(text, default=None)
    port: int = key(whole(0, 65535), default=8080)
    workers: int = key(whole(1, MAX_WORKERS), default=usable_cores())
    log_level: str = key(one_of(LOG_LEVELS), default="INFO")
    # None: lines of text, and the access log in JSON.
    log_format: str | None = key(one_of(LOG_FORMATS), default=None)
    trusted_proxies: tuple[str, ...] = key(list_of(values.proxy), default=())
