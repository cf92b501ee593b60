"""Everything in the package that is not Python is named in pyproject.toml, so that it is in the wheel."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_every_file_of_the_package_is_in_the_wheel() -> None:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = document["tool"]["setuptools"]["package-data"]["thumbs"]
    named = {path for pattern in patterns for path in (ROOT / "thumbs").glob(pattern)}
    others = {
        path
        for path in (ROOT / "thumbs").rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and not path.name.startswith(".")
    }
    assert others == named
    assert ROOT / "thumbs/static/thumbs/focal_point.js" in others
