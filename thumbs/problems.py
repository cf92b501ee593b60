"""What the system checks report: `Problem`, the ids that several rooms use, and hints at misspelled names."""

import dataclasses
import difflib
from collections.abc import Iterable, Mapping, Sequence

UNKNOWN_KEY = "thumbs.E002"
WRONG_VALUE = "thumbs.E003"
MISSING_KEY = "thumbs.E004"
ROOT_MISSING = "thumbs.E009"
INCOMPLETE = "thumbs.E010"
UNKNOWN_ALIAS = "thumbs.E012"
UNKNOWN_CLASS = "thumbs.E013"


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `id` is stable; `where` names the storage and the key."""

    id: str
    where: str
    sentence: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.sentence}" + (f" {self.hint}" if self.hint else "")

    def within(self, prefix: str) -> "Problem":
        """This problem of a key, with `prefix` before the key."""
        return dataclasses.replace(self, where=f"{prefix}.{self.where}" if self.where else prefix)


def closest(name: str, known: Iterable[str]) -> str:
    """The known name that `name` is a misspelling of; empty when there is none."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)), "")


def did_you_mean(name: str) -> str:
    """The hint at the right name."""
    return f"Did you mean {name!r}?"


def nearest(name: str, known: Mapping[str, object] | Sequence[str]) -> str:
    """A hint: the known name that `name` is a misspelling of, or all known names."""
    close = closest(name, known)
    return did_you_mean(close) if close else f"Known here: {', '.join(sorted(known))}."
