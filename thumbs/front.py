"""Which requests are for thumbnails. The wrappers, the worker and the Django view share this rule."""

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


class ThumbTarget(NamedTuple):
    """The target of a request for a thumbnail: its decoded path, from `/{storage}/thumbs/` on.

    With an `error` the request is refused, and `path` is what it may name.
    """

    path: bytes
    error: type[ThumbError] | None = None

    def with_hosts(self, hosts: Sequence[bytes], http_version: str) -> "ThumbTarget":
        """The same, with `BadHost` if the request's Host lines are not valid (RFC 9112, 3.2)."""
        if self.error is not None or targets.are_hosts_valid(hosts, http_version):
            return self
        return ThumbTarget(self.path, BadHost)


@dataclass(frozen=True, slots=True)
class Mount:
    """A prefix such as `/` or `/img/`, before `{storage}/thumbs/…`.

    With `whole_server`, invalid requests are refused for every path, else only where some reader could take the target
    for that of a thumbnail.
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

    def match(self, target: bytes, method: str = "GET") -> ThumbTarget | None:
        """The thumbnail that a request target names; None if the request is for the wrapped application."""
        if target == b"*" and method == "OPTIONS":  # RFC 9112, 3.2.4: the server as such
            return None
        path = targets.path_of(target)
        if path is None:
            return self._refusal(target)
        found = self.find(path)
        return None if found is None else ThumbTarget(found)

    def match_decoded(self, path: bytes, query: bytes, *, lossy: bool = False) -> ThumbTarget | None:
        """As `match`, for a server that decodes the path and keeps no target.

        With `lossy` the path is not what was sent, because that was not UTF-8.
        """
        if not path.startswith(b"/") or b"#" in query:
            return self._refusal(path)
        found = self.find(path)
        return None if found is None else ThumbTarget(found, BadPath if lossy else None)

    def with_hosts(self, match: ThumbTarget | None, hosts: Sequence[bytes], http_version: str) -> ThumbTarget | None:
        """`match` with the Host lines checked. With `whole_server` they are checked for every request."""
        if match is not None:
            return match.with_hosts(hosts, http_version)
        checked = ThumbTarget(b"/").with_hosts(hosts, http_version) if self.whole_server else None
        return checked if checked is not None and checked.error is not None else None

    def _refusal(self, target: bytes) -> ThumbTarget | None:
        possible = filter(None, map(self.find, targets.possible_paths(target)))
        path = next(possible, target if self.whole_server else None)
        return None if path is None else ThumbTarget(path, BadTarget)


def failed(error: Exception, method: str) -> Response:
    """The answer if the configuration is wrong, so that there is no thumbnailer. `error` is logged."""
    logger.error("thumbnails cannot be served", exc_info=error)
    return problem(ThumbError()).to(method)


def wired() -> "Callable[[], Thumbnailer]":
    """The function that returns the thumbnailer of Django's settings. Imported late: all else here needs no Django."""
    from thumbs.wiring.process import thumbnailer  # noqa: PLC0415

    return thumbnailer
