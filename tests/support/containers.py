"""How large the containers inside an object have become, and smaller bounds for them."""

from collections.abc import Iterator
from types import ModuleType

import pytest

BOUND = 8
_USUAL_BOUND = 4096
_DEPTH = 4


def shrink_bounds(monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
    """Replace every constant of `modules` that bounds a container to 4096 items by `BOUND`.

    Fails where a module has no such constant, because the test would then test nothing.
    """
    for module in modules:
        names = [name for name, value in vars(module).items() if type(value) is int and value == _USUAL_BOUND]
        assert names, f"{module.__name__} has no bound of {_USUAL_BOUND}"
        for name in names:
            monkeypatch.setattr(module, name, BOUND)


def sizes(owner: object) -> dict[str, int]:
    """The number of items of each dict and set in `owner`, and in objects of Mage that it holds, by attribute path."""
    return dict(_sizes(owner, "", _DEPTH, set()))


def _sizes(owner: object, path: str, depth: int, seen: set[int]) -> Iterator[tuple[str, int]]:
    if depth == 0 or id(owner) in seen:
        return
    seen.add(id(owner))
    slots = [name for kind in type(owner).__mro__ for name in getattr(kind, "__slots__", ())]
    for name in {*vars(owner)} if hasattr(owner, "__dict__") else slots:
        value = getattr(owner, name, None)
        if isinstance(value, dict | set):
            yield f"{path}{name}", len(value)
        elif type(value).__module__.startswith("thumbs."):
            yield from _sizes(value, f"{path}{name}.", depth - 1, seen)
