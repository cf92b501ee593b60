"""Thumbnails made ahead by the server's own thumbnailer, path by path, so that what one original costs is paid once."""

import itertools
import json
import math
import time
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from thumbs.errors import ThumbError
from thumbs.http import messages
from thumbs.http.messages import Request
from thumbs.pipeline.thumbnailer import Thumbnailer
from thumbs.request import grammar
from thumbs.request.resolve import ThumbRequest, resolve
from thumbs.site.links import signed

MADE, THERE, FAILED = "made", "already there", "failed"
_LOOK_SECONDS = 0.05
_NOT_KEPT = "It was made, but no cache keeps it: it is too large, or the cache fails."
_NOT_RENEWED = "It is stale, and was not renewed."


@dataclass(frozen=True, slots=True)
class Wish:
    """What to make of every original: size and filters, spelled as in a URL. `accepts` counts for `format(auto)`."""

    size: str
    filters: str = ""
    accepts: str = ""

    def order_of(self, path: str, storage: str, thumbnailer: Thumbnailer) -> tuple[ThumbRequest, Request]:
        """The order, and the request for it. Raises the `ThumbError` that the request would be answered with."""
        policy = thumbnailer.storages[storage].policy
        target = grammar.compose(self.size, self.filters or None, path, presets=policy.presets)
        address = f"/{signed(storage, grammar.build(target))}".encode()
        thumb = resolve(address, messages.accepted_formats(self.accepts), {storage: policy})
        return thumb, Request("GET", address, 0, self.accepts)

    def area(self, storage: str, thumbnailer: Thumbnailer) -> float:
        """The pixels of the frame that it asks for; a side that is left open counts as endless."""
        presets = thumbnailer.storages[storage].policy.presets
        width, height = grammar.compose(self.size, self.filters or None, "x", presets=presets).transform.target
        return (width or math.inf) * (height or math.inf)

    def __str__(self) -> str:
        return f"{self.size} {self.filters}".rstrip()


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one thumbnail: MADE, THERE or FAILED, and then for what `reason`."""

    path: str
    wish: Wish
    outcome: str
    reason: str = ""


class Warmer:
    """Makes every wish of every path of `storage`, `jobs` at a time. What its caches hold fresh is left as it is."""

    def __init__(self, thumbnailer: Thumbnailer, storage: str, wishes: Sequence[Wish], *, jobs: int) -> None:
        self._thumbnailer = thumbnailer
        self._storage = thumbnailer.storages[storage]
        self._name = storage
        # What is made of the largest may serve for the smaller ones.
        self._wishes = sorted(wishes, key=lambda wish: wish.area(storage, thumbnailer), reverse=True)
        self._jobs = jobs

    def warm(self, paths: Iterable[str]) -> Generator[Result]:
        """The results as they come in. `paths` are taken only as fast as they are worked on; it may raise."""
        waiting: set[Future[list[Result]]] = set()
        pool = ThreadPoolExecutor(self._jobs, thread_name_prefix="mage-warm")
        try:
            for path in paths:
                waiting.add(pool.submit(self._all_of, path))
                if len(waiting) >= 2 * self._jobs:
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from itertools.chain.from_iterable(future.result() for future in done)
            for future in waiting:
                yield from future.result()
        finally:
            pool.shutdown(cancel_futures=True)

    @property
    def failing(self) -> tuple[str, ...]:
        """The layers that could not do what was last asked of them."""
        return self._storage.layers.failing

    def _all_of(self, path: str) -> list[Result]:
        return [self._result(path, wish) for wish in self._wishes]

    def _result(self, path: str, wish: Wish) -> Result:
        try:
            thumb, request = wish.order_of(path, self._name, self._thumbnailer)
        except ThumbError as error:
            return Result(path, wish, FAILED, error.detail)
        found = self._storage.layers.get(thumb.key)
        if found is not None and not found.stale:
            return Result(path, wish, THERE)
        answer = self._thumbnailer.answer(request)
        if answer.status != 200:
            return Result(path, wish, FAILED, json.loads(answer.body)["detail"])
        reason = self._why_not_kept(thumb)
        return Result(path, wish, FAILED, reason) if reason else Result(path, wish, MADE)

    def _why_not_kept(self, thumb: ThumbRequest) -> str:
        """Empty when a cache holds it fresh; a stale one that was answered is just being renewed."""
        end = time.monotonic() + self._storage.seconds
        while True:
            found = self._storage.layers.get(thumb.key)
            if found is None:
                return _NOT_KEPT
            if not found.stale:
                return ""
            if time.monotonic() >= end:
                return _NOT_RENEWED
            time.sleep(_LOOK_SECONDS)
