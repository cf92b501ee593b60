"""Which paths are thumbnails' below a prefix. The fronts and the URL pattern of the Django side agree through this."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from thumbs.errors import BadHost, BadPath, BadTarget, ThumbError
from thumbs.http import targets
from thumbs.http.messages import Response, problem

if TYPE_CHECKING:
    from thumbs.pipeline.thumbnailer import Thumbnailer

logger = logging.getLogger("thumbs")

# What `Mount.find` looks for, as a pattern for Django's URLconf.
PATTERN = r"^(?P<path>[^/]+/thumbs/(?s:.*))\Z"
_MIDDLE = b"/thumbs/"


class KeyLock(NamedTuple):
    """A request that is a thumbnail's, by its path from `/{storage}/thumbs/` on, decoded.

    With an `error` it is only to be refused, and `path` is what it may name.
    """

    path: bytes
    error: type[ThumbError] | None = None

    def with_hosts(self, hosts: Sequence[bytes], http_version: str) -> "KeyLock":
        """The same, refused where the request's Host lines are not what RFC 9112, section 3.2 asks for."""
        if self.error is not None or targets.are_hosts_valid(hosts, http_version):
            return self
        return KeyLock(self.path, BadHost)


@dataclass(frozen=True, slots=True)
class Mount:
    """A prefix such as `/` or `/img/`, before `{storage}/thumbs/…`.

    With `whole_server` every request is ours to refuse that is not valid HTTP, whatever it asks for; else only those
    that may be read as a thumbnail's.
    """

    prefix: str = "/"
    whole_server: bool = False
    _bytes: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not (self.prefix.startswith("/") and self.prefix.endswith("/")):
            raise ValueError("a prefix begins and ends with a slash, as in '/img/'")
        object.__setattr__(self, "_bytes", self.prefix.encode())

    def find(self, path: bytes) -> bytes | None:
        """`path`, decoded, from `/{storage}/thumbs/` on; None when it is not below this prefix."""
        if not path.startswith(self._bytes):
            return None
        rest = path[len(self._bytes) - 1 :]
        after_storage = rest.find(b"/", 1)
        return rest if after_storage > 1 and rest.startswith(_MIDDLE, after_storage) else None

    def claim(self, target: bytes, method: str = "GET") -> KeyLock | None:
        """What a request target asks of us; None when it is the wrapped application's."""
        if target == b"*" and method == "OPTIONS":  # RFC 9112, 3.2.4: the server as such
            return None
        path = targets.path_of(target)
        if path is None:
            return self._refusal(target)
        found = self.find(path)
        return None if found is None else KeyLock(found)

    def claim_decoded(self, path: bytes, query: bytes, *, lossy: bool = False) -> KeyLock | None:
        """As `claim`, for a server that decodes the path and keeps no target.

        `lossy` says that the path is not what was sent, for want of UTF-8.
        """
        if not path.startswith(b"/") or b"#" in query:
            return self._refusal(path)
        found = self.find(path)
        return None if found is None else KeyLock(found, BadPath if lossy else None)

    def with_hosts(self, claim: KeyLock | None, hosts: Sequence[bytes], http_version: str) -> KeyLock | None:
        """`claim` with the request's Host lines judged, which with `whole_server` those of every request are."""
        if claim is not None:
            return claim.with_hosts(hosts, http_version)
        judged = KeyLock(b"/").with_hosts(hosts, http_version) if self.whole_server else None
        return judged if judged is not None and judged.error is not None else None

    def _refusal(self, target: bytes) -> KeyLock | None:
        possible = filter(None, map(self.find, targets.possible_paths(target)))
        path = next(possible, target if self.whole_server else None)
        return None if path is None else KeyLock(path, BadTarget)


def failed(error: Exception, method: str) -> Response:
    """The answer where there is no thumbnailer to ask, for want of a good configuration; the log tells why."""
    logger.error("thumbnails cannot be served", exc_info=error)
    return problem(ThumbError()).to(method)


def wired() -> "Callable[[], Thumbnailer]":
    """What gives the thumbnailer of Django's settings. Only who asks for it needs Django."""
    from thumbs.wiring.process import thumbnailer  # noqa: PLC0415

    return thumbnailer
