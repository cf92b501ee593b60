"""Builds answers, with status, headers and body, from an entry, a version or an error."""

from collections.abc import Callable
from functools import lru_cache

from thumbs.cache.layers import Found
from thumbs.errors import ThumbError
from thumbs.http.cache_control import shortened
from thumbs.http.messages import Headers, Request, Response, joined, problem
from thumbs.pipeline.entries import etag_of
from thumbs.pipeline.originals import SOURCE
from thumbs.pipeline.steps import Timings
from thumbs.request.headers import vary_of
from thumbs.request.resolve import ThumbRequest
from thumbs.sources.source import Version


def from_entry(
    request: Request, thumb: ThumbRequest, found: Found, *, timings: Timings | None, clock: Callable[[], float]
) -> Response:
    """200 with the entry's body, or 304. `timings` are those of the job, if any; `clock` gives Unix seconds."""
    entry, layer, stale, passing = found
    x_cache = "STALE" if stale else "MISS" if layer == SOURCE else "HIT"
    of_request, labels = _request_headers(thumb, clock), _labels(x_cache, layer, timings)
    if stale:
        of_request = _short_lived(of_request)
    if passing:
        headers = _unkept(entry.headers + of_request + labels)
        return Response(200, headers, entry.body).to(request.method)
    if request.conditional and request.not_modified(entry.etag, entry.modified, clock()):
        return Response(304, entry.validators + of_request + labels)
    # Those of a job, or of a URL that expires, are another object each time: nothing would find them in the memo.
    lasting = timings is None and thumb.expires is None
    headers = joined(entry.headers, of_request, labels) if lasting else entry.headers + of_request + labels
    return Response(200, headers, entry.body).to(request.method)


def from_fallback(
    request: Request, thumb: ThumbRequest, found: Found, *, timings: Timings | None, clock: Callable[[], float]
) -> Response:
    """404 with the picture that stands for a missing original. No condition holds for it, and it has no validators."""
    entry, layer, stale, _ = found
    x_cache = "STALE" if stale else "MISS" if layer == SOURCE else "HIT"
    kept = tuple(row for row in entry.headers if row[0].lower() not in _OF_COPIES)
    headers = (*kept, *_request_headers(thumb, clock), *_labels(x_cache, layer, timings))
    return Response(404, headers, entry.body).to(request.method)


def from_version(
    request: Request, thumb: ThumbRequest, version: Version, *, clock: Callable[[], float]
) -> Response | None:
    """304 if `If-None-Match` lists the ETag of this version, else None: the thumbnail has to be made.

    No entry is kept here. A matching tag proves that the client has the thumbnail of this version; `*` and a date prove
    nothing.
    """
    if version.token is None:
        return None
    etag = etag_of(thumb.identity, version.token)
    if etag not in request.tags:
        return None
    return Response(304, ((b"ETag", etag.encode()), *_request_headers(thumb, clock), *_labels("MISS", SOURCE, None)))


def from_error(request: Request, thumb: ThumbRequest | None, error: ThumbError) -> Response:
    """The problem document of `error`. `thumb` is None where the request could not be resolved."""
    return problem(error, thumb.error_headers if thumb else vary_of(request.path)).to(request.method)


_STALE_SECONDS = 60


@lru_cache(maxsize=256)
def _short_lived(headers: Headers) -> Headers:
    """`headers` for a stale copy: clients and caches ask again within a minute, when it may have been renewed."""
    return tuple(
        (name, shortened(value, _STALE_SECONDS)) if name == b"Cache-Control" else (name, value)
        for name, value in headers
    )


_OF_COPIES = (b"cache-control", b"etag", b"last-modified")


def _unkept(headers: Headers) -> Headers:
    """`headers` without validators, for a picture that no client may keep or ask for again by its tag."""
    left = tuple(row for row in headers if row[0].lower() not in _OF_COPIES)
    return (*left, (b"Cache-Control", b"no-store"))


def _request_headers(thumb: ThumbRequest, clock: Callable[[], float]) -> Headers:
    return thumb.headers if thumb.expires is None else thumb.headers_at(clock())


def _labels(x_cache: str, layer: str, timings: Timings | None) -> Headers:
    if timings is None:
        return _fixed_labels(x_cache, layer)
    durations = (f"{name};dur={seconds * 1000:.1f}" for name, seconds in timings.seconds.items())
    server_timing = ", ".join((f'layer;desc="{layer}"', *durations))
    return ((b"X-Cache", x_cache.encode()), (b"Server-Timing", server_timing.encode()))


@lru_cache(maxsize=64)
def _fixed_labels(x_cache: str, layer: str) -> Headers:
    return ((b"X-Cache", x_cache.encode()), (b"Server-Timing", f'layer;desc="{layer}"'.encode()))
