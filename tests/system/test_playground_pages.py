"""The playground fits every screen, has no serious fault of accessibility, and says what fails without failing."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.axe import serious
from tests.support.browser import console, resized
from tests.support.playground_pages import Page, document, fill, page, served
from tests.support.servers import Server, fetch
from tests.support.waiting import eventually

START = "storage=signed&key=photos/grain.jpg&size=120x90&filters=gravity(0.3,0.4);padding(1,2,3,4);fit(fill,ff0000)"
_WIDE = "return [document.documentElement.scrollWidth, window.innerWidth]"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("originals")
    fill(made)
    return made


@pytest.fixture(scope="module")
def server(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(root, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def window(server: Server) -> Iterator[Page]:
    with page(server) as opened:
        yield opened


def browse(shown: Page, prefix: str) -> list[str]:
    """Open the list of originals that begin with `prefix`, and return their keys."""
    shown.driver.execute_script("document.getElementById('prefix').value = arguments[0]", prefix)
    shown.find("#browse").click()
    eventually(lambda: shown.text("#originals-status") == "" and any(keys(shown)))
    return keys(shown)


def keys(shown: Page) -> list[str]:
    tiles = "return [...document.querySelectorAll('#originals-list button')].map(({ title }) => title)"
    return [str(title) for title in shown.driver.execute_script(tiles)]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1440])
def test_a_page_fits_its_screen_and_has_no_serious_fault(window: Page, width: int, dark: bool) -> None:
    shown = window
    with resized(shown.driver, width=width, dark=dark):
        for query in (START, f"{START};formt(webp)"):
            shown.open(query)
            shown.driver.execute_script("document.querySelectorAll('details').forEach((each) => (each.open = true))")
            for name in ("watermark", "trim", "crop"):
                shown.switch(name)
            wide, inner = shown.driver.execute_script(_WIDE)
            assert wide <= inner == width
            assert console(shown.driver) == []
            assert serious(shown.driver) == []
        browse(shown, "strange/")
        wide, inner = shown.driver.execute_script(_WIDE)
        assert wide <= inner
        assert serious(shown.driver) == []
        assert console(shown.driver) == []


def test_nothing_is_asked_of_another_host(window: Page) -> None:
    window.open(START)
    names = window.driver.execute_script("return performance.getEntriesByType('resource').map(({ name }) => name)")
    own = f"http://127.0.0.1:{window.server.port}/"
    assert [name for name in names if not name.startswith((own, "blob:", "data:"))] == []


def test_the_wrong_part_is_marked_and_a_button_mends_it(window: Page) -> None:
    window.open(START)
    window.change("#url", "/open/thumbs/120x90/filters:formt(webp);quality(170)/photos/grain.jpg")
    marks = window.driver.find_elements("css selector", "#verdict mark")
    assert [mark.text for mark in marks] == ["formt", "170"]
    assert window.find("#url").get_attribute("aria-invalid") is not None
    assert "There is no filter 'formt'." in window.text("#verdict")
    window.find("#verdict li:first-child button").click()
    window.settle()
    window.find("#verdict button").click()
    window.settle()
    assert window.url == "/open/thumbs/120x90/filters:format(webp);quality(100)/photos/grain.jpg"
    assert window.text("#verdict") == ""
    assert window.text("[data-figure=type]") == "image/webp"
    assert console(window.driver) == []


@pytest.mark.parametrize(("key", "status"), [("photos/none.jpg", 404), ("photos/broken.jpg", 422)])
def test_a_picture_that_cannot_be_made_says_why(window: Page, key: str, status: int) -> None:
    window.open(f"storage=open&key={key}&size=120x90")
    assert window.text("#no-thumbnail").startswith(f"{status}: ")
    assert window.picture == ""
    window.open(START)
    assert window.picture
    assert all(f"status of {status}" in line for line in console(window.driver))


def test_every_strange_key_is_listed_and_can_be_chosen(window: Page, root: Path) -> None:
    window.open(START)
    expected = sorted(path.relative_to(root).as_posix() for path in (root / "strange").iterdir())
    assert browse(window, "strange/") == expected
    window.find("#originals-close").click()
    for number, key in enumerate(expected):
        browse(window, "strange/")
        window.driver.find_elements("css selector", "#originals-list button")[number].click()
        window.settle()
        assert window.find("#key").get_attribute("value") == key
        assert window.picture
        assert window.text("#verdict") == ""
    assert window.driver.find_elements("css selector", "main script") == []
    assert console(window.driver) == []


def test_a_playground_that_does_not_sign_shows_signed_urls_without_a_picture(root: Path, tmp_path: Path) -> None:
    with served(root, tmp_path, playground="on") as server, page(server) as shown:
        shown.open(START)
        assert "without its signature" in shown.text("#note")
        assert shown.picture == ""
        assert shown.url.startswith("/signed/thumbs/120x90/")
        shown.open(START.replace("signed", "open"))
        assert shown.picture
        assert shown.driver.find_elements("css selector", "#browse") == []
        assert console(shown.driver) == []


def test_a_token_opens_the_page_once_and_a_cookie_from_then_on(root: Path, tmp_path: Path) -> None:
    token = "a-long-random-text-of-the-test"
    with served(root, tmp_path, host="0.0.0.0", playground_token=token) as server, page(server) as shown:
        assert fetch(server.url("")).status == 403
        shown.open(f"token={token}&{START}")
        assert token not in shown.driver.current_url
        assert shown.picture
        shown.open(START)
        assert shown.picture
        assert shown.driver.execute_script("return document.cookie") == ""
        assert console(shown.driver) == []
    assert token not in server.log.read_text()


def test_a_storage_that_fails_or_hangs_leaves_the_page(root: Path, tmp_path: Path) -> None:
    stuck = {"name": "stuck", "driver": "tests.support.stuck_listing.StuckStorage"}
    failing = {"name": "failing", "driver": "tests.support.stuck_listing.FailingStorage"}
    more = document(root, tmp_path)
    storages = [*more["storages"], stuck, failing]  # type: ignore[misc]
    with served(root, tmp_path, storages=storages, limits={"fetch_seconds": 2}) as server:
        for name, sentence in (("stuck", "in time"), ("failing", "could not be listed")):
            answer = fetch(server.url(f"playground/originals?storage={name}"))
            assert answer.status == 200
            assert sentence in json.loads(answer.body)["error"]
            assert server.get("").status == 200
        assert len(json.loads(fetch(server.url("playground/originals?storage=open")).body)["originals"]) > 5


def test_a_hundred_thousand_originals_are_listed_page_by_page(tmp_path: Path) -> None:
    crowded = {"name": "crowded", "driver": "tests.support.stuck_listing.CrowdedStorage"}
    thumbs = {"host": "127.0.0.1", "playground": "sign", "storages": [crowded]}
    with servers.standalone(thumbs, tmp_path, worker=servers.OUR_WORKER) as server:
        for number, first in ((0, "000000"), (1, "000050"), (1999, "099950")):
            answer = json.loads(fetch(server.url(f"playground/originals?storage=crowded&page={number}")).body)
            found = [each["key"] for each in answer["originals"]]
            assert (len(found), found[0]) == (50, f"many/{first}.jpg")
            assert answer["more"] is (number != 1999)


def test_without_the_key_the_server_has_no_pages(root: Path, tmp_path: Path) -> None:
    with served(root, tmp_path, playground="off") as server:
        answer = fetch(server.url(""))
        assert answer.status == 404
        assert json.loads(answer.body)["status"] == 404
        assert fetch(server.url("playground/originals?storage=open")).status == 404
