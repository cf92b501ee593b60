"""Reports answers and failures: to metrics, to the access log, and to the log of failures."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import NamedTuple

from thumbs.errors import SourceDenied, StorageFailed, StorageTimeout
from thumbs.http.messages import Request, Response, Sent
from thumbs.pipeline.reporting.failure_log import FailureLog
from thumbs.pipeline.reporting.observer import Access, NullObserver, Observer
from thumbs.request.resolve import ThumbRequest


class Asked(NamedTuple):
    """A request, what it was resolved to, and when it came, by `time.perf_counter`."""

    request: Request
    thumb: ThumbRequest | None
    began: float


class Reports:
    """What a thumbnailer reports. `after` returns a future that is done after that many seconds.

    `logs_answers`: whether there is an access log, which needs what was asked and when. Without one, `count` is enough
    for an answer: its status, its layer, and the seconds of its stages.
    """

    def __init__(
        self, observer: Observer | None, access: Access | None, after: "Callable[[float], Future[None]]"
    ) -> None:
        self._observer = observer or NullObserver()
        self._access = access
        self.logs_answers = access is not None
        self.count = self._observer.answered
        self._failures = FailureLog(after)

    def answered(
        self,
        asked: Asked,
        response: Response,
        *,
        layer: str = "",
        seconds: Mapping[str, float] | None = None,
        code: str = "",
    ) -> None:
        """An answer. `layer` is where it came from, `code` that of an error.

        `seconds` are those of each stage, unless they are counted already.
        """
        seconds = seconds or {}
        self.count(response.status, layer, seconds)
        if self._access is not None:
            sent = Sent(len(response.body), time.perf_counter() - asked.began, code)
            self._access.log(asked.request, asked.thumb, response.status, layer, seconds, sent)

    def failed(
        self, what: str, error: BaseException, thumb: ThumbRequest | None, request: Request | None = None
    ) -> None:
        """A failure: of the storage, of a render, or a bug. Only the first kind is counted."""
        if thumb is not None and isinstance(error, StorageFailed | StorageTimeout | SourceDenied):
            self._observer.failed(thumb.storage, error.logged_code)
        self._failures.add(what, error, thumb=thumb, request=request)
