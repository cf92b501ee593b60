"""A MEDIA_ROOT for each test, as most sites have it in their conftest.py."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client, override_settings

from tests.ordinary_site.factories import BLUE, RED, color_of, photo, picture
from thumbs import thumb_url

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.mark.parametrize("color", [RED, BLUE])
def test_a_photo_with_the_same_name_in_each_test(client: Client, color: Any) -> None:
    made = photo(color, name="same.png")
    response = client.get(thumb_url("uploads", str(made.image.name), "40x30"))
    assert (response.status_code, color_of(response.content)) == (200, color)


def test_a_photo_of_another_test_is_not_there(client: Client) -> None:
    assert client.get(thumb_url("uploads", "photos/same.png", "40x30")).status_code == 404


def test_the_page_shows_what_the_test_has_uploaded(client: Client) -> None:
    made = photo(BLUE)
    page = client.get("/").content.decode()
    url = page.split('src="')[1].split('"')[0]
    assert str(made.image.name) in url
    assert color_of(client.get(url).content) == BLUE


def test_a_file_that_is_replaced_in_place(client: Client) -> None:
    for color in (RED, BLUE):
        default_storage.delete("logo.png")
        default_storage.save("logo.png", ContentFile(picture(color)))
        assert color_of(client.get(thumb_url("uploads", "logo.png", "40x30")).content) == color


def test_a_media_root_within_a_test(client: Client, tmp_path: Path) -> None:
    default_storage.save("logo.png", ContentFile(picture(RED)))
    (tmp_path / "inner").mkdir()
    with override_settings(MEDIA_ROOT=tmp_path / "inner"):
        assert client.get(thumb_url("uploads", "logo.png", "40x30")).status_code == 404
        default_storage.save("logo.png", ContentFile(picture(BLUE)))
        assert color_of(client.get(thumb_url("uploads", "logo.png", "40x30")).content) == BLUE
    assert color_of(client.get(thumb_url("uploads", "logo.png", "40x30")).content) == RED
