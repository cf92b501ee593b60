"""The search for expensive requests: what it draws, and what it measures."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.costs.measurement import Cost, Meter
from bench.costs.originals import Originals
from bench.costs.recipes import Recipe, changed, drawn, first_recipes
from bench.costs.search import Search, is_over

ORDINARY = Recipe("1 MP.jpg", "300x200", (("format", "webp"),))
# No deadline interrupts it: the child is killed.
ENDLESS = Recipe("turbulence.svg", "4000x4000", (("format", "png"),))


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Originals:
    return Originals(tmp_path_factory.mktemp("originals"))


@pytest.fixture
def meter() -> Iterator[Meter]:
    made = Meter(5.0)  # what is ordinary may take that long on a busy machine
    yield made
    made.close()


def test_the_cost_of_a_request_is_measured_also_when_its_child_is_killed(meter: Meter, originals: Originals) -> None:
    for recipe, status in ((ENDLESS, 504), (ORDINARY, 200), (ENDLESS, 504)):
        cost = meter.cost(recipe, originals.read(recipe.original))
        assert cost is not None
        assert cost.status == status
        assert 0 < cost.cpu <= cost.seconds * 64
        assert cost.mib > 0
        assert not is_over(cost)


def test_a_request_that_the_grammar_refuses_costs_nothing(meter: Meter) -> None:
    assert meter.cost(Recipe("1 MP.jpg", "99999x"), b"") is None


def test_draws_depend_on_the_seed_alone_and_most_are_rendered(originals: Originals) -> None:
    def draws(seed: int) -> list[Recipe]:
        chance = random.Random(seed)
        return [drawn(chance, originals.names) for _ in range(300)]

    assert draws(1) == draws(1) != draws(2)
    assert sum(recipe.resolved() is not None for recipe in draws(1)) > 150


def test_a_change_of_a_recipe_is_a_small_one(originals: Originals) -> None:
    chance = random.Random(1)
    for _ in range(300):
        after = changed(ORDINARY, chance, originals.names)
        same = (after.original == ORDINARY.original, after.size == ORDINARY.size, after.proxied == ORDINARY.proxied)
        assert sum(same) + (after.filters == ORDINARY.filters) >= 2


def test_every_search_begins_with_each_original_and_goes_on_with_changes_of_the_worst(tmp_path: Path) -> None:
    """Here requests cost more CPU time the more filters they have, and memory is that of the original's name."""
    originals = Originals(tmp_path)

    def measure(recipe: Recipe, data: bytes) -> Cost:
        return Cost(recipe, 200, float(len(recipe.filters)), float(len(recipe.original)), 0.0)

    class Empty(Originals):
        def read(self, name: str) -> bytes:  # noqa: ARG002
            return b""

    search = Search(Empty(tmp_path), measure, seed=1)
    found = list(search.run(600))
    assert {cost.recipe.original for cost in found} == set(originals.names)
    assert len(found) == len({cost.recipe for cost in found}) == 600
    begun = len(first_recipes(originals.names))
    late = found[-100:]
    assert sum(cost.cpu for cost in late) / len(late) > sum(cost.cpu for cost in found[:begun]) / begun
    assert search.by_cpu(20)[0].cpu == max(cost.cpu for cost in found)
    assert search.by_memory(20)[0].mib == max(cost.mib for cost in found)
