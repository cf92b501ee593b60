"""The preview of a form shows all of a picture, as far as the storage offers that, and never breaks the form."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.db import connection
from django.test import override_settings

from tests.gallery.models import FocusedPhoto, PlainPhoto
from thumbs.toolkit.forms.previews import preview
from thumbs.toolkit.urls import urls
from thumbs.wiring import process

STORAGE = {"name": "uploads", "driver": "django", "alias": "default"}
CROPPED = {"card": {"size": "400x300"}, "turned": {"size": "400x", "filters": "rotate(90)"}, "any": {"size": "x"}}
WHOLE = {"small": {"size": "40x"}, "large": {"size": "1200x900", "filters": "fit(contain)"}}


@pytest.fixture(autouse=True)
def media(tmp_path: Path) -> Iterator[None]:
    with override_settings(MEDIA_ROOT=str(tmp_path)):
        yield


def shown(presets: Mapping[str, object] | None = None, **storage: object) -> str:
    thumbs = {"STORAGES": [{**STORAGE, **storage}], "PRESETS": presets or {}}
    process.reset()
    with override_settings(THUMBS=thumbs):
        return preview(PlainPhoto(image="a.jpg").image).url


def test_a_preview_shows_all_of_the_picture() -> None:
    assert shown() == "/img/uploads/thumbs/480x480/filters:fit(contain)/a.jpg"


def test_a_preview_has_an_allowed_size_where_sizes_are_a_list() -> None:
    sizes = ["64x64", "400x", "1200x900"]
    assert shown(allowed_sizes=sizes) == "/img/uploads/thumbs/400x/filters:fit(contain)/a.jpg"
    assert shown(allowed_sizes=["64x64"]) == "/img/uploads/thumbs/64x64/filters:fit(contain)/a.jpg"


def test_a_preview_is_an_uncropped_preset_where_nothing_else_is_offered() -> None:
    assert shown({**CROPPED, **WHOLE}, presets_only=True) == "/img/uploads/thumbs/40x/a.jpg"
    assert shown(CROPPED, presets_only=True) == "/img/uploads/thumbs/x/a.jpg"
    del (without := dict(CROPPED))["any"]
    assert shown(without, presets_only=True) == ""


@pytest.mark.parametrize("strict", [False, True])
def test_wrong_data_and_files_of_other_storages_have_no_preview_and_raise_nothing(tmp_path: Path, strict: bool) -> None:
    photo = PlainPhoto(image="a.jpg")
    with override_settings(THUMBS={"STORAGES": [STORAGE]}):
        urls().strict = strict
        for name in ("", None, "../a.jpg", "a\0.jpg"):
            assert not preview(PlainPhoto(image=name).image)
        photo.image.storage = FileSystemStorage(str(tmp_path.parent / "elsewhere"))
        assert not preview(photo.image)
        assert not preview("a.jpg")
        assert not preview(None)


def test_a_file_that_was_not_saved_has_no_preview() -> None:
    photo = PlainPhoto(image="a.jpg")
    photo.image = ContentFile(b"", "new.jpg")
    with override_settings(THUMBS={"STORAGES": [STORAGE]}):
        assert not preview(photo.image)


def test_a_preview_asks_no_database_and_no_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = FocusedPhoto(image="a.jpg", width=600, height=400, focus="0.1,0.2")
    for name in ("open", "exists", "url", "path"):
        monkeypatch.setattr(FileSystemStorage, name, None)
    with override_settings(THUMBS={"STORAGES": [STORAGE]}), connection.execute_wrapper(refuse):
        shown = preview(photo.image)
    assert (shown.width, shown.height) == (480, 320)
    assert "gravity" not in shown.url


def refuse(*_: object) -> None:
    raise AssertionError("a query")
