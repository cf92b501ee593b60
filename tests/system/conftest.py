"""Fixtures of the system tests."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.buckets import bucket, client, moto
from tests.support.image_steps import image
from tests.support.longest import LONGEST

__all__ = ["bucket", "client", "image", "moto", "reachable_path"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a process of pytest-xdist, put the tests of those modules first, which `--no-loadscope-reorder` keeps."""
    if hasattr(config, "workerinput"):
        places = {name: place for place, name in enumerate(LONGEST)}
        items.sort(key=lambda item: places.get(item.path.stem, len(places)))


@pytest.fixture
def reachable_path() -> Iterator[Path]:
    """A directory of this test that every user may reach.

    Those of pytest are private: each session that starts makes the directory above them private again.
    """
    with tempfile.TemporaryDirectory(prefix="mage-test-") as name:
        directory = Path(name)
        directory.chmod(0o711)
        yield directory
