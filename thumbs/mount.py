"""Which paths are thumbnails' below a prefix. The fronts and the URL pattern of the Django side agree through this."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from thumbs.errors import ThumbError
from thumbs.http import Response, problem

if TYPE_CHECKING:
    from thumbs.thumbnailer import Thumbnailer

logger = logging.getLogger("thumbs")

# What `Mount.claim` looks for, as a pattern for Django's URLconf.
PATTERN = r"^(?P<path>[^/]+/thumbs/(?s:.*))\Z"
_MIDDLE = b"/thumbs/"


@dataclass(frozen=True, slots=True)
class Mount:
    """A prefix such as `/` or `/img/`, before `{storage}/thumbs/…`."""

    prefix: str = "/"
    _bytes: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not (self.prefix.startswith("/") and self.prefix.endswith("/")):
            raise ValueError("a prefix begins and ends with a slash, as in '/img/'")
        object.__setattr__(self, "_bytes", self.prefix.encode())

    def claim(self, path: bytes) -> bytes | None:
        """`path`, decoded, from `/{storage}/thumbs/` on; None when it belongs to somebody else."""
        if not path.startswith(self._bytes):
            return None
        rest = path[len(self._bytes) - 1 :]
        after_storage = rest.find(b"/", 1)
        return rest if after_storage > 1 and rest.startswith(_MIDDLE, after_storage) else None


def failed(error: Exception, method: str) -> Response:
    """The answer where there is no thumbnailer to ask, for want of a good configuration; the log tells why."""
    logger.error("thumbnails cannot be served", exc_info=error)
    return problem(ThumbError()).to(method)


def wired() -> "Callable[[], Thumbnailer]":
    """What gives the thumbnailer of Django's settings. Only who asks for it needs Django."""
    from thumbs.wiring import thumbnailer  # noqa: PLC0415

    return thumbnailer
