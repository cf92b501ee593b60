"""Overridden STORAGES."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client, override_settings

from tests.ordinary_site.factories import BLUE, RED, color_of, photo, picture
from thumbs import thumb_url

MEMORY = {"default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}


def on_disk(location: Path) -> dict[str, Any]:
    return {"default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": location}}}


@pytest.mark.django_db
@override_settings(STORAGES=MEMORY)
def test_a_photo_in_memory(client: Client) -> None:
    made = photo(BLUE)
    assert color_of(client.get(thumb_url("uploads", str(made.image.name), "40x30")).content) == BLUE


@pytest.mark.parametrize("color", [RED, BLUE])
def test_each_test_has_a_memory_of_its_own(client: Client, settings: Any, color: Any) -> None:
    settings.STORAGES = MEMORY
    url = thumb_url("uploads", "logo.png", "40x30")
    assert client.get(url).status_code == 404
    default_storage.save("logo.png", ContentFile(picture(color)))
    assert color_of(client.get(url).content) == color


def test_another_directory(client: Client, tmp_path: Path) -> None:
    for name, color in (("one", RED), ("two", BLUE)):
        with override_settings(STORAGES=on_disk(tmp_path / name)):
            default_storage.save("logo.png", ContentFile(picture(color)))
            assert color_of(client.get(thumb_url("uploads", "logo.png", "40x30")).content) == color


def test_a_storage_in_memory_and_back_to_the_disk(client: Client, tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    default_storage.save("logo.png", ContentFile(picture(RED)))
    url = thumb_url("uploads", "logo.png", "40x30")
    with override_settings(STORAGES=MEMORY):
        assert client.get(url).status_code == 404
    assert color_of(client.get(url).content) == RED


@pytest.mark.django_db
@pytest.mark.parametrize("color", [RED, BLUE])
def test_a_factory_with_a_content_file(client: Client, tmp_path: Path, settings: Any, color: Any) -> None:
    settings.STORAGES = on_disk(tmp_path)
    made = photo(color, name="factory.png")
    made.refresh_from_db()
    assert color_of(client.get(thumb_url("uploads", str(made.image.name), "40x30")).content) == color
