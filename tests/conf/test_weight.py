"""The weight of a storage: its share of the render places."""

from pathlib import Path

import pytest

from thumbs.conf.loading import Configuration, load
from thumbs.problems import Problem


def loaded(root: Path, **keys: object) -> Configuration:
    storage = {"name": "photos", "driver": "local", "root": str(root), "allowed_sizes": ["9x9"], **keys}
    return load({"STORAGES": [storage]})


def problem(root: Path, **keys: object) -> Problem:
    (found,) = loaded(root, **keys).problems
    return found


@pytest.mark.parametrize(("given", "read"), [(0.1, 0.1), (1, 1.0), (2.5, 2.5), (100, 100.0)])
def test_a_weight_is_a_number_from_a_tenth_to_a_hundred(tmp_path: Path, given: float, read: float) -> None:
    configuration = loaded(tmp_path, weight=given)
    assert configuration.problems == ()
    assert configuration.storages[0].weight == read


def test_without_a_weight_storages_have_equal_shares(tmp_path: Path) -> None:
    assert loaded(tmp_path).storages[0].weight == 1.0


@pytest.mark.parametrize("given", [0, 0.09, -1, 100.1, float("inf"), float("nan"), "1", True, None, [1]])
def test_any_other_weight_is_a_problem_that_names_the_range(tmp_path: Path, given: object) -> None:
    found = problem(tmp_path, weight=given)
    assert (found.id, found.where) == ("thumbs.E003", "storages[photos].weight")
    assert "must be a number from 0.1 to 100" in str(found)


def test_a_misspelled_weight_is_a_problem_that_names_the_key(tmp_path: Path) -> None:
    found = problem(tmp_path, wieght=2)
    assert (found.id, found.where) == ("thumbs.E002", "storages[photos].wieght")
    assert "weight" in str(found.hint)
