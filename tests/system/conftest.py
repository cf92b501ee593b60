"""Fixtures of the system tests."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.buckets import bucket, client, moto
from tests.support.image_steps import image

__all__ = ["bucket", "client", "image", "moto", "reachable_path"]


@pytest.fixture
def reachable_path() -> Iterator[Path]:
    """A directory of this test that every user may reach.

    Those of pytest are private: each session that starts makes the directory above them private again.
    """
    with tempfile.TemporaryDirectory(prefix="mage-test-") as name:
        directory = Path(name)
        directory.chmod(0o711)
        yield directory
