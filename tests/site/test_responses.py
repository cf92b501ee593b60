"""The response of the view: no cookie of any middleware, and it can be copied and cached."""

import copy
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import Client, override_settings

from tests.support.cookies import PICTURE, SETTINGS, storages_of
from thumbs.http.cache_control import is_public
from thumbs.http.messages import Response
from thumbs.site import responses
from thumbs.site.responses import django_response


@pytest.fixture(autouse=True)
def _uncounted_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses, "_reported", False)


@pytest.fixture
def client(originals: Path) -> Iterator[Client]:
    thumbs = {key.upper(): value for key, value in storages_of(originals).items()}
    with override_settings(THUMBS=thumbs, **SETTINGS):
        yield Client()


# -------------------------------------------------------------------------------- the response at once


def test_a_client_of_djangos_own_gets_no_cookie_either(client: Client) -> None:
    assert client.get(f"/img/{PICTURE}").status_code == 200
    assert not client.cookies
    client.get("/img/private/thumbs/90x60/quarters.jpg")
    assert client.cookies["visitor"].value == "canary-visitor"


def test_a_site_may_vary_on_any_header(client: Client) -> None:
    """A login may decide about the picture: a shared cache needs that `Vary`."""
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
    assert is_public(cache_control) is public
