"""The key `truncated` of a storage."""

import pytest

from thumbs.conf.document import REFUSED
from thumbs.conf.loading import load


def with_key(tmp_path: object, **more: object) -> dict[str, object]:
    storage = {"name": "photos", "driver": "local", "root": str(tmp_path), "allowed_sizes": ["9x9"], **more}
    return {"STORAGES": [storage]}


@pytest.mark.parametrize("value", ["refuse", "render"])
def test_it_is_one_of_two_values(tmp_path: object, value: str) -> None:
    found = load(with_key(tmp_path, truncated=value))
    assert found.problems == ()
    assert found.storages[0].truncated == value


def test_it_refuses_by_default(tmp_path: object) -> None:
    assert load(with_key(tmp_path)).storages[0].truncated == REFUSED


@pytest.mark.parametrize(("value", "nearest"), [("rendered", "render"), ("refused", "refuse")])
def test_another_value_is_an_error_with_the_nearest(tmp_path: object, value: str, nearest: str) -> None:
    (problem,) = load(with_key(tmp_path, truncated=value)).problems
    assert (problem.id, problem.where) == ("thumbs.E003", "storages[photos].truncated")
    assert f"Did you mean '{nearest}'?" in str(problem)
