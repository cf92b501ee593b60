"""Which requests are for thumbnails. The wrappers, the worker and the Django view share this rule."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from thumbs.errors import BadHost, BadPath, BadTarget, ThumbError
from thumbs.http import targets
from thumbs.http.messages import Response, problem
from thumbs.request.dialects.routes import NO_ROUTES, Routes

if TYPE_CHECKING:
    from thumbs.pipeline.thumbnailer import Thumbnailer

logger = logging.getLogger("thumbs")

# What `Mount.find` looks for, as a pattern for Django's URLconf.
PATTERN = r"^(?P<path>[^/]+/thumbs/(?s:.*))\Z"
_MIDDLE = b"/thumbs/"
# Of the standalone server, besides thumbnails.
SERVER_PATHS = frozenset((b"/health", b"/healthcheck", b"/ready", b"/metrics"))


class ThumbTarget(NamedTuple):
    """The target of a request for a thumbnail: its decoded path, from `/{storage}/thumbs/` on.

    With an `error` the request is refused, and `path` is what it may name. With a `dialect`, the path of the URLs of
    another image server, `path` is the target as received, from the last slash of the dialect's path on; empty where it
    did not come so far.
    """

    path: bytes
    error: type[ThumbError] | None = None
    dialect: str = ""

    def with_hosts(self, hosts: Sequence[bytes], http_version: str) -> "ThumbTarget":
        """The same, with `BadHost` if the request's Host lines are not valid (RFC 9112, 3.2)."""
        if self.error is not None or targets.are_hosts_valid(hosts, http_version):
            return self
        return self._replace(error=BadHost)


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

    def match(self, target: bytes, method: str = "GET", routes: Routes = NO_ROUTES) -> ThumbTarget | None:
        """The thumbnail that a request target names; None if the request is for the wrapped application."""
        if target == b"*" and method == "OPTIONS":  # RFC 9112, 3.2.4: the server as such
            return None
        path = targets.path_of(target)
        if path is None:
            return self._refusal(target)
        found = self.find(path)
        if routes.paths and not routes.is_own(found):
            translated = self._translated(targets.origin_form(target) or target, routes)
            if translated is not None:
                return translated
        return None if found is None else ThumbTarget(found)

    def match_decoded(
        self, path: bytes, query: bytes, *, lossy: bool = False, routes: Routes = NO_ROUTES
    ) -> ThumbTarget | None:
        """As `match`, for a server that decodes the path and keeps no target.

        With `lossy` the path is not what was sent, because that was not UTF-8. The URLs of another image server are
        refused: they are verified and split as they were sent.
        """
        if not path.startswith(b"/") or b"#" in query:
            return self._refusal(path)
        found = self.find(path)
        if routes.paths and not routes.is_own(found):
            translated = self._translated(path, routes)
            if translated is not None:
                return translated._replace(path=b"")
        return None if found is None else ThumbTarget(found, BadPath if lossy else None)

    def _translated(self, origin: bytes, routes: Routes) -> ThumbTarget | None:
        """The URL of another image server that `origin`, a raw path and query, is below this mount."""
        if not origin.startswith(self._bytes):
            return None
        below = origin[len(self._bytes) - 1 :]
        path = routes.find(below)
        if path is None or (path == self.prefix == "/" and not self._may_take(below)):
            return None
        return ThumbTarget(below[len(path) - 1 :], dialect=path)

    def _may_take(self, origin: bytes) -> bool:
        """Whether a dialect at `/` may have it: all of a site would be below it, and its own paths of a server."""
        return self.whole_server and origin.partition(b"?")[0] not in SERVER_PATHS

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


def wired_routes() -> Callable[[], Routes]:
    """The function that returns where the URLs of other image servers begin, by Django's settings."""
    from thumbs.wiring.process import routes  # noqa: PLC0415 - as above

    return routes


def no_routes() -> Routes:
    return NO_ROUTES
