"""A file that a private storage serves has private URLs, also where a public storage reads a directory around it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.test import override_settings
from django.urls import include, path

from tests.gallery.models import PlainPhoto
from thumbs import picture, thumb, thumb_url
from thumbs.toolkit.forms.previews import preview
from thumbs.views import private
from thumbs.wiring import process


class Urlconf:
    urlpatterns: ClassVar[list[Any]] = [
        path("img/", include("thumbs.urls")),
        path("private/<path:path>", private(lambda *_: False)),
    ]


@pytest.fixture(params=["public first", "private first"], autouse=True)
def _configured(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    (tmp_path / "bills").mkdir()
    storages = [
        {"name": "uploads", "driver": "django", "alias": "default", "allowed_sizes": ["64x64", "x"]},
        {"name": "bills", "driver": "local", "root": str(tmp_path / "bills"), "private": True},
    ]
    thumbs = {"STORAGES": storages if request.param == "public first" else storages[::-1]}
    with override_settings(MEDIA_ROOT=str(tmp_path), ROOT_URLCONF=Urlconf, THUMBS=thumbs):
        process.reset()
        yield
    process.reset()


@pytest.mark.parametrize("source", ["bills/1.jpg", PlainPhoto(image="bills/1.jpg").image], ids=["name", "file"])
def test_a_file_below_the_root_of_a_private_storage_has_private_urls(source: Any) -> None:
    assert thumb(source, "64x64").url == "/private/bills/thumbs/64x64/1.jpg"
    made = picture(source, "64x64")
    urls = [url for each in (*made.sources, made.fallback) if each for url, _ in each.urls]
    assert len(urls) == 6
    assert all(url.startswith("/private/bills/thumbs/") for url in urls)


@pytest.mark.parametrize("source", ["cats/1.jpg", PlainPhoto(image="cats/1.jpg").image], ids=["name", "file"])
def test_a_file_beside_it_has_public_urls(source: Any) -> None:
    assert thumb(source, "64x64").url == "/img/uploads/thumbs/64x64/cats/1.jpg"


def test_a_storage_that_is_named_is_taken() -> None:
    assert thumb_url("uploads", "bills/1.jpg", "64x64") == "/img/uploads/thumbs/64x64/bills/1.jpg"
    assert thumb(PlainPhoto(image="bills/1.jpg").image, "64x64", storage="uploads").url.startswith("/img/uploads/")


def test_a_preview_is_one_that_the_storage_of_the_file_offers() -> None:
    assert preview(PlainPhoto(image="bills/1.jpg").image).url == (
        "/private/bills/thumbs/480x480/filters:fit(contain)/1.jpg"
    )
    assert preview(PlainPhoto(image="cats/1.jpg").image).url.startswith("/img/uploads/thumbs/64x64/")
