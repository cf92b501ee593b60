"""Which mutants a run makes: a seeded choice of all mutants of the rooms, without those known to be equivalent."""

import hashlib
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.mutants.mutation import Mutant
from bench.mutants.operators import mutants

PROJECT = Path(__file__).resolve().parents[2]
ROOMS = ("request", "cache", "sources", "pipeline", "render")
_EQUIVALENTS = Path(__file__).with_name("equivalents.toml")


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A change that no caller can notice: at `line` (its text) of `function`, `before` became `after`."""

    path: str
    function: str
    line: str
    before: str
    after: str
    reason: str

    def matches(self, mutant: Mutant, source: bytes) -> bool:
        return (
            (self.path, self.function, self.before, self.after)
            == (mutant.path, mutant.function, mutant.before, mutant.after)
        ) and self.line == source.splitlines()[mutant.line - 1].decode().strip()


def all_mutants(root: Path = PROJECT, rooms: Sequence[str] = ROOMS) -> list[Mutant]:
    """The mutants of `rooms`, by path and offset."""
    found = []
    for room in rooms:
        for file in sorted((root / "thumbs" / room).rglob("*.py")):
            found += mutants(file.relative_to(root).as_posix(), file.read_bytes())
    return found


def equivalents(file: Path = _EQUIVALENTS) -> list[Equivalent]:
    """The table of known equivalents. Raises TypeError for an entry with a missing or unknown key."""
    return [Equivalent(**entry) for entry in tomllib.loads(file.read_text()).get("equivalent", [])]


def choose(
    candidates: Sequence[Mutant], count: int, *, seed: int, known: Sequence[Equivalent] = (), root: Path = PROJECT
) -> list[Mutant]:
    """`count` of `candidates`, or all of them: the same ones for the same seed. Equivalents are left out.

    The rank of a mutant depends on its own line and function, so that a change elsewhere keeps the choice.
    """
    sources = {path: (root / path).read_bytes() for path in {mutant.path for mutant in candidates}}
    ranked = sorted(zip(_ranks(candidates, sources, seed), candidates, strict=True), key=lambda pair: pair[0])
    chosen: list[Mutant] = []
    for _, mutant in ranked:
        if len(chosen) == count:
            break
        if not any(each.matches(mutant, sources[mutant.path]) for each in known):
            chosen.append(mutant)
    return chosen


def _ranks(candidates: Sequence[Mutant], sources: Mapping[str, bytes], seed: int) -> Iterator[bytes]:
    lines = {path: source.splitlines() for path, source in sources.items()}
    seen: Counter[tuple[str, ...]] = Counter()
    for mutant in candidates:
        line = lines[mutant.path][mutant.line - 1].decode().strip()
        identity = (mutant.path, mutant.function, line, mutant.before, mutant.after)
        seen[identity] += 1  # one line may hold two of them
        yield hashlib.sha256("\0".join((str(seed), *identity, str(seen[identity]))).encode()).digest()
