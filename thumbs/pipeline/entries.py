"""Entries for the cache layers, made from originals and pictures."""

import hashlib

from thumbs.cache.entry import INTERNAL, PROXY_NAME, SOURCE_NAME, Entry
from thumbs.image.outputs import content_type_of
from thumbs.pipeline.ports import Picture
from thumbs.request.resolve import RECIPE, ThumbRequest
from thumbs.sources.source import Original, Version


def entry_of(identity: str, picture: Picture, version: Version, asked: float, ttl: float) -> Entry:
    """The entry of a picture made from an original in `version`. `identity` is that of its request.

    `asked` is when the source was asked for it, in Unix seconds; the entry is fresh for `ttl` seconds from then.
    """
    known = version.token is not None
    return Entry(
        body=picture.body,
        content_type=content_type_of(picture.format),
        etag=etag_of(identity, version.token if known else hashlib.blake2b(picture.body).hexdigest()),
        version=version.token,
        modified=_modified(version, asked),
        created=asked,
        fresh_until=asked + ttl,
    )


def source_key(thumb: ThumbRequest) -> str:
    """The cache key of the original, for URLs with the same `version`.

    An answer to a URL with a version is immutable: it must not be made of what was kept for another version.
    """
    return f"{thumb.group}/{SOURCE_NAME}{_version_name(thumb)}"


def proxy_key(thumb: ThumbRequest) -> str:
    """The cache key of the proxy of the original: a proxy of another recipe would give a thumbnail its old pixels.

    As for `source_key`, each version has its own.
    """
    return f"{thumb.group}/{PROXY_NAME}-{RECIPE}{_version_name(thumb)}"


def failure_key(thumb: ThumbRequest) -> str:
    """The key under which a failure of the original is remembered: for all its versions, which anyone can make up."""
    return f"{thumb.group}/{SOURCE_NAME}"


def _version_name(thumb: ThumbRequest) -> str:
    version = thumb.transform.version
    return "" if version is None else f"-{hashlib.blake2b(version.encode(), digest_size=16).hexdigest()}"


def source_entry(original: Original, asked: float, ttl: float) -> Entry:
    """The entry of a whole original. `asked` and `ttl` as for `entry_of`."""
    return proxy_entry(original.data, original.version, asked, ttl)


def proxy_entry(body: bytes, version: Version, asked: float, ttl: float) -> Entry:
    """The entry of the proxy of an original in `version`. `asked` and `ttl` as for `entry_of`."""
    return Entry(
        body=body,
        content_type=INTERNAL,
        etag='""',
        version=version.token,
        modified=_modified(version, asked),
        created=asked,
        fresh_until=asked + ttl,
    )


def etag_of(identity: str, token: str | None) -> str:
    """A strong ETag: the same identity and the same version of the source give the same bytes."""
    return f'"{hashlib.blake2b(f"{identity} {token}".encode(), digest_size=16).hexdigest()}"'


def _modified(version: Version, asked: float) -> int:
    """`Last-Modified` in Unix seconds: not after the answer itself (RFC 9110, 8.8.2.1), and not before 0."""
    return int(asked) if version.modified is None else max(0, min(version.modified, int(asked)))
