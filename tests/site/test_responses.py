"""What is public stays so: no middleware of a site gets a cookie onto a thumbnail that caches may share."""

import copy
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import Client, override_settings

from tests.support import servers
from thumbs.http.messages import Response
from thumbs.site import responses
from thumbs.site.responses import django_response

PICTURE = "public/thumbs/90x60/quarters.jpg"
_SETTINGS: dict[str, object] = {
    "MIDDLEWARE": [
        "tests.support.cookie_middleware.sets_cookies",
        "django.middleware.gzip.GZipMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "tests.support.cookie_middleware.counts_visits",
        "django.middleware.locale.LocaleMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.middleware.http.ConditionalGetMiddleware",
    ],
    "SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies",
    "SESSION_SAVE_EVERY_REQUEST": True,
}


def _thumbs(root: Path) -> dict[str, object]:
    local = {"driver": "local", "root": str(root)}
    return {
        "storages": [
            {"name": "public", **local},
            {"name": "private", **local, "cache_control": "private, max-age=60"},
        ]
    }


@pytest.fixture(autouse=True)
def _uncounted_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "_reported", False)


@pytest.fixture
def client(originals: Path) -> Iterator[Client]:
    thumbs = {key.upper(): value for key, value in _thumbs(originals).items()}
    with override_settings(THUMBS=thumbs, **_SETTINGS):
        yield Client()


@pytest.mark.parametrize("worker", ["gthread", "asgi"])
def test_no_cookie_of_any_middleware_is_sent_with_a_public_thumbnail(
    originals: Path, tmp_path: Path, worker: str
) -> None:
    with servers.site(_thumbs(originals), tmp_path, settings=_SETTINGS, worker=worker) as server:
        first, again = server.get(PICTURE), server.get(PICTURE, headers={"Cookie": "sessionid=x; old=1"})
        for answer in (first, again):
            assert (answer.status, answer.headers["cache-control"]) == (200, "public, max-age=86400")
            assert "set-cookie" not in answer.headers
        unchanged = server.get(PICTURE, headers={"If-None-Match": first.headers["etag"]})
        assert (unchanged.status, unchanged.headers.get("set-cookie")) == (304, None)
        # What is for one client alone keeps them, and so do the site's own pages.
        for path in ("private/thumbs/90x60/quarters.jpg", "public/thumbs/90x60/absent.jpg", "a-page"):
            assert "visitor=canary-visitor" in server.get(path).headers["set-cookie"], path
        said = [line for line in server.log.read_text().splitlines() if "thumbs.W004" in line]
        assert len(said) == 1
        assert "canary" not in said[0]


@pytest.mark.parametrize("worker", ["gthread", "asgi"])
def test_a_wrapper_answers_before_any_middleware(originals: Path, tmp_path: Path, worker: str) -> None:
    middleware = ["tests.support.cookie_middleware.makes_private", *_SETTINGS["MIDDLEWARE"]]  # type: ignore[misc]
    settings = {**_SETTINGS, "MIDDLEWARE": middleware}
    with servers.site(
        _thumbs(originals), tmp_path, settings=settings, worker=worker, module="tests.support.wrapped"
    ) as server:
        sent = {"Cookie": "sessionid=x", "Accept-Language": "de", "Accept-Encoding": "gzip"}
        answer = server.get(PICTURE, headers=sent)
        assert (answer.status, answer.headers["cache-control"]) == (200, "public, max-age=86400")
        assert not {"set-cookie", "vary", "content-language", "content-encoding"} & set(answer.headers)
        assert "W/" not in answer.headers["etag"]
        assert "set-cookie" in server.get("a-page").headers


def test_a_client_of_djangos_own_gets_no_cookie_either(client: Client) -> None:
    assert client.get(f"/img/{PICTURE}").status_code == 200
    assert not client.cookies
    client.get("/img/private/thumbs/90x60/quarters.jpg")
    assert client.cookies["visitor"].value == "canary-visitor"


def test_a_site_varies_on_what_it_likes(client: Client) -> None:
    """A login may decide about the picture: a shared cache must hear of that."""
    assert "Cookie" in client.get(f"/img/{PICTURE}").headers["Vary"]


# ------------------------------------------------------------------------------------- the response


def _public(*headers: tuple[bytes, bytes]) -> HttpResponse:
    return django_response(Response(200, ((b"Cache-Control", b"public, max-age=60"), *headers), b"body"))


def test_middleware_finds_the_cookie_that_it_set() -> None:
    response = _public()
    response.set_cookie("a", "b", max_age=60, secure=True)
    assert response.cookies["a"].value == "b"
    assert "a" in response.cookies
    assert response.cookies.output() == ""
    assert list(response.cookies.values()) == []


def test_the_response_can_be_copied_and_kept_in_a_cache() -> None:
    response = _public((b"ETag", b'"x"'))
    response.set_cookie("a", "b")
    for again in (pickle.loads(pickle.dumps(response)), copy.copy(response), copy.deepcopy(response)):
        again.set_cookie("c", "d")
        again["Set-Cookie"] = "e=f"
        assert list(again.cookies.values()) == []
        assert (again.content, again["ETag"], "Set-Cookie" in again.headers) == (b"body", '"x"', False)


@pytest.mark.parametrize(
    ("cache_control", "public"),
    [
        ("public, max-age=86400", True),
        ("max-age=60", True),
        ("", True),
        ("PRIVATE, max-age=60", False),
        ('max-age=60,private="x"', False),
        ("no-store", False),
    ],
)
def test_a_shared_cache_keeps_what_does_not_forbid_it(cache_control: str, public: bool) -> None:
    assert responses.is_public(cache_control) is public
