"""Tags show the placeholder of a row as the background of the `<img>`, until the picture covers it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.template import Context, Template
from django.test import override_settings
from PIL import Image

from tests.gallery.models import BareThumbPhoto, FocusedPhoto
from tests.support import pictures
from tests.support.gallery import gallery_tables
from thumbs.toolkit.placeholders import background as placeholders

UPLOADS = {"name": "uploads", "driver": "django", "alias": "default"}
TAGS = ("thumb_img", "thumb_picture")


@pytest.fixture(autouse=True)
def _site(tmp_path: Path) -> Iterator[None]:
    with gallery_tables(), override_settings(MEDIA_ROOT=str(tmp_path), THUMBS={"STORAGES": [UPLOADS]}):
        yield


def saved(model: Any = FocusedPhoto, image: Image.Image | None = None) -> Any:
    data = pictures.encoded(image or pictures.quarters(60, 40), "PNG")
    return model.objects.get(pk=model.objects.create(image=ContentFile(data, "a.png")).pk)


def rendered(tag: str, photo: Any, arguments: str = "") -> str:
    text = f'{{% load thumbs %}}{{% {tag} photo.image "30x20" {arguments} %}}'
    return str(Template(text).render(Context({"photo": photo})))


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("model", [FocusedPhoto, BareThumbPhoto])
def test_a_placeholder_of_text_or_bytes_is_the_background(tag: str, model: Any) -> None:
    photo = saved(model)
    url = placeholders.data_url(photo.placeholder)
    assert url
    html = rendered(tag, photo)
    assert f' style="background:url({url}) center/cover no-repeat"' in html
    assert html.count("style=") == 1


@pytest.mark.parametrize("tag", TAGS)
def test_a_style_of_the_page_comes_after_it(tag: str) -> None:
    html = rendered(tag, saved(), 'style="border:0"')
    assert re.search(r' style="background:url\(data:image/png;base64,[\w+/=]+\) center/cover no-repeat;border:0"', html)


@pytest.mark.parametrize("tag", TAGS)
def test_it_can_be_left_out(tag: str) -> None:
    html = rendered(tag, saved(), "placeholder=False")
    assert "style" not in html
    assert "placeholder" not in html


@pytest.mark.parametrize("tag", TAGS)
def test_a_transparent_picture_has_none_because_it_would_not_cover_it(tag: str) -> None:
    photo = saved(image=Image.new("RGBA", (60, 40), (200, 30, 90, 128)))
    assert photo.placeholder
    assert "style" not in rendered(tag, photo)


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("value", ["", "center", "AAAA"])
def test_what_is_no_placeholder_is_left_out(tag: str, value: str) -> None:
    photo = saved()
    photo.placeholder = value
    assert "style" not in rendered(tag, photo)


@pytest.mark.parametrize("tag", TAGS)
def test_a_deferred_placeholder_is_not_loaded(tag: str) -> None:
    saved()
    assert "style" not in rendered(tag, FocusedPhoto.objects.defer("placeholder").get())


def test_the_empty_picture_has_no_placeholder() -> None:
    with override_settings(STATIC_URL="static/"):
        html = rendered("thumb_picture", FocusedPhoto(), 'empty="empty.svg" placeholder=False')
    assert html.startswith("<img ")
    assert "placeholder" not in html
