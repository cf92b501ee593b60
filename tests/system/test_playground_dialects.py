"""A pasted URL of another image server: the playground shows what it becomes, or why it becomes nothing."""

import base64
import hashlib
import hmac
from collections.abc import Iterator

import pytest

from tests.support.axe import serious
from tests.support.browser import console, resized
from tests.support.playground_pages import Page, fill, page, served
from tests.support.servers import Server

KEY = "photos/grain.jpg"
SECRET = "thumbor-test-key"
DIALECTS = [
    {"dialect": "imgproxy", "path": "/i/", "sources": {"local:///": "open"}},
    {"dialect": "thumbor", "path": "/t/", "sources": {"": "signed"}, "key": SECRET},
    {"dialect": "imagor", "path": "/m/", "sources": {"": "open"}},
    {"dialect": "ipx", "path": "/x/", "sources": {"/": "open"}},
]


def signed(path: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(SECRET.encode(), path.encode(), hashlib.sha1)).decode() + f"/{path}"


THUMBOR = f"fit-in/90x60/filters:quality(40):nosuch(1)/{KEY}"
# A URL, the storage, the size of its picture, and the filters that are switched on.
PASTED = [
    ("i/_/rs:fill:90:60/g:no/plain/local:///" + KEY + "@webp", "open", "90 × 60", {"format", "gravity", "upscale"}),
    ("t/" + signed(THUMBOR), "signed", "90 × 60", {"quality", "fit"}),
    (f"m/unsafe/90x60/filters:grayscale()/{KEY}", "open", "90 × 60", {"grayscale", "upscale"}),
    (f"x/s_90x60,f_webp/{KEY}", "open", "90 × 60", {"format", "upscale"}),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("originals")
    fill(root)
    with served(root, tmp_path_factory.mktemp("server"), dialects=DIALECTS) as running:
        yield running


@pytest.fixture(scope="module")
def window(server: Server) -> Iterator[Page]:
    with page(server) as opened:
        yield opened


@pytest.fixture
def shown(window: Page) -> Iterator[Page]:
    window.open(f"storage=open&key={KEY}&size=200x")
    yield window
    assert console(window.driver) == []


def lines(shown: Page) -> dict[str, str]:
    names = [each.get_attribute("textContent") for each in shown.driver.find_elements("css selector", "#dialect dt")]
    texts = [each.get_attribute("textContent") for each in shown.driver.find_elements("css selector", "#dialect dd")]
    return {str(name): str(text) for name, text in zip(names, texts, strict=True)}


@pytest.mark.parametrize(("url", "storage", "size", "filters"), PASTED, ids=["imgproxy", "thumbor", "imagor", "ipx"])
def test_a_pasted_url_shows_what_it_becomes(shown: Page, url: str, storage: str, size: str, filters: set[str]) -> None:
    assert not shown.find("#dialect").is_displayed()
    before = shown.picture
    shown.change("#url", f"https://old.example.com/{url}")
    assert shown.find("#dialect").is_displayed()
    found = lines(shown)
    assert found["storage"] == storage
    assert found["path"] == KEY
    assert shown.find("#storage").get_attribute("value") == storage
    assert shown.find("#key").get_attribute("value") == KEY
    switched = shown.driver.find_elements("css selector", ".switch:checked")
    assert filters <= {str(each.get_attribute("id")).removeprefix("on-") for each in switched}
    assert shown.url.startswith(f"/{storage}/thumbs/")
    assert shown.text("[data-figure=size]") == size
    assert shown.picture not in ("", before)
    assert shown.text("#verdict") == ""


def test_ignored_options_are_named_and_no_signature_of_the_other_server_is_shown(shown: Page) -> None:
    url = "t/" + signed(THUMBOR)
    shown.change("#url", f"https://old.example.com/{url}")
    assert shown.text("#dialect-title") == "A URL of thumbor at /t/, signed"
    assert lines(shown)["ignored"] == "nosuch"
    assert shown.text("#dialect-source") == f"/t/[hidden]/{THUMBOR}"
    assert url.split("/")[1] not in shown.driver.page_source
    assert url.split("/")[1] not in shown.driver.current_url


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (f"i/_/mw:9/plain/local:///{KEY}", "400: This server has no counterpart of min-width and min-height."),
        (f"t/unsafe/90x60/{KEY}", "403: The signature is wrong."),
        (f"i/_/w:9/plain/s3://bucket/{KEY}", "404: No storage has originals from this source."),
    ],
)
def test_a_url_that_becomes_nothing_says_why_and_stays(shown: Page, url: str, reason: str) -> None:
    shown.change("#url", f"https://old.example.com/{url}")
    assert lines(shown)["refused"] == reason
    assert shown.text("#no-thumbnail") == reason
    assert shown.find("#url").get_attribute("value") == f"https://old.example.com/{url}"
    assert shown.picture == ""
    shown.change("#url", f"https://old.example.com/m/unsafe/90x60/{KEY}")
    assert "refused" not in lines(shown)
    assert shown.picture


def test_a_changed_control_leaves_the_url_of_the_other_server(shown: Page) -> None:
    shown.change("#url", f"/x/s_90x60,f_webp/{KEY}")
    shown.set("flip")
    assert not shown.find("#dialect").is_displayed()
    assert shown.url.startswith("/open/thumbs/90x60/filters:format(webp)")


def test_a_hostile_source_is_only_text(shown: Page) -> None:
    shown.change("#url", "/m/unsafe/90x60/%3Cscript%3Ealert(1)%3C%2Fscript%3E%E2%80%AEgpj.jpg")
    assert shown.driver.find_elements("css selector", "main script") == []
    assert "<script>alert(1)</script>" in lines(shown)["path"]
    assert shown.text("#no-thumbnail").startswith("404: ")
    assert all("status of 404" in line for line in console(shown.driver))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1440])
def test_the_page_fits_with_a_url_of_another_server(shown: Page, width: int, dark: bool) -> None:
    with resized(shown.driver, width=width, dark=dark):
        for url in (PASTED[0][0], "t/" + signed(THUMBOR), f"i/_/mw:9/plain/local:///{'a' * 900}"):
            shown.open(f"storage=open&key={KEY}&size=200x")
            shown.change("#url", f"https://old.example.com/{url}")
            assert shown.driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
            assert serious(shown.driver) == []
            assert console(shown.driver) == []
