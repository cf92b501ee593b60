"""The cache console shows what the caches hold, purges and clears them, for staff with its permission only."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.gallery import settings
from tests.support.albums import make_albums, session, signed_in
from tests.support.axe import serious
from tests.support.browser import console, resized
from tests.support.gallery import Gallery
from tests.support.pictures import encoded, quarters
from tests.support.servers import Server

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

_START = """
import json
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.test.utils import setup_test_environment
from thumbs import thumb_url
setup_test_environment()
LogEntry.objects.all().delete()
PAGE = "/admin/thumbs_console/cache/"
PATHS = (PAGE, f"{PAGE}?browse=1&storage=uploads", f"{PAGE}purge/", f"{PAGE}clear/uploads/")
def client(*permissions, **flags):
    user, _ = User.objects.get_or_create(username="-".join(["user", *permissions, *flags]), defaults=flags)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    made = Client(enforce_csrf_checks=flags.pop("csrf", False))
    made.force_login(user)
    return made
staff = client("manage_caches", is_staff=True)
def messages(answer):
    return [str(message) for message in answer.context["messages"]]
def print_json(value):
    print(json.dumps(value))
"""


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    directory = tmp_path_factory.mktemp("console")
    disk = {"enabled": True, "dir": str(directory / "cache"), "max_size_mb": 4}
    memory = {"enabled": True, "max_size_mb": 4}
    uploads = {"name": "uploads", "driver": "django", "alias": "default", "signature_secret_key": "django"}
    (directory / "foreign").mkdir()
    (directory / "foreign" / "file").write_text("of another program")
    storages = [
        {**uploads, "cache": {"memory": memory, "disk": disk}},
        {**uploads, "name": "bare"},
        {**uploads, "name": "remembering", "cache": {"memory": memory}},
        {"name": "stuck", "driver": "tests.support.stuck_listing.StuckStorage", "signature_secret_key": "django"},
    ]
    thumbs = {**settings.THUMBS, "STORAGES": storages, "METRICS": True, "RUN_DIR": str(directory / "run")}
    apps = [*settings.INSTALLED_APPS, "tests.albums", "thumbs.console"]
    made = make_albums(directory, thumbs=thumbs, settings={"INSTALLED_APPS": apps})
    for name in ("cats/tom.jpg", "cats/<script>alert(1)<.jpg", "\"q\" & 'a'.jpg", "\u202egpj.txe.jpg"):
        path = made.media / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(encoded(quarters(), "JPEG"))
    return made


def result(gallery: Gallery, program: str) -> Any:
    return json.loads(gallery.copy(_START + program))


def test_no_migration_is_missing_and_no_table_is_made(gallery: Gallery) -> None:
    assert "No changes" in gallery.manage("makemigrations", "--check", "--dry-run")
    assert (
        result(
            gallery,
            "from django.db import connection\n"
            "print_json([name for name in connection.introspection.table_names() if 'console' in name])",
        )
        == []
    )
    assert "thumbs_console.cache" not in gallery.manage("dumpdata", "--all", "thumbs_console")


def test_only_staff_with_the_permission_sees_or_does_anything(gallery: Gallery) -> None:
    statuses = result(
        gallery,
        """
others = [Client(), client(), client("manage_caches"), client(is_staff=True), client("view_user", is_staff=True)]
print_json([[[each.get(path).status_code, each.post(path).status_code] for path in PATHS] for each in others])
""",
    )
    anonymous, *others = statuses
    assert anonymous == [[302, 302]] * 4
    assert others[1] == others[0] == [[302, 302]] * 4
    assert others[2] == others[3] == [[403, 403]] * 4


def test_the_index_shows_the_console_to_those_that_may_use_it(gallery: Gallery) -> None:
    shown = result(
        gallery,
        """
without = client(is_staff=True)
print_json([PAGE in each.get("/admin/").content.decode() for each in (staff, without)])
""",
    )
    assert shown == [True, False]


def test_every_action_needs_a_csrf_token(gallery: Gallery) -> None:
    statuses = result(
        gallery,
        """
checking = Client(enforce_csrf_checks=True)
checking.force_login(User.objects.get(username="user-manage_caches-is_staff"))
print_json([checking.post(f"{PAGE}purge/", {"storage": "uploads", "key": "cats/tom.jpg"}).status_code,
            checking.post(f"{PAGE}clear/uploads/").status_code, LogEntry.objects.count(),
            staff.get(f"{PAGE}purge/").status_code])
""",
    )
    assert statuses == [403, 403, 0, 405]


def test_the_figures_are_those_of_the_disk_and_of_all_requests(gallery: Gallery) -> None:
    html = result(
        gallery,
        """
from thumbs.site.clearing import clear
clear("uploads")
for size in ("40x30", "41x30"):
    for _ in range(2):
        assert client().get(thumb_url("uploads", "cats/tom.jpg", size)).status_code == 200
assert client().get(thumb_url("uploads", "none.jpg", size)).status_code == 404
print_json(staff.get(PAGE).content.decode())
""",
    )
    assert "<dt>Entries</dt><dd>2</dd>" in html
    assert re.search(r"<dt>On disk</dt><dd>[\d.]+ KiB of 4.0 MiB</dd>", html)
    assert "never; the command run_cache_janitor sweeps" in html
    assert "Only the process that answered this page" in html
    rows = dict(re.findall(r'<th scope="row">([^<]+)</th><td class="tc-number">([\d,]+)</td>', html))
    assert rows == {"memory": "2", "made anew": "2", "errors of requests (4xx)": "1"}
    assert "This storage has no cache." in html
    assert html.count("<svg") >= 4
    assert re.findall(r"<script(?![^>]+src=)|\sstyle=|\son\w+=", html.partition('id="content-main"')[2]) == []


def test_one_original_is_purged_by_its_key_and_the_log_says_so(gallery: Gallery) -> None:
    found = result(
        gallery,
        """
urls = [thumb_url("uploads", key, "40x30") for key in ("cats/tom.jpg", "cats/<script>alert(1)<.jpg")]
def layers():
    return [client().get(url).headers["X-Cache"] for url in urls]
layers()
before = layers()
answer = staff.post(f"{PAGE}purge/", {"storage": "uploads", "key": "cats/tom.jpg"}, follow=True)
print_json([before, messages(answer), layers(), [(str(each), each.user.username) for each in LogEntry.objects.all()]])
""",
    )
    before, said, after, logged = found
    assert before == ["HIT", "HIT"]
    assert after == ["MISS", "HIT"]
    assert said[0].startswith("Purged cats/tom.jpg of uploads: ")
    assert said[0] in logged[0][0]
    assert logged[0][1] == "user-manage_caches-is_staff"


@pytest.mark.parametrize(
    ("storage", "key"),
    [("nowhere", "a.jpg"), ("uploads", "../a.jpg"), ("uploads", ""), ("uploads", "a" * 1100), ("", "")],
)
def test_what_cannot_be_purged_is_an_error_and_in_the_log(gallery: Gallery, storage: str, key: str) -> None:
    said, count = result(
        gallery,
        f"""
answer = staff.post(f"{{PAGE}}purge/", {{"storage": {storage!r}, "key": {key!r}}}, follow=True)
print_json([[(each.level_tag, str(each)) for each in answer.context["messages"]], LogEntry.objects.count()])
""",
    )
    assert [level for level, _ in said] == ["error"]
    assert count == 1


def test_clearing_says_first_what_it_costs(gallery: Gallery) -> None:
    found = result(
        gallery,
        """
url = thumb_url("uploads", "cats/tom.jpg", "44x30")
client().get(url)
asked = staff.get(f"{PAGE}clear/uploads/").content.decode()
still = client().get(url).headers["X-Cache"]
done = messages(staff.post(f"{PAGE}clear/uploads/", follow=True))
print_json([asked, still, done, client().get(url).headers["X-Cache"], LogEntry.objects.count(),
            staff.get(f"{PAGE}clear/nowhere/").status_code])
""",
    )
    asked, still, done, after, logged, unknown = found
    assert re.search(r"\d+ entr(y|ies), [\d.]+ KiB of disk", asked)
    assert re.search(r"at the \d+\.", asked)  # seconds of a render, more on a busy machine
    assert (still, after, logged, unknown) == ("HIT", "MISS", 1, 404)
    assert done[0].startswith("Cleared uploads: ")


def test_originals_are_picked_from_a_list_and_names_are_only_text(gallery: Gallery) -> None:
    html, kept = result(
        gallery,
        """
answer = staff.post(f"{PAGE}purge/", {"storage": "uploads", "key": "cats/tom.jpg", "browse": "1", "prefix": "c&<"})
print_json([staff.get(f"{PAGE}?browse=1&storage=uploads").content.decode(), answer.headers["Location"]])
""",
    )
    listing = html.partition('id="listing"')[2]
    assert listing.count('name="key"') == 4
    assert "&lt;script&gt;alert(1)&lt;.jpg" in listing
    assert "<script>alert" not in html
    assert kept == "/admin/thumbs_console/cache/?browse=1&prefix=c%26%3C&storage=uploads"


def test_the_links_between_pages_of_originals_have_numbers_without_separators(gallery: Gallery) -> None:
    html = result(
        gallery,
        """
from django.test import override_settings
from thumbs.console import context

context.listing = lambda *place: context.Listing(*place, originals=(("tom.jpg", ""),), more=True, error="")
with override_settings(USE_THOUSAND_SEPARATOR=True):
    print_json(staff.get(f"{PAGE}?browse=1&storage=uploads&page=4321").content.decode())
""",
    )
    assert re.findall(r'page(?:=|" value=")([^#"]+)', html) == ["4321", "4320", "4322"]


def test_a_storage_that_hangs_leaves_the_page(gallery: Gallery) -> None:
    html = result(gallery, 'print_json(staff.get(f"{PAGE}?browse=1&storage=stuck").content.decode())')
    assert "did not list its originals in time" in html


def test_a_cache_that_cannot_be_read_or_hangs_leaves_the_page(gallery: Gallery) -> None:
    found = result(
        gallery,
        """
import threading
from thumbs.console import figures
from thumbs.wiring.process import current
def failing(conf): raise OSError(5, "Input/output error")
never, original = threading.Event(), figures._disk
figures._disk = failing
first = staff.get(PAGE).content.decode()
figures._disk = lambda conf: never.wait() if conf.name == "uploads" else original(conf)
threads = []
for _ in range(3):
    threads.append(threading.active_count())
    shown = figures.figures(current().read.storages, seconds=0.5)
print_json([first, [(each.name, each.error) for each in shown], threads])
never.set()
""",
    )
    first, shown, threads = found
    assert "The cache directory cannot be read: Input/output error." in first
    assert dict(shown)["uploads"] == "The cache did not answer in time."
    assert dict(shown)["remembering"] == ""
    assert threads[2] <= threads[1]


@pytest.fixture(scope="module")
def window(gallery: Gallery) -> Iterator[tuple[Server, "Chrome"]]:
    cookie = session(gallery)
    with gallery.served() as server, signed_in(server, cookie) as driver:
        yield server, driver


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_fits_and_has_no_serious_fault(window: tuple[Server, "Chrome"], dark: bool) -> None:
    server, driver = window
    for width in (360, 768, 1440):
        with resized(driver, width=width, dark=dark):
            for path in ("?browse=1&storage=uploads", "clear/uploads/"):
                driver.get(server.url(f"admin/thumbs_console/cache/{path}"))
                assert driver.execute_script("return document.documentElement.scrollWidth <= innerWidth"), width
                assert serious(driver) == []
                assert console(driver) == []


_LOADED = """
import sys
loaded = [name for name in sys.modules if name.startswith(("thumbs.console", "thumbs.playground"))]
"""


def test_a_site_that_installs_neither_imports_nothing_of_them(tmp_path: Path) -> None:
    made = make_albums(tmp_path)
    assert json.loads(made.python(_LOADED + "import json, tests.gallery.urls\nprint(json.dumps(loaded))")) == []
