"""Every key of the configuration: its name, its kind, its default. Sizes and times carry their unit in the name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

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
    some_of,
    text,
    whole,
)
from thumbs.errors import BadRequest
from thumbs.image.encoding import SUBSAMPLING
from thumbs.image.formats import DEFAULT_INPUTS, FORMATS, OUTPUT_NAMES, sniff
from thumbs.image.quality import DEFAULT_QUALITIES, QualityTable, quality_table
from thumbs.request.grammar import SIZE, STORAGE, Preset, preset
from thumbs.request.scalars import NAME
from thumbs.request.signing import DEFAULT_LENGTH, MAXIMUM_LENGTH

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# What an answer says of itself; a second value would contradict it, and make errors cacheable.
_OWN_HEADERS = frozenset(
    {
        *("cache-control", "connection", "content-disposition", "content-length", "content-security-policy"),
        *("content-type", "date", "etag", "last-modified", "retry-after", "server-timing", "transfer-encoding"),
        *("x-cache", "x-content-type-options"),
    }
)
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")
MIB = 1024 * 1024
T = TypeVar("T")
MOST_WORKERS = 1024
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def _storage_name(value: object) -> str:
    if not isinstance(value, str) or STORAGE.fullmatch(value) is None:
        raise ValueError("lower-case letters, digits, hyphens and underscores, a letter or digit first")
    return value


def _size(value: object) -> str:
    if not isinstance(value, str) or SIZE.fullmatch(value) is None:
        raise ValueError("sizes such as 400x300, 400x, x300 or x")
    return value


def _header_value(value: object) -> str:
    if not isinstance(value, str) or _HEADER_VALUE.fullmatch(value) is None:
        raise ValueError("header values of printable ASCII")
    return value


def _headers(value: object) -> dict[str, str]:
    read: dict[str, str] = mapping_of(_header_value)(value)
    if any(_HEADER_NAME.fullmatch(name) is None for name in read):
        raise ValueError("an object of header names and values")
    if not _OWN_HEADERS.isdisjoint(map(str.lower, read)):
        raise ValueError("an object without headers that every answer has anyway; for Cache-Control use cache_control")
    return read


def _prefix(value: object) -> str:
    if not isinstance(value, str) or not value.endswith("/"):
        raise ValueError("what stands before the storage's name in a URL, as in https://img.example.com/ or /img/")
    return value


def _preset(value: object) -> Preset:
    if not isinstance(value, Mapping) or not value or not set(value) <= {"size", "filters"}:
        raise ValueError('objects such as {"size": "400x300", "filters": "format(webp)"}')
    if not all(isinstance(part, str) for part in value.values()):
        raise ValueError("texts, spelled as in a URL")
    try:
        return preset(value.get("size", "x"), value.get("filters", ""))
    except BadRequest as error:
        raise ValueError(f"spelled as in a URL. {error.detail.rstrip('.')}") from error


def _presets(value: object) -> dict[str, Preset]:
    read: dict[str, Preset] = mapping_of(_preset)(value)
    return _named(read)


def _watermarks(value: object) -> dict[str, str]:
    read: dict[str, str] = _named(mapping_of(text)(value))
    for name, file in read.items():
        try:
            with Path(file).open("rb") as opened:
                known = sniff(opened.read(64))
        except OSError:
            known = None
        if known is None:
            raise ValueError(f"an object of names and picture files that can be read, and {name!r} is none: {file}")
    return read


def _named(read: dict[str, T]) -> dict[str, T]:
    if any(NAME.fullmatch(name) is None for name in read):
        raise ValueError("an object whose names are lower-case letters, digits, hyphens and underscores")
    return read


def _qualities(value: object) -> dict[str, QualityTable]:
    read: dict[str, QualityTable] = mapping_of(quality_table)(value)
    for name in read:
        if name not in DEFAULT_QUALITIES:
            raise ValueError(f"an object with the keys {', '.join(DEFAULT_QUALITIES)}")
    return read


@dataclass(frozen=True, slots=True)
class MemoryCacheConf:
    enabled: bool | None = key(boolean, default=None)  # None: not said, and off
    max_size_mb: float | None = key(number(0.001), default=None)
    max_items: int | None = key(whole(1), default=None)
    alias: str | None = key(text, default=None)


@dataclass(frozen=True, slots=True)
class DiskCacheConf:
    enabled: bool | None = key(boolean, default=None)  # None: not said, and off
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
class CacheConf:
    memory: MemoryCacheConf = key(nested(MemoryCacheConf))
    disk: DiskCacheConf = key(nested(DiskCacheConf))
    shared: SharedCacheConf = key(nested(SharedCacheConf))
    sources: bool = key(boolean, default=False)


@dataclass(frozen=True, slots=True)
class S3HttpConf:
    max_idle_conns: int = key(whole(1), default=100)
    max_idle_conns_per_host: int = key(whole(1), default=100)
    max_conns_per_host: int = key(whole(0), default=0)
    idle_conn_timeout_sec: float = key(number(0), default=90.0)
    connect_timeout_sec: float = key(number(0.01), default=10.0)
    request_timeout_sec: float = key(number(0.01), default=30.0)
    response_header_timeout_sec: float = key(number(0.01), default=10.0)


@dataclass(frozen=True, slots=True)
class StorageLimitsConf:
    """What a storage may set for itself; None leaves it to the global limit."""

    max_source_mb: float | None = key(number(0.001), default=None)
    max_source_megapixels: float | None = key(number(0.001), default=None)
    max_whole_megapixels: float | None = key(number(0.001), default=None)
    max_side: int | None = key(whole(1), default=None)
    max_output_pixels: int | None = key(whole(1), default=None)
    max_avif_pixels: int | None = key(whole(1), default=None)
    max_gif_pixels: int | None = key(whole(1), default=None)
    max_frames: int | None = key(whole(1), default=None)
    fetch_seconds: float | None = key(number(0.01), default=None)
    render_seconds: float | None = key(number(0.01), default=None)


@dataclass(frozen=True, slots=True)
class LimitsConf:
    """The global limits (SPEC 6). The last four are for a whole process."""

    max_source_mb: float = key(number(0.001), default=64.0)
    max_source_megapixels: float = key(number(0.001), default=50.0)
    max_whole_megapixels: float = key(number(0.001), default=25.0)
    max_side: int = key(whole(1), default=5120)
    max_output_pixels: int = key(whole(1), default=26_214_400)
    max_avif_pixels: int = key(whole(1), default=4_000_000)
    max_gif_pixels: int = key(whole(1), default=8_000_000)
    max_frames: int = key(whole(1), default=1000)
    fetch_seconds: float = key(number(0.01), default=30.0)
    render_seconds: float = key(number(0.01), default=15.0)
    renders: int | None = key(whole(1, 256), default=None)
    fetches: int = key(whole(1, 1024), default=16)
    queue_length: int = key(whole(1), default=100)
    queue_seconds: float = key(number(0.01), default=10.0)

    def narrowed(self, own: StorageLimitsConf) -> "LimitsConf":
        """These limits with a storage's own in their place."""
        names = StorageLimitsConf.__slots__
        changes = {name: value for name in names if (value := getattr(own, name)) is not None}
        return LimitsConf(**{name: getattr(self, name) for name in LimitsConf.__slots__} | changes)


@dataclass(frozen=True, slots=True)
class StorageConf:
    name: str = key(_storage_name, required=True)
    driver: str = key(text, required=True)
    root: str | None = key(text, default=None)
    follow_symlinks: bool = key(boolean, default=False)
    bucket: str | None = key(text, default=None)
    region: str = key(text, default="us-east-1")
    access_key: str | None = key(text, default=None, secret=True)
    secret_key: str | None = key(text, default=None, secret=True)
    base_url: str | None = key(text, default=None)
    s3_http_config: S3HttpConf = key(nested(S3HttpConf))
    alias: str | None = key(text, default=None)
    options: dict[str, object] = key(mapping_of(anything), default={}, secret=True)
    signature_secret_key: tuple[str, ...] = key(one_or_list_of(text), default=(), secret=True)
    signature_length: int = key(whole(1, MAXIMUM_LENGTH), default=DEFAULT_LENGTH)
    cache: CacheConf = key(nested(CacheConf))
    cache_control: str | None = key(_header_value, default=None)
    headers: dict[str, str] = key(_headers, default={})
    allowed_sizes: tuple[str, ...] | None = key(some_of(_size), default=None)
    presets_only: bool = key(boolean, default=False)
    formats: tuple[str, ...] | None = key(list_of(one_of(sorted(set(OUTPUT_NAMES.values())))), default=None)
    limits: StorageLimitsConf = key(nested(StorageLimitsConf))


@dataclass(frozen=True, slots=True)
class EncodingConf:
    """How files are written (`thumbs.image.encoding.Encoding`)."""

    jpeg_progressive: bool = key(boolean, default=False)
    jpeg_subsampling: str = key(one_of(SUBSAMPLING), default="auto")
    png_palette: bool = key(boolean, default=False)
    keep_copyright: bool = key(boolean, default=False)


@dataclass(frozen=True, slots=True)
class DocumentConf:
    """The whole document: a `storages.json`, or `settings.THUMBS` with its names in upper case."""

    storages: tuple[object, ...] = key(list_of(anything), required=True, secret=True)
    limits: LimitsConf = key(nested(LimitsConf))
    quality: dict[str, QualityTable] = key(_qualities, default={})
    presets: dict[str, Preset] = key(_presets, default={})
    watermarks: dict[str, str] = key(_watermarks, default={})
    encoding: EncodingConf = key(nested(EncodingConf))
    input_formats: tuple[str, ...] = key(list_of(one_of(list(FORMATS))), default=DEFAULT_INPUTS)
    vips_concurrency: int = key(whole(1, 64), default=1)
    url_prefix: str | None = key(_prefix, default=None)
    run_dir: str | None = key(text, default=None)
    metrics: bool = key(boolean, default=False)
    access_log: bool = key(boolean, default=False)
    purge_on_model_changes: bool = key(boolean, default=False)
    caches: dict[str, object] = key(mapping_of(anything), default={}, secret=True)
    port: int = key(whole(0, 65535), default=8080)
    workers: int = key(whole(1, MOST_WORKERS), default=usable_cores())
    log_level: str = key(one_of(LOG_LEVELS), default="INFO")
