"""A key of almost 1,000 characters, with quotes, tags and marks of direction, fits both pages and is only text."""

from pathlib import Path

import pytest

from tests.gallery import settings
from tests.support.albums import make_albums, session, signed_in
from tests.support.axe import serious
from tests.support.browser import console, one, resized
from tests.support.pictures import encoded, quarters
from tests.support.playground_pages import Page, page, served
from tests.support.waiting import eventually

_PIECE = "\u202e\"<b>'&\u200f" + "w" * 180
KEY = "/".join([*([_PIECE] * 4), "\u202egpj.txe" + "x" * 150 + ".jpg"])
_FITS = "return document.documentElement.scrollWidth <= innerWidth"


def fill(root: Path) -> None:
    path = root / KEY
    path.parent.mkdir(parents=True)
    path.write_bytes(encoded(quarters(), "JPEG"))


def require_whole(shown: Page) -> None:
    assert shown.driver.execute_script(_FITS)
    assert serious(shown.driver) == []
    assert console(shown.driver) == []


@pytest.mark.parametrize("width", [360, 1440])
def test_the_playground_lists_it_and_shows_it(tmp_path: Path, width: int) -> None:
    fill(tmp_path / "originals")
    assert 900 < len(KEY) < 1000
    with served(tmp_path / "originals", tmp_path) as server, page(server, width=width) as shown:
        shown.open()  # which begins with the only original
        assert shown.find("#key").get_attribute("value") == KEY
        assert shown.picture
        require_whole(shown)
        shown.find("#browse").click()
        eventually(lambda: bool(shown.driver.find_elements("css selector", "#originals-list button")))
        require_whole(shown)
        shown.find("#originals-list button").click()
        shown.settle()
        assert shown.picture
        shown.change("#url", shown.url.replace("/thumbs/", "/thubms/"))
        assert [mark.text for mark in shown.driver.find_elements("css selector", "#verdict mark")] == ["thubms"]
        require_whole(shown)


def test_the_console_lists_it_and_purges_it(tmp_path: Path) -> None:
    storage = settings.THUMBS["STORAGES"][0]
    apps = {"INSTALLED_APPS": [*settings.INSTALLED_APPS, "tests.albums", "thumbs.console"]}
    made = make_albums(tmp_path, thumbs={**settings.THUMBS, "STORAGES": [storage]}, settings=apps)
    fill(made.media)
    cookie = session(made)
    with made.served() as server, signed_in(server, cookie) as driver:
        for width in (360, 1440):
            with resized(driver, width=width):
                driver.get(server.url("admin/thumbs_console/cache/?browse=1&storage=uploads"))
                keys = driver.find_elements("css selector", "#listing input[name=key]")
                assert [each.get_attribute("value") for each in keys] == [KEY]
                assert driver.execute_script(_FITS), width
                assert serious(driver) == []
                one(driver, "#listing button").click()
                eventually(lambda: bool(driver.find_elements("css selector", ".messagelist li")))
                assert driver.find_element("css selector", ".messagelist").text.startswith("Purged ")
                assert driver.execute_script(_FITS), width
                assert driver.find_elements("css selector", "#content-main b, .messagelist b") == []
                assert console(driver) == []
