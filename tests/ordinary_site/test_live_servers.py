"""Tests with a server and HTTP, as Selenium and Playwright have it."""

import tempfile
import urllib.error
import urllib.request
from http.client import HTTPResponse
from typing import cast

from django.contrib.staticfiles.testing import StaticLiveServerTestCase
from django.test import LiveServerTestCase, override_settings

from tests.ordinary_site.factories import BLUE, RED, color_of, photo, size_of
from thumbs import thumb_url
from thumbs.test import override_thumbs

MEDIA = tempfile.TemporaryDirectory()
MEMORY = {"default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
_SECONDS = 60.0


def fetch(url: str) -> tuple[int, bytes, str]:
    """Status, body and X-Cache."""
    try:
        with cast(HTTPResponse, urllib.request.urlopen(url, timeout=_SECONDS)) as response:
            return response.status, response.read(), response.headers["X-Cache"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), ""


@override_settings(MEDIA_ROOT=MEDIA.name)
class LiveServer(LiveServerTestCase):
    def test_a_photo(self) -> None:
        made = photo(BLUE)
        status, body, _ = fetch(self.live_server_url + thumb_url("uploads", str(made.image.name), "40x30"))
        self.assertEqual((status, color_of(body)), (200, BLUE))

    def test_the_page_and_its_pictures(self) -> None:
        photo(RED)
        page = fetch(self.live_server_url + "/")[1].decode()
        url = page.split('src="')[1].split('"')[0]
        self.assertEqual(color_of(fetch(self.live_server_url + url)[1]), RED)

    @override_thumbs(cache=True)
    def test_the_layers_in_the_thread_of_the_server(self) -> None:
        made = photo(BLUE)
        url = self.live_server_url + thumb_url("uploads", str(made.image.name), "40x30")
        self.assertEqual([fetch(url)[2] for _ in range(2)], ["MISS", "HIT"])

    def test_settings_that_change_while_the_server_runs(self) -> None:
        made = photo(BLUE)
        before = thumb_url("uploads", str(made.image.name), "40x30")
        with self.settings(SECRET_KEY="another"):
            self.assertEqual(fetch(self.live_server_url + before)[0], 403)
        self.assertEqual(fetch(self.live_server_url + before)[0], 200)


@override_thumbs(mode="dummy")
class StaticLiveServer(StaticLiveServerTestCase):
    def test_a_dummy_picture(self) -> None:
        status, body, _ = fetch(self.live_server_url + thumb_url("uploads", "none.jpg", "80x60"))
        self.assertEqual((status, size_of(body)), (200, (80, 60)))

    def test_a_preset(self) -> None:
        with override_thumbs(mode="dummy", presets={"card": {"size": "9x9"}}):
            url = self.live_server_url + thumb_url("uploads", "none.jpg", "x", filters="preset(card)")
            self.assertEqual(size_of(fetch(url)[1]), (9, 9))

    @override_settings(STORAGES={**MEMORY, "staticfiles": {"BACKEND": "django.core.files.storage.InMemoryStorage"}})
    @override_thumbs(mode="normal")
    def test_a_photo_in_memory(self) -> None:
        made = photo(RED)
        url = self.live_server_url + thumb_url("uploads", str(made.image.name), "40x30")
        self.assertEqual(color_of(fetch(url)[1]), RED)
