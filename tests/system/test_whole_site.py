"""A site with every middleware of Django's, served by gunicorn."""

import shutil
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support import pictures, servers
from tests.support.crowded_site import MIDDLEWARE, NAMES


@pytest.fixture
def root(originals: Path, tmp_path: Path) -> Path:
    for name in (*NAMES, "quarters.jpg", "quarters.png", "quarters.gif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(originals / (name if (originals / name).exists() else "quarters.jpg"), tmp_path / name)
    return tmp_path


def test_a_whole_site_with_all_of_it_is_served_by_gunicorn(root: Path, tmp_path: Path) -> None:
    thumbs = {"storages": [{"name": "local", "driver": "local", "root": str(root)}]}
    settings = {"MIDDLEWARE": MIDDLEWARE}
    with servers.site(thumbs, tmp_path, settings=settings) as server:
        for name in NAMES:
            answer = server.get(f"local/thumbs/50x/{quote(name)}", headers={"Accept-Encoding": "gzip"})
            assert answer.status == 200, name
        answer = server.get("local/thumbs/50x/quarters.jpg")
        assert pictures.decoded(answer.body).width == 50
        assert server.get("local/thumbs/50x/quarters.jpg", method="POST").status == 405
