"""A Django storage without a location serves the working directory: an error in the standalone server."""

from pathlib import Path

import pytest
from django.core import checks
from django.test import override_settings

FILES = "django.core.files.storage.FileSystemStorage"
MEMORY = {"memory": {"enabled": True, "max_size_mb": 1}}


def ids(storage: dict[str, object], **settings: object) -> list[str | None]:
    thumbs = {"STORAGES": [{"name": "photos", "allowed_sizes": ["1x1"], "cache": MEMORY, **storage}]}
    with override_settings(THUMBS=thumbs, **settings):
        return [found.id for found in checks.run_checks(tags=["thumbs"]) if found.id == "thumbs.E041"]


@pytest.mark.parametrize("storage", [{"driver": "django", "alias": "default"}, {"driver": FILES}])
def test_it_is_an_error_in_the_standalone_server_only(storage: dict[str, object]) -> None:
    assert ids(storage, ROOT_URLCONF="mage_project.urls", MEDIA_ROOT="") == ["thumbs.E041"]
    assert ids(storage, ROOT_URLCONF="tests.gallery.urls", MEDIA_ROOT="") == []


def test_a_storage_with_a_location_is_none(tmp_path: Path) -> None:
    standalone = {"ROOT_URLCONF": "mage_project.urls", "MEDIA_ROOT": ""}
    assert ids({"driver": FILES, "options": {"location": str(tmp_path)}}, **standalone) == []
    assert ids({"driver": "django.core.files.storage.InMemoryStorage"}, **standalone) == []
    assert ids({"driver": FILES}, **{**standalone, "MEDIA_ROOT": str(tmp_path)}) == []
