"""With a configuration that has errors, the pages of a site stay: staff reads what to do, others read nothing."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from django.http import HttpResponse
from django.test import RequestFactory, override_settings
from django.urls import resolve

from tests.support.playgrounds import SITE
from thumbs.wiring import process

PATHS = ["/", "/playground/link?storage=open&key=a.jpg", "/playground/url?url=x", "/playground/originals?storage=open"]
SECRET = "a secret that no page may show"
BROKEN = [
    {"PLAYGROUND": "sign", "STORAGES": []},
    {"PLAYGROUND": "sign", "NOSUCH": SECRET, "STORAGES": [{"name": "open", "driver": "local", "root": "/"}]},
    {"PLAYGROUND": "perhaps", "STORAGES": [{"name": "open", "driver": "local", "root": "/"}]},
    {"PLAYGROUND": "sign", "STORAGES": [{"name": "open", "driver": "local", "signature_secret_key": SECRET}]},
]


@pytest.fixture(params=BROKEN, autouse=True)
def broken(request: pytest.FixtureRequest) -> Iterator[None]:
    with override_settings(THUMBS=request.param, ROOT_URLCONF=SITE):
        process.reset()
        yield
    process.reset()


def asked(path: str, **user: bool) -> HttpResponse:
    request = RequestFactory().get(f"/thumbs{path}")
    request.user = SimpleNamespace(is_active=True, **user)  # type: ignore[assignment]
    match = resolve(f"/thumbs{path.partition('?')[0]}")
    request.resolver_match = match
    found: HttpResponse = match.func(request, **match.kwargs)
    return found


@pytest.mark.parametrize("path", PATHS)
def test_staff_reads_what_to_do(path: str) -> None:
    answer = asked(path, is_authenticated=True, is_staff=True)
    assert answer.status_code == 503
    assert answer.content.decode() == "The configuration of thumbnails has errors: run manage.py check."
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", PATHS)
def test_others_are_refused_as_always(path: str) -> None:
    assert asked(path, is_authenticated=True, is_staff=False).status_code == 403
    assert asked(path, is_authenticated=False, is_staff=False).status_code == (302 if path == "/" else 403)
