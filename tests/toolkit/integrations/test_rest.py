"""The serializer fields: URLs and sizes of thumbnails, absolute by the request, computed from the row alone."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import connection
from django.test import RequestFactory, override_settings
from rest_framework import serializers

from tests.gallery.models import FocusedPhoto, PlainPhoto
from thumbs import UnknownStorage, WrongSpec, picture, thumb
from thumbs.rest_framework import PictureField, ThumbField
from thumbs.wiring import process

THUMBS: dict[str, Any] = {
    "STORAGES": [{"name": "uploads", "driver": "django", "alias": "default"}],
    "PRESETS": {"card": {"size": "400x300"}, "avatar": {"size": "64x64"}, "hero": {"size": "1200x"}},
}


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    with override_settings(THUMBS=THUMBS):
        yield


class PhotoSerializer(serializers.Serializer):  # type: ignore[misc]  # it has no types
    avatar = ThumbField("avatar", source="image")
    image = ThumbField("x40", format="webp", quality=70)
    images = PictureField({"card": "card", "hero": ("hero", [400, 800])}, source="image")


def photo(**values: Any) -> FocusedPhoto:
    return FocusedPhoto(**{"image": "a.jpg", "width": 1600, "height": 1200, **values})


def data(row: object, **context: object) -> dict[str, Any]:
    return dict(PhotoSerializer(row, context=context).data)


def request(**extra: Any) -> Any:
    return RequestFactory().get("/api/", **extra)


def test_a_thumbnail_is_its_url_and_its_size() -> None:
    shown = data(photo(), request=request())
    assert shown["avatar"] == {
        "url": "http://testserver/img/uploads/thumbs/64x64/a.jpg",
        "width": 64,
        "height": 64,
    }
    assert shown["image"] == {
        "url": "http://testserver/img/uploads/thumbs/x40/filters:format(webp);quality(70)/a.jpg",
        "width": 53,
        "height": 40,
    }


def test_a_picture_has_what_an_element_of_html_needs() -> None:
    row, site = photo(), "http://testserver"
    card = picture(row.image, "card")
    assert card.fallback is not None
    shown = data(row, request=request())["images"]
    assert list(shown) == ["card", "hero"]
    assert shown["card"]["url"] == f"{site}{card.img.url}"
    assert (shown["card"]["width"], shown["card"]["height"]) == (400, 300)
    assert shown["card"]["type"] == "image/jpeg"
    assert shown["card"]["srcset"] == ", ".join(f"{site}{url} {text}" for url, text in card.fallback.urls)
    assert [source["type"] for source in shown["card"]["sources"]] == ["image/avif", "image/webp"]
    urls = [part.split() for part in shown["hero"]["sources"][0]["srcset"].split(", ")]
    assert [(urlsplit(url).netloc, width) for url, width in urls] == [("testserver", "400w"), ("testserver", "800w")]
    assert all("format(avif)" in url for url, _ in urls)


def test_unknown_sizes_are_null() -> None:
    shown = data(photo(width=None, height=None))
    assert (shown["image"]["width"], shown["image"]["height"]) == (None, None)
    assert (shown["avatar"]["width"], shown["avatar"]["height"]) == (64, 64)


def test_urls_have_the_host_and_the_scheme_of_the_request() -> None:
    secure = request(secure=True, headers={"host": "photos.example"})
    with override_settings(ALLOWED_HOSTS=["photos.example"]):
        assert data(photo(), request=secure)["avatar"]["url"].startswith("https://photos.example/img/")


def test_without_a_request_urls_are_as_the_site_has_them() -> None:
    assert data(photo())["avatar"]["url"] == "/img/uploads/thumbs/64x64/a.jpg"


@pytest.mark.parametrize("context", [{}, {"request": None}, {"request": request()}])
def test_an_absolute_prefix_stays(context: dict[str, Any]) -> None:
    process.reset()
    with override_settings(THUMBS={**THUMBS, "URL_PREFIX": "https://img.example/"}):
        shown = data(photo(), **context)
    assert shown["avatar"]["url"] == "https://img.example/uploads/thumbs/64x64/a.jpg"
    assert shown["images"]["hero"]["srcset"].startswith("https://img.example/")


def test_a_focal_point_and_a_version_are_those_of_the_row() -> None:
    shown = data(photo(focus="0.31,0.62", updated=None))
    assert "gravity(0.31,0.62)" in shown["avatar"]["url"]
    assert "gravity" not in shown["image"]["url"]
    assert shown["avatar"]["url"] == thumb(photo(focus="0.31,0.62").image, "avatar").url


@pytest.mark.parametrize("name", ["", None])
def test_a_blank_file_is_null(name: str | None) -> None:
    assert data(PlainPhoto(image=name)) == {"avatar": None, "image": None, "images": None}


def test_a_name_that_no_url_can_have_is_null_and_breaks_no_list(caplog: pytest.LogCaptureFixture) -> None:
    rows = [PlainPhoto(image="../rest.jpg"), PlainPhoto(image="b.jpg")]
    first, second = PhotoSerializer(rows, many=True).data
    assert (first["avatar"], first["images"]) == (None, {"card": None, "hero": None})
    assert second["avatar"]["url"].endswith("/b.jpg")
    assert "../rest.jpg" in caplog.text


def test_a_missing_relation_is_null() -> None:
    class Row(serializers.Serializer):  # type: ignore[misc]
        cover = ThumbField("avatar", source="album.cover")

    album = SimpleNamespace(cover=photo().image)
    assert Row(SimpleNamespace(album=None)).data == {"cover": None}
    assert Row(SimpleNamespace(album=album)).data["cover"]["width"] == 64


def test_fields_work_in_nested_serializers_and_in_lists() -> None:
    class Album(serializers.Serializer):  # type: ignore[misc]
        photos = PhotoSerializer(many=True)
        covers = serializers.ListField(child=ThumbField("avatar"))

    album = SimpleNamespace(photos=[photo(), photo(image="b.jpg")], covers=[photo().image])
    shown = Album([album, album], many=True, context={"request": request()}).data
    assert [row["avatar"]["url"] for row in shown[1]["photos"]] == [
        "http://testserver/img/uploads/thumbs/64x64/a.jpg",
        "http://testserver/img/uploads/thumbs/64x64/b.jpg",
    ]
    assert shown[0]["covers"][0]["url"] == shown[0]["photos"][0]["avatar"]["url"]


def test_a_plain_name_is_served_by_the_storage_that_is_named() -> None:
    class Row(serializers.Serializer):  # type: ignore[misc]
        name = ThumbField("avatar", storage="uploads", lifetime=60)

    url = Row({"name": "a.jpg"}).data["name"]["url"]
    assert url.startswith("/img/uploads/thumbs/64x64/filters:expires(")


def test_a_picture_may_be_described_in_full() -> None:
    described = {
        "spec": "800x",
        "widths": [200, 400],
        "ratio": "2/1",
        "formats": ["webp"],
        "quality": 60,
        "sizes": "50vw",
    }

    class Row(serializers.Serializer):  # type: ignore[misc]
        images = PictureField({"wide": described, "small": "64x64"}, source="image", fit="contain")

    shown = Row(photo()).data["images"]
    assert shown["wide"]["sizes"] == "50vw"
    assert "200x100/" in shown["wide"]["srcset"]
    assert "quality(60)" in shown["wide"]["srcset"]
    assert [source["type"] for source in shown["wide"]["sources"]] == ["image/webp"]
    assert "fit(contain)" in shown["small"]["url"]


def test_nothing_is_asked_of_a_database_or_a_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("open", "exists", "url", "path"):
        monkeypatch.setattr(FileSystemStorage, name, None)
    with connection.execute_wrapper(refuse):
        shown = PhotoSerializer([photo() for _ in range(3)], many=True).data
    assert [row["avatar"]["width"] for row in shown] == [64, 64, 64]


def refuse(*_: object) -> None:
    raise AssertionError("a query")


def test_what_a_client_sends_is_not_read() -> None:
    sent = PhotoSerializer(data={"avatar": {"url": "https://evil.example/"}, "image": "x", "images": {}})
    assert sent.is_valid()
    assert sent.validated_data == {}
    assert ThumbField("avatar", read_only=False).read_only


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: ThumbField("crad"), WrongSpec),
        (lambda: ThumbField("card", qualty=70), TypeError),
        (lambda: ThumbField("card", storage="upload"), UnknownStorage),
        (lambda: PictureField({"card": "crad"}), WrongSpec),
        (lambda: PictureField({"card": ("card", "400")}), WrongSpec),
        (lambda: PictureField({"card": 400}), WrongSpec),
        (lambda: PictureField({"card": {"spec": "card", "width": [400]}}), WrongSpec),
        (lambda: PictureField({"card": "card"}, storage="upload"), UnknownStorage),
    ],
)
def test_mistakes_are_found_as_soon_as_a_serializer_is_used(make: Callable[[], object], error: type[Exception]) -> None:
    """Before there is a row with a picture."""
    with pytest.raises(error):
        type("Row", (serializers.Serializer,), {"image": make()})(PlainPhoto()).data  # noqa: B018


_ABSENT = """
import sys
sys.modules["rest_framework"] = None
try:
    import thumbs.rest_framework
except ImportError as error:
    print(error)
"""


@pytest.mark.system
def test_without_the_framework_the_import_says_what_to_install() -> None:
    done = subprocess.run([sys.executable, "-c", _ABSENT], capture_output=True, text=True, check=False)
    assert done.stdout == "thumbs.rest_framework needs Django REST framework: pip install djangorestframework\n"
