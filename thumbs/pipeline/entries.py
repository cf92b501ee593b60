"""From what was fetched and made to what the layers keep."""

import hashlib

from thumbs.cache.entry import INTERNAL, PROXY_NAME, SOURCE_NAME, Entry
from thumbs.image.formats import FORMATS
from thumbs.pipeline.ports import Picture
from thumbs.request.resolve import ThumbRequest
from thumbs.sources.source import Original, Version


def entry_of(key: str, picture: Picture, version: Version, asked: float, ttl: float) -> Entry:
    """The entry of a picture made of a source in `version`, which was asked for at `asked`. `ttl` is in seconds."""
    known = version.token is not None
    return Entry(
        body=picture.body,
        content_type=FORMATS[picture.format].content_type,
        etag=etag_of(key, version.token if known else hashlib.blake2b(picture.body).hexdigest()),
        version=version.token,
        modified=_modified(version, asked),
        created=asked,
        fresh_until=asked + ttl,
    )


def source_key(thumb: ThumbRequest) -> str:
    """The cache key of the original."""
    return f"{thumb.group}/{SOURCE_NAME}"


def proxy_key(thumb: ThumbRequest) -> str:
    """The cache key of the proxy of the original."""
    return f"{thumb.group}/{PROXY_NAME}"


def source_entry(original: Original, asked: float, ttl: float) -> Entry:
    """The entry of an original as it is."""
    return proxy_entry(original.data, original.version, asked, ttl)


def proxy_entry(body: bytes, version: Version, asked: float, ttl: float) -> Entry:
    """The entry of what an original in `version` was reduced to."""
    return Entry(
        body=body,
        content_type=INTERNAL,
        etag='""',
        version=version.token,
        modified=_modified(version, asked),
        created=asked,
        fresh_until=asked + ttl,
    )


def etag_of(key: str, token: str | None) -> str:
    """The same key and the same state of the source give the same bytes, so that their digest is a strong validator."""
    return f'"{hashlib.blake2b(f"{key} {token}".encode(), digest_size=16).hexdigest()}"'


def _modified(version: Version, asked: float) -> int:
    """Never later than the answer itself (RFC 9110, 8.8.2.1), and never before Unix time began."""
    return int(asked) if version.modified is None else max(0, min(version.modified, int(asked)))
