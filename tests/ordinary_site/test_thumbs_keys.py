"""Keys of THUMBS: by Django's own override, by `override_thumbs`, by the fixture."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client, override_settings

from tests.ordinary_site.factories import BLUE, RED, color_of, picture, size_of
from thumbs import thumb_url
from thumbs.test import override_thumbs

WIDE = {"card": {"size": "80x20"}}


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    default_storage.save("logo.png", ContentFile(picture(RED)))


def card(client: Client) -> tuple[int, int]:
    return size_of(client.get(thumb_url("uploads", "logo.png", "x", filters="preset(card)")).content)


def test_presets_of_the_site_and_of_a_test(client: Client) -> None:
    assert card(client) == (40, 30)
    with override_thumbs(presets=WIDE):
        assert card(client) == (80, 20)
    assert card(client) == (40, 30)


@override_thumbs(PRESETS=WIDE)
def test_a_decorator_and_a_key_in_upper_case(client: Client) -> None:
    assert card(client) == (80, 20)


def test_the_fixture_of_pytest_django(client: Client, settings: Any) -> None:
    settings.THUMBS = {**settings.THUMBS, "PRESETS": WIDE}
    assert card(client) == (80, 20)


def test_the_fixture_of_thumbs(client: Client, override_thumbs: Callable[..., object]) -> None:
    override_thumbs(presets=WIDE)
    assert card(client) == (80, 20)
    override_thumbs(presets={"card": {"size": "9x9"}})
    assert card(client) == (9, 9)


def test_after_the_fixtures(client: Client) -> None:
    assert card(client) == (40, 30)


@override_thumbs(url_prefix="https://img.example.com/")
def test_a_prefix_of_urls() -> None:
    assert thumb_url("uploads", "logo.png", "9x").startswith("https://img.example.com/uploads/thumbs/")


def test_a_prefix_of_urls_within_a_test() -> None:
    with override_settings(THUMBS={**django_settings.THUMBS, "URL_PREFIX": "/pictures/"}):
        assert thumb_url("uploads", "logo.png", "9x").startswith("/pictures/uploads/")
    assert thumb_url("uploads", "logo.png", "9x").startswith("/img/uploads/")


@override_thumbs(mode="dummy")
def test_dummy_pictures_need_no_files(client: Client) -> None:
    response = client.get(thumb_url("uploads", "there/is/none.jpg", "80x60"))
    assert (response.status_code, size_of(response.content)) == (200, (80, 60))
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["jpeg", "webp"])
def test_dummy_pictures_have_the_format(client: Client, override_thumbs: Callable[..., object], name: str) -> None:
    override_thumbs(mode="dummy")
    url = thumb_url("uploads", "none.jpg", "80x60", filters=f"format({name})")
    assert client.get(url)["Content-Type"] == f"image/{name}"


def test_a_key_that_there_is_not_is_a_mistake_of_the_test() -> None:
    with pytest.raises(TypeError, match="Did you mean 'presets'"):
        override_thumbs(preset=WIDE)


@override_thumbs(mode="dummy")
async def _answer_of(client: Any) -> Any:
    return await client.get(thumb_url("uploads", "none.jpg", "80x60"))


def test_an_asynchronous_function(async_client: Any) -> None:
    assert asyncio.run(_answer_of(async_client)).status_code == 200


def test_the_layers_are_off_unless_a_test_asks_for_them(client: Client) -> None:
    url = thumb_url("uploads", "logo.png", "40x30")
    assert [client.get(url)["X-Cache"] for _ in range(2)] == ["MISS", "MISS"]
    with override_thumbs(cache=True):
        assert [client.get(url)["X-Cache"] for _ in range(2)] == ["MISS", "HIT"]
        with override_thumbs():
            assert client.get(url)["X-Cache"] == "MISS"
        assert client.get(url)["X-Cache"] == "HIT"
    assert client.get(url)["X-Cache"] == "MISS"


@pytest.mark.usefixtures("thumbs_cache")
def test_the_layers_by_a_fixture(client: Client) -> None:
    url = thumb_url("uploads", "logo.png", "40x30")
    assert [client.get(url)["X-Cache"] for _ in range(2)] == ["MISS", "HIT"]


@pytest.mark.usefixtures("thumbs_cache")
def test_a_new_media_root_is_not_answered_from_the_cache_of_the_test(client: Client, tmp_path: Path) -> None:
    url = thumb_url("uploads", "logo.png", "40x30")
    assert color_of(client.get(url).content) == RED
    (tmp_path / "other").mkdir()
    with override_settings(MEDIA_ROOT=tmp_path / "other"):
        default_storage.save("logo.png", ContentFile(picture(BLUE)))
        assert color_of(client.get(url).content) == BLUE
    assert (color_of(client.get(url).content), client.get(url)["X-Cache"]) == (RED, "HIT")
