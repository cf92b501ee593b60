"""A module is read in one sitting, and a folder is seen at a glance."""

from collections import Counter
from pathlib import Path

import pytest

from tests.support.modules import ROOT

MODULE_LINES, TEST_MODULE_LINES, MODULES_OF_A_FOLDER = 300, 500, 18


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize(
    ("folder", "most"), [("thumbs", MODULE_LINES), ("mage_project", MODULE_LINES), ("tests", TEST_MODULE_LINES)]
)
def test_no_module_is_longer_than_agreed(folder: str, most: int) -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in modules(folder)}
    assert lengths
    assert {name: length for name, length in lengths.items() if length > most} == {}


@pytest.mark.parametrize("folder", ["thumbs", "mage_project"])
def test_no_folder_has_more_modules_than_agreed(folder: str) -> None:
    numbers = Counter(str(path.parent.relative_to(ROOT)) for path in modules(folder) if path.name != "__init__.py")
    assert numbers
    assert {name: number for name, number in numbers.items() if number > MODULES_OF_A_FOLDER} == {}
