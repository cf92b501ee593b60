"""What a thumbnailer reports: to metrics (`Observer`) and to the access log (`Access`)."""

from collections.abc import Mapping
from typing import Protocol

from thumbs.http.messages import Request, Sent
from thumbs.request.resolve import ThumbRequest


class Observer(Protocol):
    """Counts answers and failures of storages."""

    def answered(self, status: int, layer: str, seconds: Mapping[str, float]) -> None:
        """Count one answer. `layer` is where it came from, empty for an error; `seconds` is the time in each stage."""

    def failed(self, storage: str, code: str) -> None:
        """Count one request that ended because its storage failed, with the code of the error."""


class Access(Protocol):
    """Logs answers. `thumb` is None where the request could not be resolved."""

    def log(
        self,
        request: Request,
        thumb: ThumbRequest | None,
        status: int,
        layer: str,
        seconds: Mapping[str, float],
        sent: Sent,
    ) -> None: ...


class NullObserver:
    """Counts nothing."""

    def answered(self, status: int, layer: str, seconds: Mapping[str, float]) -> None:
        pass

    def failed(self, storage: str, code: str) -> None:
        pass
