"""The checks of where URLs begin: a site that serves them nowhere, and a front with another prefix than theirs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.conf import settings
from django.test import override_settings
from django.urls import include, path, re_path
from django.views.generic import View

from tests.support.documents import checked, local
from thumbs.checks.wrappers import all_wrappers
from thumbs.front import PATTERN
from thumbs.views import private, thumbnail

INCLUDED = path("img/", include("thumbs.urls"))
NOWHERE, OTHER = "thumbs.W008", "thumbs.W011"


def urls(*patterns: Any) -> type:
    class Urlconf:
        urlpatterns: ClassVar = list(patterns)

    return Urlconf


@pytest.fixture
def wrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Writes a module with `text` that ASGI_APPLICATION names from then on."""
    monkeypatch.syspath_prepend(tmp_path)
    active = []

    def wrapped(text: str, name: str = "fronted") -> None:
        (tmp_path / f"{name}.py").write_text(f"from thumbs.asgi import ThumbsASGI\napplication = {text}\n")
        setting = override_settings(ASGI_APPLICATION=f"{name}.application")
        setting.enable()
        active.append(setting)

    yield wrapped
    for setting in active:
        setting.disable()


def found(root: Path, *patterns: Any, **more: object) -> list[tuple[str, str]]:
    """The id and the hint of each message, for a site with these patterns; `more` are keys of THUMBS and settings."""
    thumbs = {"STORAGES": [local(root)], **{name: more.pop(name) for name in ("URL_PREFIX",) if name in more}}
    with override_settings(ROOT_URLCONF=urls(*patterns), **more):
        return [(str(each.id), f"{each.msg} {each.hint}") for each in checked(thumbs)]


def ids(root: Path, *patterns: Any, **more: object) -> list[str]:
    return [code for code, _ in found(root, *patterns, **more)]


# ---------------------------------------------------------------------------------------- nowhere


@pytest.mark.parametrize(
    "patterns",
    [
        [],
        [path("other/", View.as_view())],
        [path("<slug:shop>/img/", include("thumbs.urls"))],
        [path("shop/", include(([INCLUDED], "shop")))],
        [path("img/", include([re_path(PATTERN, thumbnail)]))],
    ],
)
def test_a_site_whose_urls_lead_nowhere_is_warned_about(tmp_path: Path, patterns: list[Any]) -> None:
    [(code, text)] = found(tmp_path, *patterns)
    assert code == NOWHERE
    assert "lead nowhere" in text or "leads nowhere" in text
    assert 'path("img/", include("thumbs.urls"))' in text
    assert "cannot be reversed" in text or not [each for each in patterns if "other" not in str(each.pattern)]


@pytest.mark.parametrize(
    "patterns",
    [
        [INCLUDED],
        [path("a/", include([path("b/", include("thumbs.urls"))]))],
        [path("img/", include("thumbs.urls", namespace="pictures"))],
        [re_path(PATTERN, thumbnail)],
    ],
)
def test_a_site_with_the_include_is_right(tmp_path: Path, patterns: list[Any]) -> None:
    assert ids(tmp_path, *patterns) == []


@pytest.mark.parametrize("prefix", ["https://img.example.com/", "//img.example.com/", "/images/"])
def test_a_site_whose_thumbnails_another_server_serves_is_right(tmp_path: Path, prefix: str) -> None:
    assert ids(tmp_path, URL_PREFIX=prefix) == []


@pytest.mark.parametrize("arguments", ["None", 'None, prefix="/"', "None, prefix=PREFIX"])
def test_a_wrapper_at_the_root_or_with_an_unknown_prefix_is_a_place(tmp_path: Path, wrap: Any, arguments: str) -> None:
    wrap(f"ThumbsASGI({arguments})")
    assert ids(tmp_path) == []


def test_a_wrapper_is_found_beside_the_urlconf_without_a_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "mysite_of_mounts").mkdir()
    for name, text in {"__init__": "", "urls": "urlpatterns = []", "asgi": "application = ThumbsASGI(None)"}.items():
        (tmp_path / "mysite_of_mounts" / f"{name}.py").write_text(text)
    with override_settings(ROOT_URLCONF="mysite_of_mounts.urls"):
        assert [each.module for each in all_wrappers()] == ["mysite_of_mounts.asgi"]
        assert checked({"STORAGES": [local(tmp_path)]}) == []
        (tmp_path / "mysite_of_mounts" / "asgi.py").unlink()
        assert [each.id for each in checked({"STORAGES": [local(tmp_path)]})] == [NOWHERE]


def test_a_site_with_private_storages_only_needs_no_include(tmp_path: Path) -> None:
    view = path("private/<path:path>", private(lambda *_: True))
    with override_settings(ROOT_URLCONF=urls(view)):
        assert checked({"STORAGES": [local(tmp_path, private=True)]}) == []


def test_a_wrong_urlconf_is_left_to_django(tmp_path: Path) -> None:
    with override_settings(ROOT_URLCONF="no.such.urls"):
        assert checked({"STORAGES": [local(tmp_path)]}) == []


# ----------------------------------------------------------------------------------- another prefix


@pytest.mark.parametrize(
    ("text", "patterns", "more", "wanted"),
    [
        ('ThumbsASGI(None, prefix="/img/")', [], {}, '"URL_PREFIX": "/img/"'),
        ('ThumbsASGI(None, prefix="/thumbs/")', [INCLUDED], {}, 'prefix="/img/"'),
        ("ThumbsASGI(None)", [INCLUDED], {}, 'prefix="/img/"'),
        ('ThumbsASGI(None, prefix="/img/")', [INCLUDED], {"FORCE_SCRIPT_NAME": "/app"}, 'prefix="/app/img/"'),
        ('ThumbsASGI(None, prefix="/img/")', [], {"URL_PREFIX": "/pictures/"}, 'prefix="/pictures/"'),
    ],
)
def test_a_wrapper_with_another_prefix_than_the_urls_is_warned_about(
    tmp_path: Path, wrap: Any, text: str, patterns: list[Any], more: dict[str, object], wanted: str
) -> None:
    wrap(text)
    [(code, told)] = found(tmp_path, *patterns, **more)
    assert code == OTHER
    assert told.startswith("fronted: ThumbsASGI")
    assert wanted in told


@pytest.mark.parametrize(
    ("text", "patterns", "more"),
    [
        ('ThumbsASGI(None, prefix="/img/")', [INCLUDED], {}),
        ('ThumbsASGI(None, prefix="/app/img/")', [INCLUDED], {"FORCE_SCRIPT_NAME": "/app"}),
        ('ThumbsASGI(None, prefix="/app/img/")', [INCLUDED], {"FORCE_SCRIPT_NAME": "/app/"}),
        ('ThumbsASGI(None, prefix="/img/")', [], {"URL_PREFIX": "/img/"}),
        ('ThumbsASGI(None, prefix="/img/")', [], {"URL_PREFIX": "https://cdn.example.com/"}),
        ('ThumbsASGI(ThumbsASGI(None, prefix="/old/"), prefix="/img/")', [INCLUDED], {}),
        ("ThumbsASGI(None, **options)", [INCLUDED], {}),
    ],
)
def test_a_wrapper_with_the_prefix_of_the_urls_is_right(
    tmp_path: Path, wrap: Any, text: str, patterns: list[Any], more: dict[str, object]
) -> None:
    wrap(text)
    assert ids(tmp_path, *patterns, **more) == []


def test_a_prefix_of_urls_without_the_script_name_is_warned_about(tmp_path: Path) -> None:
    [(code, told)] = found(tmp_path, INCLUDED, URL_PREFIX="/img/", FORCE_SCRIPT_NAME="/app")
    assert code == OTHER
    assert "'/app/img/'" in told
    assert ids(tmp_path, INCLUDED, URL_PREFIX="/app/img/", FORCE_SCRIPT_NAME="/app") == []
    assert ids(tmp_path, INCLUDED, FORCE_SCRIPT_NAME="/app") == []
    assert settings.FORCE_SCRIPT_NAME is None
