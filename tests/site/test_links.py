"""URLs of thumbnails from Python: signed, percent-encoded, below the right prefix, and never one that is refused."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from django.test import Client, override_settings
from django.urls import include, path

from tests.support.commands import local_storage
from tests.support.fronts import SECRET, signature
from thumbs.errors import BadFilter, BadPath, TargetTooLong, ThumbError
from thumbs.site import links
from thumbs.site.links import UnknownStorage
from thumbs.toolkit.links import thumb_url
from thumbs.wiring import process


class _Deep:
    urlpatterns: ClassVar = [path("a/", include([path("b/", include("thumbs.urls"))]))]


class _Without:
    urlpatterns: ClassVar[list[object]] = []


@pytest.fixture
def thumbs(originals: Path) -> Iterator[dict[str, object]]:
    storages = [
        local_storage("open", originals),
        {**local_storage("signed", originals), "signature_secret_key": SECRET},
    ]
    settings: dict[str, object] = {"STORAGES": storages}
    with override_settings(THUMBS=settings):
        yield settings


def test_a_url_is_built_with_all_of_its_parts_and_works(thumbs: object) -> None:
    url = thumb_url("open", "cats/tom & jerry?.jpg", "90x", filters="q(70);fmt(webp)", name="été.webp")
    # The download name has the format already.
    assert url == "/img/open/thumbs/90x/filters:quality(70)/cats/tom%20&%20jerry%3F.jpg/as/%C3%A9t%C3%A9.webp"
    assert Client().get(url).status_code == 200


def test_a_url_of_a_signed_storage_has_the_signature_of_its_target(thumbs: object) -> None:
    url = thumb_url("signed", "quarters.jpg", "90x60")
    assert url == f"/img/signed/thumbs/{signature('/signed/thumbs/90x60/quarters.jpg', SECRET)}/90x60/quarters.jpg"
    assert Client().get(url).status_code == 200


@pytest.mark.parametrize(
    ("urlconf", "configured", "start"),
    [
        ("tests.support.site", None, "/img/"),
        (_Deep, None, "/a/b/"),
        (_Without, None, "/"),
        ("tests.support.site", "https://img.example.com/x/", "https://img.example.com/x/"),
    ],
)
def test_a_url_begins_with_the_prefix_or_the_path_of_the_include(
    thumbs: dict[str, object], urlconf: object, configured: str | None, start: str
) -> None:
    more = {} if configured is None else {"URL_PREFIX": configured}
    with override_settings(THUMBS={**thumbs, **more}, ROOT_URLCONF=urlconf):
        process.reset()
        assert links.mount() == start
        assert thumb_url("open", "a.jpg", "9x") == f"{start}open/thumbs/9x/a.jpg"


def test_a_lifetime_is_whole_seconds_from_now_on(thumbs: object, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    url = thumb_url("open", "a.jpg", "9x", lifetime=60.9)
    assert url == f"/img/open/thumbs/9x/filters:expires({int(now + 60.9)})/a.jpg"


@pytest.mark.parametrize("lifetime", [0, -1, float("nan"), float("inf"), 100 * 366 * 86400.0])
def test_a_lifetime_that_cannot_be_is_refused(thumbs: object, lifetime: float) -> None:
    with pytest.raises(BadFilter, match="A lifetime is a number of seconds, more than 0 and less than a hundred years"):
        thumb_url("open", "a.jpg", "9x", lifetime=lifetime)


@pytest.mark.parametrize("storage", ["opne", ""])
def test_an_unknown_storage_is_named_with_the_nearest_one(thumbs: object, storage: str) -> None:
    with pytest.raises(UnknownStorage, match=f"No storage is called '{storage}'."):
        thumb_url(storage, "a.jpg", "9x")
    with pytest.raises(LookupError):
        links.signed(storage, "9x/a.jpg")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("../a.jpg", "9x"), BadPath),
        (("a.jpg", "9"), ThumbError),
        (("a.jpg", "9999x"), ThumbError),
        (("/".join(["ü" * 100] * 5), "9x"), TargetTooLong),
    ],
)
def test_a_url_that_would_be_refused_is_not_built(
    thumbs: object, arguments: tuple[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        thumb_url("open", *arguments)
