"""Makes thumbnails ahead of requests, all variants of an original together, so that it is read and decoded once."""

import itertools
import json
import math
import time
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from thumbs.errors import SourceMissing, ThumbError
from thumbs.http import messages
from thumbs.http.messages import Request, Response
from thumbs.pipeline.thumbnailer import Thumbnailer
from thumbs.request import grammar
from thumbs.request.download_names import named_again
from thumbs.request.resolve import ThumbRequest, resolve, thumb_of
from thumbs.site.links import signed

MADE, CACHED, FAILED = "made", "already cached", "failed"
_POLL_SECONDS = 0.05
_NOT_STORED = "It was made, but no cache stores it: it is too large, or the cache fails."
_NOT_RENEWED = "It is stale, and was not renewed."


@dataclass(frozen=True, slots=True)
class Variant:
    """What to make of each original. `size` and `filters` are spelled as in a URL; `accept` is for `format(auto)`."""

    size: str
    filters: str = ""
    accept: str = ""

    def resolve(self, path: str, storage: str, thumbnailer: Thumbnailer) -> tuple[ThumbRequest, Request]:
        """The thumb request for the original `path`, and the HTTP request for it.

        Raises the `ThumbError` that the request would be answered with.
        """
        policy = thumbnailer.storages[storage].policy
        target = grammar.compose(self.size, self.filters or None, policy.path_of(path), presets=policy.presets)
        output = thumb_of(target, messages.accepted_formats(self.accept), policy).transform.format
        address = f"/{signed(storage, grammar.build(named_again(target, str(output))))}".encode()
        thumb = resolve(address, messages.accepted_formats(self.accept), {storage: policy})
        return thumb, Request("GET", address, 0, self.accept, private=policy.private)

    def area(self, storage: str, thumbnailer: Thumbnailer) -> float:
        """The pixels of the requested size; infinite if a side is open."""
        presets = thumbnailer.storages[storage].policy.presets
        width, height = grammar.compose(self.size, self.filters or None, "x", presets=presets).transform.target
        return (width or math.inf) * (height or math.inf)

    def __str__(self) -> str:
        return f"{self.size} {self.filters}".rstrip()


def _reason(answer: Response) -> str:
    """Why an answer is no thumbnail. A 404 may have the storage's fallback as its body."""
    if (b"Content-Type", b"application/problem+json") not in answer.headers:
        return SourceMissing.sentence
    return str(json.loads(answer.body)["detail"])


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one thumbnail: MADE, CACHED, or FAILED with a `reason`."""

    path: str
    variant: Variant
    outcome: str
    reason: str = ""


class Warmer:
    """Makes all variants of each original, `jobs` originals at a time. Thumbnails that are cached fresh are skipped."""

    def __init__(self, thumbnailer: Thumbnailer, storage: str, variants: Sequence[Variant], *, jobs: int) -> None:
        self._thumbnailer = thumbnailer
        self._storage = thumbnailer.storages[storage]
        self._name = storage
        # The largest first: the proxy that it leaves may serve for the smaller ones.
        self._variants = sorted(variants, key=lambda variant: variant.area(storage, thumbnailer), reverse=True)
        self._jobs = jobs

    def warm(self, paths: Iterable[str]) -> Generator[Result]:
        """The results as they complete. `paths` is read lazily, and an error that it raises is passed on."""
        pending: set[Future[list[Result]]] = set()
        pool = ThreadPoolExecutor(self._jobs, thread_name_prefix="mage-warm")
        try:
            for path in paths:
                pending.add(pool.submit(self._make_all, path))
                if len(pending) >= 2 * self._jobs:
                    done, pending = wait(pending, return_when=FIRST_COMPLETED)
                    yield from itertools.chain.from_iterable(future.result() for future in done)
            for future in pending:
                yield from future.result()
        finally:
            pool.shutdown(cancel_futures=True)

    @property
    def failing(self) -> tuple[str, ...]:
        """The names of the layers whose last call failed."""
        return self._storage.layers.failing

    def _make_all(self, path: str) -> list[Result]:
        return [self._make(path, variant) for variant in self._variants]

    def _make(self, path: str, variant: Variant) -> Result:
        try:
            thumb, request = variant.resolve(path, self._name, self._thumbnailer)
        except ThumbError as error:
            return Result(path, variant, FAILED, error.detail)
        found = self._storage.layers.get(thumb.key)
        if found is not None and not found.stale:
            return Result(path, variant, CACHED)
        answer = self._thumbnailer.answer(request)
        if answer.status != 200:
            return Result(path, variant, FAILED, _reason(answer))
        reason = self._why_not_stored(thumb)
        return Result(path, variant, FAILED, reason) if reason else Result(path, variant, MADE)

    def _why_not_stored(self, thumb: ThumbRequest) -> str:
        """Empty if a cache holds the thumbnail fresh. Waits for the renewal of one that was answered stale.

        Also waits until it has been written to an object store: a process that ends would drop what waits.
        """
        end = time.monotonic() + self._storage.seconds
        self._storage.layers.flush(self._storage.seconds)
        while True:
            found = self._storage.layers.get(thumb.key)
            if found is None:
                return _NOT_STORED
            if not found.stale:
                return ""
            if time.monotonic() >= end:
                return _NOT_RENEWED
            time.sleep(_POLL_SECONDS)
