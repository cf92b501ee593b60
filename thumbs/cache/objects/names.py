"""Names of objects. All of one storage are below its own prefixes, and all of one original are below one more.

`uploads/{group}/{name}` is an entry. What is no entry stands beside `uploads/`, so that a purge, a listing or a
lifecycle rule of entries needs no exception.
"""

from collections.abc import Iterator

from thumbs.cache.purge.journal import EVERYTHING, Purge

# Neither the name of a storage nor its namespace contains it.
_BESIDE = "~"
# In names: an asterisk is legal in a key, and a nuisance in consoles and in URLs.
_ALL = "all"


class Names:
    """The names below `prefix`, which is empty or ends in a slash, of one storage. `scope` is `wiring.scope_of`."""

    def __init__(self, prefix: str, scope: str) -> None:
        self.entries = f"{prefix}{scope}/"
        self.feed = f"{prefix}{scope}{_BESIDE}feed/"
        self._purged = f"{prefix}{scope}{_BESIDE}purged/"
        self._leases = f"{prefix}{scope}{_BESIDE}leases/"

    def entry(self, key: str) -> str:
        return self.entries + key

    def group(self, group: str) -> str:
        """What the names of all entries of one original begin with."""
        return f"{self.entries}{group}/"

    def lease(self, key: str) -> str:
        return self._leases + key

    def purged(self, group: str) -> str:
        """The tombstone of a purged group."""
        return self._purged + _text(group)

    def tombstones(self, key: str) -> Iterator[str]:
        """The tombstones that may cover the entry under `key`."""
        yield self.purged(key.partition("/")[0])
        yield self.purged(EVERYTHING)

    def message(self, purge: Purge) -> str:
        """The message of a purge. All of it is in the name, so that a listing is a reading. Names sort by time."""
        return f"{self.feed_at(purge.when)}_{purge.when!r}_{_text(purge.group)}"

    def feed_at(self, moment: float) -> str:
        """What sorts before all messages of that Unix time and later, and after all earlier ones."""
        return f"{self.feed}{max(0, int(moment * 1000)):015d}"

    def purge_in(self, message: str) -> Purge | None:
        """The purge of a message; None for another object there."""
        _, when, group = (*message.removeprefix(self.feed).split("_", 2), "", "", "")[:3]
        try:
            return Purge(EVERYTHING if group == _ALL else group, float(when)) if group else None
        except ValueError:
            return None


def _text(group: str) -> str:
    return _ALL if group == EVERYTHING else group


def moment_in(data: bytes | None) -> float:
    """The time that a tombstone or a lease begins with, in Unix seconds; long ago where there is none."""
    try:
        return float("-inf") if data is None else float(data.partition(b" ")[0])
    except ValueError:
        return float("-inf")
