"""Where URLs begin: by the thread's language, URLconf and script name, and by `url_prefix` wherever there is one."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import clear_script_prefix, include, path, set_script_prefix, set_urlconf
from django.utils import translation
from django.utils.translation import gettext_lazy

from tests.support.toolkit_site import configured
from thumbs import thumb
from thumbs.wiring import process


def _url() -> str:
    return thumb("a.jpg", "9x", storage="open").url


def _view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_url())


class Translated:
    urlpatterns: ClassVar = i18n_patterns(path("img/", include("thumbs.urls")), path("page/", _view))


class WithoutDefault:
    urlpatterns: ClassVar = i18n_patterns(path("img/", include("thumbs.urls")), prefix_default_language=False)


class TranslatedPath:
    urlpatterns: ClassVar = [path(gettext_lazy("Yes"), include("thumbs.urls"))]


class Nested:
    urlpatterns: ClassVar = [path("a/", include([path("b/", include("thumbs.urls")), path("page/", _view)]))]


class Plain:
    urlpatterns: ClassVar = [path("plain/", include("thumbs.urls")), path("page/", _view)]


class BySubdomain:
    """A middleware that gives some requests another URLconf."""

    def __init__(self, get_response: object) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.get_host().startswith("nested"):
            request.urlconf = Nested  # type: ignore[assignment]
        return self._get_response(request)  # type: ignore[operator, no-any-return]


def test_a_translated_prefix_follows_the_language_of_the_thread() -> None:
    both = threading.Barrier(2, timeout=60)

    def urls(language: str) -> list[str]:
        found = []
        with translation.override(language):
            for _ in range(20):
                both.wait()
                found.append(_url())
        return found

    with configured(), override_settings(ROOT_URLCONF=Translated), ThreadPoolExecutor(2) as pool:
        german, french = pool.map(urls, ["de", "fr"])
    assert set(german) == {"/de/img/open/thumbs/9x/a.jpg"}
    assert set(french) == {"/fr/img/open/thumbs/9x/a.jpg"}


def test_the_default_language_may_have_no_prefix() -> None:
    with configured(), override_settings(ROOT_URLCONF=WithoutDefault, LANGUAGE_CODE="en"):
        for language, start in (("en", "/img/"), ("de", "/de/img/"), ("en", "/img/")):
            with translation.override(language):
                assert _url().startswith(f"{start}open/")


def test_a_request_in_a_language_has_its_urls() -> None:
    middleware = ["django.middleware.locale.LocaleMiddleware"]
    with configured(), override_settings(ROOT_URLCONF=Translated, MIDDLEWARE=middleware):
        for language in ("de", "fr", "de"):
            assert Client().get(f"/{language}/page/").content.decode() == f"/{language}/img/open/thumbs/9x/a.jpg"


def test_a_translated_path_follows_the_language() -> None:
    with configured(), override_settings(ROOT_URLCONF=TranslatedPath):
        found = []
        for language in ("de", "fr", "de"):
            with translation.override(language):
                found.append(_url())
    assert found == [f"/{word}open/thumbs/9x/a.jpg" for word in ("Ja", "Oui", "Ja")]


def test_the_urlconf_of_the_request_decides() -> None:
    here = f"{__name__}.BySubdomain"
    with configured(), override_settings(ROOT_URLCONF=Plain, MIDDLEWARE=[here]):
        for host, start in (("site", "/plain/"), ("nested", "/a/b/"), ("site", "/plain/")):
            page = "/a/page/" if host == "nested" else "/page/"
            answer = Client(headers={"host": f"{host}.example"}).get(page)
            assert answer.content.decode() == f"{start}open/thumbs/9x/a.jpg"
        set_urlconf(Nested)  # type: ignore[arg-type]
        try:
            assert _url().startswith("/a/b/open/")
        finally:
            set_urlconf(None)


def test_the_script_name_of_the_request_stands_first() -> None:
    with configured(), override_settings(ROOT_URLCONF=Plain):
        site = get_wsgi_application()  # not the test client, which leaves the script name alone
        for script in ("", "/app", "/other", ""):
            environ = RequestFactory().get("/page/", headers={"host": "site"}).environ
            body = b"".join(site({**environ, "SCRIPT_NAME": script}, lambda *_: lambda _: None))
            assert body.decode() == f"{script}/plain/open/thumbs/9x/a.jpg"
        set_script_prefix("/thread/")
        try:
            assert _url() == "/thread/plain/open/thumbs/9x/a.jpg"
        finally:
            clear_script_prefix()


@pytest.mark.parametrize("urlconf", [Translated, Nested, Plain])
def test_a_prefix_of_the_configuration_is_the_same_everywhere(urlconf: type) -> None:
    with configured(URL_PREFIX="https://img.example.com/t/"), override_settings(ROOT_URLCONF=urlconf):
        for language in ("de", "fr"):
            with translation.override(language):
                set_script_prefix("/app/")
                try:
                    assert _url() == "https://img.example.com/t/open/thumbs/9x/a.jpg"
                finally:
                    clear_script_prefix()


def test_another_urlconf_of_the_settings_is_seen() -> None:
    with configured():
        for urlconf, start in ((Plain, "/plain/"), (Nested, "/a/b/"), (Plain, "/plain/")):
            with override_settings(ROOT_URLCONF=urlconf):
                assert _url().startswith(start)
        process.reset()
        assert _url().startswith("/img/")
