"""In a real site the playground is for its staff: others come to the login, or see nothing."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.gallery import settings
from tests.support.albums import make_albums
from tests.support.browser import browser, console, one
from tests.support.gallery import Gallery
from tests.support.pictures import encoded, quarters
from tests.support.servers import Server, fetch
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

QUERY = "storage=uploads&key=cats/tom.jpg&size=40x30"
DATA = (
    "link?storage=uploads&key=cats/tom.jpg",
    "url?url=/img/uploads/thumbs/40x30/cats/tom.jpg",
    "originals?storage=uploads",
)
PASSWORD = "correct horse battery staple"
_USERS = """
from django.contrib.auth.models import User
from django.test import Client
for name, is_staff in (("editor", True), ("visitor", False)):
    user = User.objects.create(username=name, is_staff=is_staff)
    user.set_password({password!r})
    user.save()
client = Client()
client.force_login(User.objects.get(username="visitor"))
print(client.cookies["sessionid"].value)
"""


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    directory = tmp_path_factory.mktemp("site")
    middleware = {"MIDDLEWARE": settings.MIDDLEWARE}  # the playground has a policy of its own
    urls = {"ROOT_URLCONF": "tests.support.pages_of_the_albums"}
    made = make_albums(directory, thumbs={**settings.THUMBS, "PLAYGROUND": "sign"}, settings={**middleware, **urls})
    (made.media / "cats").mkdir()
    (made.media / "cats/tom.jpg").write_bytes(encoded(quarters(), "JPEG"))
    return made


@pytest.fixture(scope="module")
def visitor(gallery: Gallery) -> str:
    """The session of a user without staff rights."""
    return gallery.copy(_USERS.format(password=PASSWORD)).strip()


@pytest.fixture(scope="module")
def server(gallery: Gallery, visitor: str) -> Iterator[Server]:
    with gallery.served() as running:
        yield running


@pytest.fixture(scope="module")
def window() -> Iterator["Chrome"]:
    with browser() as driver:
        yield driver


@pytest.fixture
def driver(window: "Chrome") -> "Chrome":
    """A browser that knows no user."""
    window.delete_all_cookies()
    return window


def test_an_anonymous_user_is_sent_to_the_login_and_comes_back_as_staff(server: Server, driver: "Chrome") -> None:
    driver.get(server.url(f"thumbs/?{QUERY}"))
    login = urlsplit(driver.current_url)
    assert login.path == "/admin/login/"
    assert parse_qs(login.query)["next"] == [f"/thumbs/?{QUERY}"]
    assert "uploads" not in driver.find_element("tag name", "body").text
    one(driver, "[name=username]").send_keys("editor")
    one(driver, "[name=password]").send_keys(PASSWORD + "\n")
    eventually(lambda: driver.execute_script("return document.documentElement.dataset.ready") == "yes")
    eventually(lambda: one(driver, "#result").get_attribute("aria-busy") == "false")
    assert urlsplit(driver.current_url).path == "/thumbs/"
    url = str(one(driver, "#url").get_attribute("value"))
    assert url.startswith("/img/uploads/thumbs/")
    assert url.endswith("/40x30/cats/tom.jpg")
    assert one(driver, "[data-figure=size]").text == "40 × 30"
    one(driver, "#browse").click()
    eventually(lambda: bool(driver.find_elements("css selector", "#originals-list button")))
    assert console(driver) == []


def test_a_user_without_staff_rights_sees_no_page_and_no_data(server: Server, visitor: str, driver: "Chrome") -> None:
    driver.get(server.url("admin/login/"))
    driver.add_cookie({"name": "sessionid", "value": visitor})
    for path in ("", *(f"playground/{each}" for each in DATA)):
        driver.get(server.url(f"thumbs/{path}"))
        assert driver.find_element("tag name", "body").text == "The playground is for the staff of this site."
    headers = {"Cookie": f"sessionid={visitor}"}
    assert fetch(server.url("thumbs/"), headers=headers).status == 403


@pytest.mark.parametrize("path", DATA)
def test_an_anonymous_user_gets_no_data(server: Server, path: str) -> None:
    answer = fetch(server.url(f"thumbs/playground/{path}"))
    assert answer.status == 403
    assert b"cats" not in answer.body


def test_without_the_key_there_is_no_page_for_staff_either(gallery: Gallery, visitor: str) -> None:
    assert visitor
    program = f"""
from django.contrib.auth.models import User
from django.test import Client, override_settings
from thumbs.wiring import process
client = Client()
client.force_login(User.objects.get(username="editor"))
def status():
    process.reset()
    return client.get("/thumbs/?{QUERY}").status_code
on = status()
from django.conf import settings
with override_settings(THUMBS={{**settings.THUMBS, "PLAYGROUND": "off"}}, ALLOWED_HOSTS=["*"]):
    print(on, status())
"""
    assert gallery.copy(program).split() == ["200", "404"]
