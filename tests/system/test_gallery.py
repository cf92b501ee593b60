"""The gallery is a real site: its migrations fit its models, and it serves its pages, its admin and its thumbnails."""

import re
from pathlib import Path

import pytest

from tests.support import pictures
from tests.support.gallery import make_gallery
from tests.support.servers import fetch

_ROWS = """
from tests.gallery.models import Photo
for number in range(30):
    Photo.objects.create(title=f"Photo {number}", image="quarters.jpg")
"""


@pytest.mark.parametrize("worker", ["gthread", "asgi"])
def test_a_served_gallery_shows_its_photos_and_its_admin(tmp_path: Path, worker: str) -> None:
    gallery = make_gallery(tmp_path)
    (gallery.media / "quarters.jpg").write_bytes(pictures.encoded(pictures.quarters(), "JPEG"))
    gallery.python(_ROWS)
    with gallery.served(worker=worker) as server:
        for page in ("", "jinja/"):
            answer = fetch(server.url(page))
            sources = re.findall(r'src="([^"]+)"', answer.body.decode())
            assert (answer.status, len(sources)) == (200, 30)
            picture = fetch(server.url(sources[0].removeprefix("/")))
            assert (picture.status, picture.headers["content-type"]) == (200, "image/jpeg")
            assert pictures.decoded(picture.body).size == (400, 300)
        assert fetch(server.url("admin/")).status == 302
        assert fetch(server.url("admin/login/")).status == 200


def test_the_migrations_fit_the_models(tmp_path: Path) -> None:
    assert make_gallery(tmp_path).manage("makemigrations", "--check", "--dry-run") == "No changes detected\n"
