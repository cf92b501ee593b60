"""The log of failed requests: at most one line a second for each storage and code, with the number left out."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from thumbs.errors import ThumbError
from thumbs.http.messages import Request, without_query
from thumbs.request.resolve import ThumbRequest

logger = logging.getLogger("thumbs")
_SECONDS = 1.0


@dataclass(slots=True)
class _Rate:
    """When the next line may be written, in monotonic seconds, and how many were left out since the last one."""

    next_at: float = float("-inf")
    left_out: int = 0


class FailureLog:
    """Each line has the storage, the key of the original, the request's id, the code and the cause.

    A record has them as attributes too: `storage`, `key`, `request_id`, `code`, `error`. `after` returns a future that
    is done after that many seconds; the number of lines that were left out is logged then.
    """

    def __init__(self, after: "Callable[[float], Future[None]]", clock: Callable[[], float] = time.monotonic) -> None:
        self._after = after
        self._clock = clock
        self._lock = threading.Lock()
        self._rates: dict[tuple[str, str], _Rate] = {}

    def add(
        self, what: str, error: BaseException, *, thumb: ThumbRequest | None, request: Request | None = None
    ) -> None:
        """Log that `what` failed. Errors that are no `ThumbError` are bugs: their line has the traceback."""
        storage = "" if thumb is None else thumb.storage
        is_known = isinstance(error, ThumbError)
        code = error.logged_code if isinstance(error, ThumbError) else "internal"
        left_out = self._admit(storage, code)
        if left_out is None:
            return
        cause = (error.__cause__ or error) if is_known else error
        extra = {
            "storage": storage,
            "key": "" if thumb is None else without_query(thumb.path),
            "request_id": "" if request is None else request.identified().request_id,
            "code": code,
            "error": repr(cause),
        }
        named = {"key": extra["key"], "request": extra["request_id"], "code": code}
        values = {name: value for name, value in named.items() if value}
        # An argument for each: they are redacted apart, and a client chooses the key.
        sentence = f"%s%s: %r ({', '.join(f'{name} %s' for name in values)}%s)"
        more = f"; {left_out} more were left out" if left_out else ""
        logger.log(
            logging.WARNING if is_known else logging.ERROR,
            sentence,
            *(f"storage {storage}: " if storage else "", what, cause, *values.values(), more),
            extra=extra,
            exc_info=None if is_known else error,
        )

    def _admit(self, storage: str, code: str) -> int | None:
        """How many lines were left out before this one; None if this one is left out as well."""
        now = self._clock()
        with self._lock:
            rate = self._rates.setdefault((storage, code), _Rate())
            if now >= rate.next_at:
                left_out, rate.left_out, rate.next_at = rate.left_out, 0, now + _SECONDS
                return left_out
            rate.left_out += 1
            is_first, wait = rate.left_out == 1, rate.next_at - now
        if is_first:
            with contextlib.suppress(RuntimeError):  # no thread can be started, or it is closed: the next line has it
                self._after(wait).add_done_callback(lambda _: self._flush(storage, code, rate))
        return None

    def _flush(self, storage: str, code: str, rate: _Rate) -> None:
        with self._lock:
            left_out, rate.left_out = rate.left_out, 0
            if left_out:
                rate.next_at = self._clock() + _SECONDS
        if left_out:
            where = f"storage {storage}: " if storage else ""
            extra = {"storage": storage, "code": code, "left_out": left_out}
            logger.warning("%s%d more failures with code %s were left out", where, left_out, code, extra=extra)
