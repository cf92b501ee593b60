"""Where the URLs of other image servers begin."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Routes:
    """The paths of the dialects, the longest first, and the names of the storages, whose own URLs come before them."""

    paths: tuple[str, ...] = ()
    storages: frozenset[str] = frozenset()

    def find(self, below: bytes) -> str | None:
        """The path of the dialect that the raw path `below` the mount belongs to."""
        return next((path for path in self.paths if below.startswith(path.encode())), None)

    def is_own(self, found: bytes | None) -> bool:
        """Whether a decoded path from `/{storage}/thumbs/` on names a storage."""
        return found is not None and found.split(b"/", 2)[1].decode("utf-8", "replace") in self.storages


NO_ROUTES = Routes()


def routes_of(paths: Iterable[str], storages: Iterable[str]) -> Routes:
    return Routes(tuple(sorted(paths, key=len, reverse=True)), frozenset(storages))
