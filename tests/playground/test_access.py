"""The pages are for those that the configuration says: staff in a site, this machine or the token on a server."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponseBase
from django.test import Client, RequestFactory, override_settings
from django.urls import resolve

from tests.support.playgrounds import SERVER, SITE, playground

PATHS = ["/", "/playground/link?storage=open&key=a.jpg", "/playground/url?url=x", "/playground/originals?storage=open"]
TOKEN = "a long random text"


@pytest.mark.parametrize("urlconf", [SERVER, SITE])
def test_without_the_key_there_is_no_page(originals: Path, urlconf: str) -> None:
    with playground(originals, "off", urlconf=urlconf) as client:
        prefix = "/thumbs" if urlconf == SITE else ""
        assert {client.get(prefix + path).status_code for path in PATHS} == {404}


@pytest.mark.parametrize("path", PATHS)
def test_a_page_of_this_machine_needs_no_token(originals: Path, path: str) -> None:
    with playground(originals) as client:
        assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    "request_of",
    [
        {"REMOTE_ADDR": "10.0.0.7"},
        {"HTTP_HOST": "rebound.example.com"},
        {"HTTP_HOST": "localhost.example.com:8080"},
        {"HTTP_HOST": ""},
        {"HTTP_X_FORWARDED_FOR": "10.0.0.7"},
        {"HTTP_FORWARDED": "for=10.0.0.7"},
        {"REMOTE_ADDR": ""},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", PATHS)
def test_without_a_token_a_page_that_signs_is_for_this_machine_only(
    originals: Path, path: str, request_of: dict[str, str]
) -> None:
    with playground(originals) as client:
        answer = client.get(path, **request_of)  # type: ignore[arg-type]
        assert answer.status_code == 403
        assert b"open/thumbs" not in answer.content


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:1", "127.8.9.1", "[::1]:8080", "LocalHost"])
def test_this_machine_has_several_names(originals: Path, host: str) -> None:
    with playground(originals) as client:
        assert client.get("/", HTTP_HOST=host).status_code == 200


def test_pages_that_sign_nothing_are_for_every_client_and_list_nothing(originals: Path) -> None:
    with playground(originals, "on") as client:
        assert client.get("/", REMOTE_ADDR="10.0.0.7", HTTP_HOST="img.example.com").status_code == 200
        assert client.get("/playground/originals?storage=open").status_code == 404
        assert b'id="browse"' not in client.get("/").content


@pytest.fixture
def guarded(originals: Path) -> Iterator[Client]:
    with playground(originals, PLAYGROUND_TOKEN=TOKEN) as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
def test_with_a_token_nothing_is_shown_without_it(guarded: Client, path: str) -> None:
    assert guarded.get(path).status_code == 403
    assert guarded.get(path, {"token": "another text"}).status_code == 403


def test_the_token_is_given_once_and_then_a_cookie_stands_for_it(guarded: Client) -> None:
    away = {"REMOTE_ADDR": "10.0.0.7", "HTTP_HOST": "img.example.com"}
    answer = guarded.get("/", {"token": TOKEN, "key": "a b.jpg"}, **away)  # type: ignore[arg-type]
    assert (answer.status_code, answer.headers["Location"]) == (303, "/?key=a+b.jpg")
    cookie = answer.cookies["mage_playground"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
    assert TOKEN not in cookie.value
    assert {guarded.get(path, **away).status_code for path in PATHS} == {200}  # type: ignore[arg-type]
    guarded.cookies["mage_playground"] = cookie.value[:-1]
    assert guarded.get("/").status_code == 403


def test_another_token_ends_the_cookies_of_the_first(originals: Path, guarded: Client) -> None:
    value = guarded.get("/", {"token": TOKEN}).cookies["mage_playground"].value
    with playground(originals, PLAYGROUND_TOKEN="another long text") as client:
        client.cookies["mage_playground"] = value
        assert client.get("/").status_code == 403


@pytest.mark.parametrize("path", [*PATHS, "/?token=x"])
@pytest.mark.parametrize("mode", ["on", "sign"])
def test_every_answer_has_the_closed_headers(originals: Path, path: str, mode: str) -> None:
    with playground(originals, mode) as client:
        headers = client.get(path).headers
        if headers.get("Content-Type", "").startswith("text/html; charset=utf-8") and path.startswith("/playground/o"):
            return  # the 404 of the project
        assert headers["Content-Security-Policy"] == (
            "default-src 'none'; img-src 'self' blob: data:; style-src 'self'; script-src 'self'; connect-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_pages_are_only_read(originals: Path, path: str, method: str) -> None:
    with playground(originals) as client:
        checking = Client(enforce_csrf_checks=True, headers={"host": "localhost"})
        assert getattr(checking, method)(path).status_code == 405
        assert client.head(path).status_code == 200


# -------------------------------------------------------------------------------------- in a site


def asked_by(user: object, path: str) -> HttpResponseBase:
    request: HttpRequest = RequestFactory().get(f"/thumbs{path}")
    if user is not None:
        request.user = user  # type: ignore[assignment]
    match: Any = resolve(f"/thumbs{path.partition('?')[0]}")
    request.resolver_match = match
    found: HttpResponseBase = match.func(request, **match.kwargs)
    return found


def user(**given: bool) -> SimpleNamespace:
    return SimpleNamespace(**{"is_authenticated": True, "is_active": True, "is_staff": False, **given})


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "client_user", [None, user(), user(is_staff=True, is_active=False), user(is_authenticated=False)], ids=str
)
@pytest.mark.parametrize("debug", [False, True])
def test_in_a_site_only_active_staff_sees_anything(
    originals: Path, path: str, client_user: object, debug: bool
) -> None:
    with playground(originals, urlconf=SITE), override_settings(DEBUG=debug):
        answer = asked_by(client_user, path)
    if path == "/" and client_user is not None and not client_user.is_authenticated:  # type: ignore[attr-defined]
        assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=/thumbs/")
    else:
        assert answer.status_code == 403


@pytest.mark.parametrize("path", PATHS)
def test_in_a_site_staff_needs_neither_token_nor_this_machine(originals: Path, path: str) -> None:
    with playground(originals, urlconf=SITE, PLAYGROUND_TOKEN=TOKEN):
        assert asked_by(user(is_staff=True), path).status_code == 200
