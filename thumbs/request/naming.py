"""How paths name originals, where a path is not the key of an original itself."""

from typing import Protocol


class Naming(Protocol):
    """How the paths of a storage name originals, where a path is not the key itself. Wrong ones raise ValueError."""

    def canonical(self, path: str) -> str:
        """The key of the original that the decoded `path` of a URL names."""

    def path(self, source: str) -> str:
        """The decoded path that names `source`: a URL, or a path."""

    def named(self, path: str) -> str:
        """The part of `path` whose extension is that of the file."""
