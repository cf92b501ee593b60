"""The wheel with one extra at a time, in an environment of its own: what the extra adds works there."""

import os
from pathlib import Path

import pytest

from tests.support import wheel_extra, wheels
from thumbs import extras

# What is installed for each trial. Storages of buckets need two extras, as the message about a missing one says.
INSTALLED = {"base": "", "storages": "storages,s3"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheels.build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def base(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel alone, which has rendered once."""
    directory = tmp_path_factory.mktemp("base")
    python = wheels.install(wheel, directory / "venv")
    assert tried(python, "base", directory) == ""
    return directory / "venv"


def tried(python: Path, extra: str, directory: Path) -> str:
    """What went wrong. Skips where a program is missing."""
    (directory / "root").mkdir()
    done = wheels.finished([str(python), "-I", wheel_extra.__file__, extra, str(directory / "root")], directory)
    if done.returncode == wheel_extra.NO_PROGRAM and not os.environ.get("MAGE_REQUIRE_SERVICES"):
        pytest.skip(done.stdout)
    return "" if done.stdout.strip().endswith(f"{extra} works") else done.stdout + done.stderr


def test_every_extra_is_tried() -> None:
    assert set(wheel_extra.TRIALS) == {"base", *extras.PACKAGES}


@pytest.mark.parametrize("extra", wheel_extra.TRIALS)
def test_the_wheel_with_one_extra_does_what_the_extra_adds(wheel: Path, base: Path, tmp_path: Path, extra: str) -> None:
    extras = INSTALLED.get(extra, extra)
    python = wheels.extended(base, tmp_path / "venv", wheel, extras=extras)
    assert tried(python, extra, tmp_path) == ""
