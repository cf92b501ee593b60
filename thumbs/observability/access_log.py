"""One line of JSON for each answer: what was asked for, where it came from, how long each stage took.

No signature is in it, nor anything else that only whoever made the URL should know: a line names the original and the
filters, not the target.
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

_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")  # of a proxy; anything else could forge lines, or be a book


class AccessLog:
    """Writes to the logger `thumbs.access`, level INFO. `layer` is empty for an error; `seconds` are by stage."""

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
            line |= {"storage": thumb.storage, "path": thumb.path, "size": f"{width}x{height}"}
            line["filters"] = filters.build_filters(thumb.transform)
        line |= {f"{stage}_ms": round(spent * 1000, 1) for stage, spent in seconds.items()}
        logger.info("%s", json.dumps(line))
