"""The search: first every original as it is, then random requests, and changes of the most expensive ones so far."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bench.costs.measurement import Cost
from bench.costs.originals import Originals
from bench.costs.recipes import Recipe, changed, drawn, first_recipes
from thumbs.image.limits import RENDER_MEMORY_BYTES, RENDER_SECONDS

_PARENTS = 40  # the most expensive ones, by either cost, which are changed further
_NEW = 0.3  # of all requests: drawn without regard to what was found
_CPU, _MIB = 2 * RENDER_SECONDS, RENDER_MEMORY_BYTES / 1024 / 1024


@dataclass(slots=True)
class Search:
    """A seeded search. The draws depend on the seed, but the costs that guide them depend on the machine too."""

    originals: Originals
    measure: Callable[[Recipe, bytes], Cost | None]
    seed: int
    found: list[Cost] = field(default_factory=list)
    refused: int = 0  # by the grammar, before anything was rendered

    def run(self, count: int, *, seconds: float = float("inf")) -> Iterator[Cost]:
        """Measure `count` requests that reach a renderer, or as many as `seconds` allow."""
        end = time.monotonic() + seconds
        for recipe in self._recipes():
            if len(self.found) >= count or time.monotonic() > end:
                return
            if recipe.resolved() is None:
                self.refused += 1
                continue
            cost = self.measure(recipe, self.originals.read(recipe.original))
            if cost is not None:
                self.found.append(cost)
                yield cost

    def by_cpu(self, count: int) -> list[Cost]:
        return sorted(self.found, key=lambda cost: -cost.cpu)[:count]

    def by_memory(self, count: int) -> list[Cost]:
        return sorted(self.found, key=lambda cost: -cost.mib)[:count]

    def statuses(self) -> Counter[int]:
        return Counter(cost.status for cost in self.found)

    def _recipes(self) -> Iterator[Recipe]:
        chance = random.Random(self.seed)
        names = self.originals.names
        first = first_recipes(names)
        seen = set(first)
        yield from first
        while True:
            if chance.random() < _NEW or not self.found:
                recipe = drawn(chance, names)
            else:
                recipe = changed(chance.choice(self._parents(chance)).recipe, chance, names)
            if recipe not in seen:
                seen.add(recipe)
                yield recipe

    def _parents(self, chance: random.Random) -> list[Cost]:
        return self.by_cpu(_PARENTS) if chance.random() < 0.5 else self.by_memory(_PARENTS)


def is_over(cost: Cost) -> bool:
    """Whether a request costs more than is claimed: 2 × `render_seconds` of CPU time, or `render_memory_mb`."""
    return cost.cpu > _CPU or cost.mib > _MIB
