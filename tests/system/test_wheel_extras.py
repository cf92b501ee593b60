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


def test_every_extra_is_tried() -> None:
    assert set(wheel_extra.TRIALS) == {"base", *extras.PACKAGES}


@pytest.mark.parametrize("extra", wheel_extra.TRIALS)
def test_the_wheel_with_one_extra_does_what_the_extra_adds(wheel: Path, tmp_path: Path, extra: str) -> None:
    python = wheels.install(wheel, tmp_path / "venv", extras=INSTALLED.get(extra, extra))
    (tmp_path / "root").mkdir()
    done = wheels.finished([str(python), "-I", wheel_extra.__file__, extra, str(tmp_path / "root")], tmp_path)
    if done.returncode == wheel_extra.NO_PROGRAM and not os.environ.get("MAGE_REQUIRE_SERVICES"):
        pytest.skip(done.stdout)
    assert done.stdout.strip().endswith(f"{extra} works"), done.stdout + done.stderr
