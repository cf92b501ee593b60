"""Writes a line of JSON for each answer: the thumbnail, the layer that answered, the milliseconds of each stage.

A line never contains the target of a request, because its signature is a secret: it names the original and the filters.
"""

import json
import logging
import re
import uuid
from collections.abc import Mapping

from thumbs.http.messages import Request
from thumbs.request import filters
from thumbs.request.resolve import ThumbRequest

logger = logging.getLogger("thumbs.access")

_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")  # anything else could forge lines or fill the disk


class AccessLog:
    """Writes to the logger `thumbs.access` at level INFO. `layer` is "" for an error; `seconds` is by stage."""

    def log(
        self, request: Request, thumb: ThumbRequest | None, status: int, layer: str, seconds: Mapping[str, float]
    ) -> None:
        line: dict[str, object] = {
            "request_id": request.request_id if _ID.fullmatch(request.request_id) else uuid.uuid4().hex,
            "method": request.method,
            "status": status,
            "layer": layer or None,
        }
        if thumb is not None:
            width, height = thumb.transform.width or "", thumb.transform.height or ""
            # Of the URL of an original, without its query, which may be a secret. No other path has `//`.
            path = thumb.path.partition("?")[0] if "://" in thumb.path else thumb.path
            line |= {"storage": thumb.storage, "path": path, "size": f"{width}x{height}"}
            line["filters"] = filters.build_filters(thumb.transform)
        line |= {f"{stage}_ms": round(spent * 1000, 1) for stage, spent in seconds.items()}
        logger.info("%s", json.dumps(line))
