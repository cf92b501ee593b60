"""A small directory of originals to warm a cache with, and the question where a thumbnail came from."""

from pathlib import Path

import pytest
from django.test import Client

from tests.support import pictures
from thumbs.toolkit.links import thumb_url


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Originals of our own, to be changed at will."""
    directory = tmp_path / "root"
    for name in ("cats/tom.jpg", "cats/tiger.png", "dog.jpg"):
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(pictures.encoded(pictures.quarters(), "PNG" if "png" in name else "JPEG"))
    (directory / "cats" / "notes.txt").write_text("Tom likes fish.")
    return directory


def x_cache(path: str, size: str, filters: str = "", accept: str = "") -> str:
    url = thumb_url("photos", path, size, filters=filters)
    answer = Client().get(url, headers={"accept": accept})
    assert answer.status_code == 200
    return str(answer.headers["X-Cache"])
