"""Kinds of the values that need more than `keys` has: names, sizes, headers, presets, watermarks, qualities."""

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from thumbs.conf.keys import mapping_of, text
from thumbs.errors import BadRequest
from thumbs.image.formats import sniff
from thumbs.image.quality import DEFAULT_QUALITIES, QualityTable, quality_table
from thumbs.request.grammar import SIZE, STORAGE, Preset, preset
from thumbs.request.scalars import NAME

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# Headers that Mage sets itself. A second value would contradict the first.
_OWN_HEADERS = frozenset(
    {
        *("cache-control", "connection", "content-disposition", "content-length", "content-security-policy"),
        *("content-type", "date", "etag", "last-modified", "retry-after", "server-timing", "transfer-encoding"),
        *("x-cache", "x-content-type-options"),
    }
)
# Lifetimes for some caches, which these take before that of Cache-Control (RFC 9213, 2.2). The headers of a storage are
# on its errors, too, and on other answers that no cache may keep for so long.
_TARGETED = frozenset({"edge-control", "expires", "surrogate-control", "x-accel-expires"})
_TARGETED_END = "-cache-control"  # CDN-Cache-Control, and the names of single CDNs
_NAMESPACE = re.compile(r"[0-9A-Za-z._-]{0,64}")
_OBJECT_PREFIX = re.compile(r"(?:(?!\.{1,2}/)[0-9A-Za-z!_.*'()-]+/)*")
_PATH = re.compile(r"/(?:[A-Za-z0-9._~-]+/)*")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")

T = TypeVar("T")


def storage_name(value: object) -> str:
    if not isinstance(value, str) or STORAGE.fullmatch(value) is None:
        raise ValueError("lower-case letters, digits, hyphens and underscores, a letter or digit first")
    return value


def size(value: object) -> str:
    if not isinstance(value, str) or SIZE.fullmatch(value) is None:
        raise ValueError("sizes such as 400x300, 400x, x300 or x")
    return value


def namespace(value: object) -> str:
    if not isinstance(value, str) or _NAMESPACE.fullmatch(value) is None:
        raise ValueError("a text of at most 64 letters, digits, dots, hyphens and underscores; it may be empty")
    return value


def object_prefix(value: object) -> str:
    if not isinstance(value, str) or len(value) > 256 or _OBJECT_PREFIX.fullmatch(value) is None:
        raise ValueError("empty, or a path of letters, digits and -_.!*'() that ends in a slash and begins with none")
    return value


def header_value(value: object) -> str:
    if not isinstance(value, str) or _HEADER_VALUE.fullmatch(value) is None:
        raise ValueError("header values of printable ASCII")
    return value


def headers(value: object) -> dict[str, str]:
    read: dict[str, str] = mapping_of(header_value)(value)
    if any(_HEADER_NAME.fullmatch(name) is None for name in read):
        raise ValueError("an object of header names and values")
    if not _OWN_HEADERS.isdisjoint(map(str.lower, read)):
        raise ValueError("an object without headers that every answer has anyway; for Cache-Control use cache_control")
    targeted = next((name for name in read if _is_targeted(name.lower())), None)
    if targeted is not None:
        raise ValueError(
            f"an object without {targeted}, with which caches would keep errors; "
            'for a lifetime in shared caches use cache_control, as in "s-maxage=31536000, max-age=300"'
        )
    return read


def _is_targeted(name: str) -> bool:
    return name in _TARGETED or name.endswith(_TARGETED_END)


def proxy(value: object) -> str:
    if value == "unix":
        return "unix"
    try:
        return str(ipaddress.ip_network(value, strict=False)) if isinstance(value, str) else _no_network()
    except ValueError:
        return _no_network()


def _no_network() -> str:
    raise ValueError('addresses and networks such as 10.0.0.0/8, or "unix" for proxies behind a Unix socket')


def prefix(value: object) -> str:
    if not isinstance(value, str) or not value.endswith("/"):
        raise ValueError("what stands before the storage's name in a URL, as in https://img.example.com/ or /img/")
    return value


def path(value: object) -> str:
    if not isinstance(value, str) or _PATH.fullmatch(value) is None:
        raise ValueError("a path that begins and ends with a slash, as in /t/, of letters, digits and - _ . ~")
    return value


def preset_of(value: object) -> Preset:
    if not isinstance(value, Mapping) or not value or not set(value) <= {"size", "filters"}:
        raise ValueError('objects such as {"size": "400x300", "filters": "format(webp)"}')
    if not all(isinstance(part, str) for part in value.values()):
        raise ValueError("texts, spelled as in a URL")
    try:
        return preset(value.get("size", "x"), value.get("filters", ""))
    except BadRequest as error:
        raise ValueError(f"spelled as in a URL. {error.detail.rstrip('.')}") from error


def presets(value: object) -> dict[str, Preset]:
    read: dict[str, Preset] = mapping_of(preset_of)(value)
    return _named(read)


def watermarks(value: object) -> dict[str, str]:
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


def qualities(value: object) -> dict[str, QualityTable]:
    read: dict[str, QualityTable] = mapping_of(quality_table)(value)
    for name in read:
        if name not in DEFAULT_QUALITIES:
            raise ValueError(f"an object with the keys {', '.join(DEFAULT_QUALITIES)}")
    return read
