"""How a storage of the configuration serves the files of a Django storage that reads the same place or a part of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Served:
    """The path of a file is its name in the Django storage, without the prefix `removed`, after the prefix `added`.

    One of the two is empty. The other one ends in a slash, or is empty as well.
    """

    removed: str = ""
    added: str = ""

    def path(self, name: str) -> str | None:
        """The path of the file `name`; None for one that is not served."""
        if not name.startswith(self.removed):
            return None
        return self.added + name[len(self.removed) :]

    @classmethod
    def between(cls, holds: str, reads: str) -> "Served | None":
        """From the place that the Django storage `holds` to the one that is read: directories or prefixes of keys.

        None if neither is the other one or in it.
        """
        held, read = (f"{place.strip('/')}/".removeprefix("/") for place in (holds, reads))
        if held.startswith(read):
            return cls(added=held[len(read) :])
        return cls(removed=read[len(held) :]) if read.startswith(held) else None
