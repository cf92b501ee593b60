"""Writes a line for each answer: the client, the thumbnail, the layer that answered, the milliseconds of each stage.

A line never contains the target of a request, because its signature is a secret: it names the original and the filters.
Each value is redacted by itself: clients choose some, and in the finished line these could hide or break the rest.
"""

import json
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from thumbs.http.messages import Request, Sent, without_query
from thumbs.observability.clients import Clients
from thumbs.observability.redaction import Redacted, redacted
from thumbs.request import filters
from thumbs.request.resolve import ThumbRequest

logger = logging.getLogger("thumbs.access")

_BARE = re.compile(r"[^\s\"=\x00-\x1f\x7f]+")  # a value of a line of text that needs no quotes


class AccessLog:
    """Writes to the logger `thumbs.access` at level INFO. `layer` is "" for an error; `seconds` is by stage.

    A line is a JSON object, or with `as_text` a text of `name=value`. `clients` finds the addresses of clients.
    """

    def __init__(self, clients: Clients | None = None, *, as_text: bool = False) -> None:
        self._clients = clients or Clients()
        self._dump = _text if as_text else json.dumps

    def log(
        self,
        request: Request,
        thumb: ThumbRequest | None,
        status: int,
        layer: str,
        seconds: Mapping[str, float],
        sent: Sent = Sent(),  # noqa: B008 - a constant
    ) -> None:
        line: dict[str, object] = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "request_id": request.identified().request_id,
            "client": self._clients.find(request.peer, request.forwarded_for) or None,
            "method": request.method,
            "status": status,
            "bytes": sent.size,
            "ms": round(sent.seconds * 1000, 1),
            "layer": layer or None,
            "code": sent.code or None,
        }
        if thumb is not None:
            width, height = thumb.transform.width or "", thumb.transform.height or ""
            line |= {"storage": thumb.storage, "path": without_query(thumb.path), "size": f"{width}x{height}"}
            line["filters"] = filters.build_filters(thumb.transform)
        stages = {stage: round(spent * 1000, 1) for stage, spent in seconds.items()}
        line |= {"stages": stages, **{f"{stage}_ms": spent for stage, spent in stages.items()}}
        clean = {name: redacted(value) if isinstance(value, str) else value for name, value in line.items()}
        logger.info("%s", Redacted(self._dump(clean)))


def _text(line: Mapping[str, object]) -> str:
    """`name=value` for each value that there is; those of stages are `fetch_ms` and so on."""
    return " ".join(f"{name}={_value(value)}" for name, value in line.items() if value is not None and name != "stages")


def _value(value: object) -> str:
    text = str(value)
    return text if _BARE.fullmatch(text) else json.dumps(text)
