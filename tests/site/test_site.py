"""The app inside a site that already exists: under its prefix, its middleware, its checks, without the standalone."""

import asyncio
import gzip
import shutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote
from wsgiref.util import setup_testing_defaults

import pytest
from django.core import checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import Client, override_settings
from django.urls import include, path, reverse

from tests.support import pictures
from tests.support.crowded_site import MIDDLEWARE, NAMES
from tests.support.fronts import signature
from tests.support.site import asgi_application
from thumbs.asgi import ThumbsASGI
from thumbs.wsgi import ThumbsWSGI

PICTURE = "/img/local/thumbs/90x60/quarters.jpg"


@pytest.fixture
def root(originals: Path, tmp_path: Path) -> Path:
    for name in (*NAMES, "quarters.jpg", "quarters.png", "quarters.gif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(originals / (name if (originals / name).exists() else "quarters.jpg"), tmp_path / name)
    return tmp_path


@pytest.fixture
def site(root: Path) -> Iterator[Client]:
    storages = [
        {"name": "local", "driver": "local", "root": str(root)},
        {"name": "own", "driver": "local", "root": str(root), "signature_secret_key": "django"},
    ]
    with override_settings(THUMBS={"STORAGES": storages}):
        yield Client()


# ------------------------------------------------------------------------------------------- middleware


@pytest.fixture
def surrounded(site: Client) -> Iterator[Client]:
    """The same site with middleware around it; a client keeps the chain that it first used."""
    with override_settings(MIDDLEWARE=MIDDLEWARE, APPEND_SLASH=True):
        yield Client(enforce_csrf_checks=True)


def test_common_middleware_around_it_changes_no_picture(site: Client, surrounded: Client) -> None:
    answer = surrounded.get(PICTURE, headers={"Accept-Language": "de"})
    assert answer.headers["Content-Language"]
    assert answer.headers["X-Frame-Options"] == "DENY"
    with override_settings(MIDDLEWARE=[]):
        bare = site.get(PICTURE)
    assert (answer.status_code, answer.content) == (200, bare.content)
    for name, value in bare.headers.items():
        if name != "Server-Timing":
            assert value in answer.headers[name]


def test_middleware_that_compresses_loses_nothing(site: Client, surrounded: Client) -> None:
    url = "/img/local/thumbs/300x200/filters:format(auto)/quarters.gif"
    answer = surrounded.get(url, headers={"Accept-Encoding": "gzip"})
    body = gzip.decompress(answer.content) if "Content-Encoding" in answer.headers else answer.content
    assert pictures.decoded(body).size == (300, 200)
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert {"Accept", "Accept-Encoding"} <= set(answer.headers["Vary"].split(", "))
    again = surrounded.get(url, headers={"Accept-Encoding": "gzip", "If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_form_that_is_posted_gets_405_and_not_a_csrf_page(surrounded: Client, method: str) -> None:
    answer = getattr(surrounded, method)(PICTURE, {"a": "b"})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_missing_picture_is_not_redirected_to_a_slash(surrounded: Client) -> None:
    answer = surrounded.get("/img/local/thumbs/90x60/absent.jpg")
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
    assert surrounded.get("/img/local/thumbs/90x60").status_code == 400
    assert surrounded.get("/img/local").status_code == 404


# ------------------------------------------------------------------------------- servers that tell less


@pytest.mark.parametrize("name", NAMES)
def test_a_server_without_a_raw_target_finds_every_name(site: Client, name: str) -> None:
    url = f"/img/local/thumbs/50x/{quote(name)}"
    assert site.get(url).status_code == 200
    assert site.get(f"{url}?query=1").status_code == 200
    assert site.get(f"{url}x").status_code == 404


@pytest.mark.parametrize("name", NAMES)
def test_the_view_reads_what_a_plain_asgi_server_decoded(site: Client, name: str) -> None:
    assert _status_under_asgi(asgi_application, f"/img/local/thumbs/50x/{name}") == 200


@pytest.mark.parametrize("name", NAMES)
def test_the_wsgi_front_reads_what_a_plain_server_decoded(site: Client, name: str) -> None:
    environ: dict[str, object] = {"PATH_INFO": f"/local/thumbs/50x/{name}".encode().decode("latin-1")}
    setup_testing_defaults(environ)
    statuses: list[str] = []
    body = ThumbsWSGI(_no_application)(environ, lambda status, *_: statuses.append(status))  # type: ignore[arg-type]
    assert statuses == ["200 OK"]
    assert pictures.decoded(b"".join(body)).width == 50


@pytest.mark.parametrize("name", NAMES)
def test_the_asgi_front_reads_what_a_plain_server_decoded(site: Client, name: str) -> None:
    assert _status_under_asgi(ThumbsASGI(_no_application), f"/local/thumbs/50x/{name}") == 200  # type: ignore[arg-type]


def _no_application(*_: object) -> None:
    raise AssertionError("not asked")


def _status_under_asgi(application: Callable[..., Awaitable[None]], decoded_path: str) -> int:
    """As a server calls `application` that keeps no raw path, which ASGI lets it."""
    messages: list[dict[str, int]] = []
    received = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, object]:
        return received.pop() if received else await asyncio.Event().wait()  # type: ignore[return-value]

    async def send(message: dict[str, int]) -> None:
        messages.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": decoded_path,
        "query_string": b"",
        "headers": [],
        "server": ("testserver", 80),
    }
    asyncio.run(application(scope, receive, send))  # type: ignore[arg-type]
    return messages[0]["status"]


def test_a_target_is_too_long_also_where_the_server_does_not_pass_it_on(site: Client) -> None:
    assert site.get(f"{PICTURE}?{'x' * 2100}").status_code == 414
    assert site.get(f"/img/local/thumbs/90x60/{'x' * 2100}").status_code == 414


# ---------------------------------------------------------------------------------------------- mounting


def test_the_prefix_is_that_of_the_include(site: Client) -> None:
    assert reverse("thumbs:thumbnail", kwargs={"path": "local/thumbs/90x/a.jpg"}) == "/img/local/thumbs/90x/a.jpg"
    assert site.get(PICTURE.removeprefix("/img")).status_code == 404
    with override_settings(ROOT_URLCONF=_Deep):
        assert site.get(f"/a/b/{PICTURE.removeprefix('/img/')}").status_code == 200
        assert site.get(PICTURE).status_code == 404
    with override_settings(ROOT_URLCONF=_AtTheRoot):
        assert site.get(PICTURE.removeprefix("/img")).status_code == 200


class _Deep:
    urlpatterns: ClassVar = [path("a/", include([path("b/", include("thumbs.urls"))]))]


class _AtTheRoot:
    urlpatterns: ClassVar = [path("", include("thumbs.urls"))]


@pytest.mark.parametrize("name", ["quarters.jpg", "Bücher/été.jpg", "what?.jpg"])
def test_a_site_below_a_path_of_its_server_finds_its_pictures(site: Client, name: str) -> None:
    target = f"/sub/img/local/thumbs/50x/{quote(name)}"
    for raw in (target, target.removeprefix("/sub"), None):  # a proxy may strip the path, or pass on no raw target
        environ = {"SCRIPT_NAME": "/sub"} if raw is None else {"SCRIPT_NAME": "/sub", "RAW_URI": raw}
        assert site.generic("GET", target.removeprefix("/sub"), **environ).status_code == 200, raw  # type: ignore[arg-type]


def test_a_storage_may_sign_with_the_sites_own_key(site: Client) -> None:
    from thumbs.toolkit.links import thumb_url  # noqa: PLC0415

    url = thumb_url("own", "quarters.jpg", "50x")
    assert site.get(url).status_code == 200
    assert site.get("/img/own/thumbs/50x/quarters.jpg").status_code == 403
    guessed = signature("/own/thumbs/50x/quarters.jpg", "only for tests")
    assert site.get(f"/img/own/thumbs/{guessed}/50x/quarters.jpg").status_code == 403
    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=["only for tests"]):
        from thumbs.wiring import process  # noqa: PLC0415

        process.reset()
        assert site.get(url).status_code == 200
        assert thumb_url("own", "quarters.jpg", "50x") != url


# ------------------------------------------------------------------------------------------------ checks


def test_a_sites_own_check_reports_what_is_wrong_with_the_app(root: Path) -> None:
    storages: list[dict[str, object]] = [
        {"name": "a", "driver": "local", "root": str(root), "cahe": {}},
        {"name": "b", "driver": "django", "alias": "no"},
    ]
    with override_settings(THUMBS={"STORAGES": storages}):
        with pytest.raises(SystemCheckError) as raised:
            call_command("check")
        assert "(thumbs.E002) storages[a].cahe: is not a known key." in str(raised.value)
        assert "HINT: Did you mean 'cache'?" in str(raised.value)
    with override_settings(THUMBS={"STORAGES": storages[1:]}):
        assert "thumbs.E012" in {message.id for message in checks.run_checks()}


@pytest.mark.parametrize("name", ["Cache-Control", "content-type", "ETag", "X-Cache", "Transfer-Encoding"])
def test_a_storage_may_not_set_headers_that_every_answer_has(root: Path, name: str) -> None:
    storage = {"name": "a", "driver": "local", "root": str(root), "headers": {name: "x"}}
    with override_settings(THUMBS={"STORAGES": [storage]}):
        (error,) = (message for message in checks.run_checks() if message.id == "thumbs.E003")
        assert error.msg.startswith("storages[a].headers: must be an object without headers that every answer has")


def test_a_good_site_has_no_problems(site: Client, capsys: pytest.CaptureFixture[str]) -> None:
    signed = {"name": "a", "driver": "django", "alias": "default", "signature_secret_key": "django"}
    kept = {"memory": {"enabled": True, "max_size_mb": 1}}
    with override_settings(THUMBS={"STORAGES": [{**signed, "cache": kept}]}):
        call_command("check")
    assert capsys.readouterr().out == "System check identified no issues (0 silenced).\n"
