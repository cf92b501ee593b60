"""The checks of private storages: none is without a view that checks requests, and no such view without a storage."""

from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.test import override_settings
from django.urls import include, path

from tests.support.documents import checked, local
from thumbs.views import private, thumbnail

PRIVATE = "storages[bills].private"


def may_see(*_: object) -> bool:
    return False


def urls(*patterns: Any) -> type:
    class Urlconf:
        urlpatterns: ClassVar = list(patterns)

    return Urlconf


INCLUDE = path("img/", include("thumbs.urls"))
VIEW = path("private/<path:path>", private(may_see))
PLANS = path("plans/<path:path>", private(may_see, storages="plans"))


def found(root: Path, urlconf: object, *private_names: str, public: bool = True) -> list[tuple[str, str, str]]:
    """The id, the place and the rest of each message, for private storages of these names and a public one."""
    storages = [local(root, name=name, private=True) for name in private_names]
    storages += [local(root, name="public")] if public else []
    with override_settings(ROOT_URLCONF=urlconf):
        messages = checked({"STORAGES": storages})
    return [(str(each.id), *str(each.msg).split(": ", 1)) for each in messages]  # type: ignore[misc]


@pytest.mark.parametrize("patterns", [[INCLUDE], [INCLUDE, PLANS]])
def test_a_private_storage_that_no_view_serves_is_an_error(tmp_path: Path, patterns: list[Any]) -> None:
    names = ["bills"] if patterns == [INCLUDE] else ["bills", "plans"]
    [(code, place, text)] = found(tmp_path, urls(*patterns), *names)
    assert (code, place) == ("thumbs.E022", PRIVATE)
    assert "no view that checks requests serves this storage" in text


def test_the_standalone_server_and_a_site_with_a_wrapper_only_are_refused(tmp_path: Path) -> None:
    for urlconf in ("mage_project.urls", urls(INCLUDE)):
        assert [code for code, *_ in found(tmp_path, urlconf, "bills")] == ["thumbs.E022"]


@pytest.mark.parametrize("first", [INCLUDE, path("<path:anything>", thumbnail)])
def test_a_view_behind_another_pattern_is_an_error(tmp_path: Path, first: Any) -> None:
    [(code, place, text)] = found(tmp_path, urls(first, path("img/<path:path>", private(may_see))), "bills")
    assert (code, place) == ("thumbs.E022", PRIVATE)
    assert "another pattern comes first" in text
    assert "/img/bills/" in text


@pytest.mark.parametrize(
    "pattern",
    [
        path("<slug:shop>/<path:path>", private(may_see)),
        path("a/", include(([path("<path:path>", private(may_see))], "shop"))),
    ],
)
def test_a_view_whose_url_cannot_be_made_is_an_error(tmp_path: Path, pattern: Any) -> None:
    [(code, place, text)] = found(tmp_path, urls(INCLUDE, pattern), "bills")
    assert (code, place) == ("thumbs.E022", PRIVATE)
    assert "no URL leads to its view" in text


def test_a_view_while_no_storage_is_private_is_an_error(tmp_path: Path) -> None:
    [(code, place, text)] = found(tmp_path, urls(INCLUDE, VIEW))
    assert (code, place) == ("thumbs.E024", "thumbs.views.private")
    assert "no storage is private" in text


@pytest.mark.parametrize("name", ["public", "plan"])
def test_a_view_for_a_storage_that_is_not_private_is_an_error(tmp_path: Path, name: str) -> None:
    pattern = path("p/<path:path>", private(may_see, storages=["plans", name]))
    [(code, _, text)] = found(tmp_path, urls(INCLUDE, pattern), "plans")
    assert (code, text) == ("thumbs.E024", f"names {name!r}, which is no private storage.")


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        ([INCLUDE], []),
        ([INCLUDE, VIEW], ["bills"]),
        ([VIEW, INCLUDE], ["bills", "plans"]),
        ([INCLUDE, PLANS], ["plans"]),
        ([INCLUDE, PLANS, VIEW], ["bills", "plans"]),
        ([INCLUDE, path("a/", include(([path("<path:path>", private(may_see), name="p")], "shop")))], ["bills"]),
    ],
)
def test_private_storages_with_their_views_are_right(tmp_path: Path, patterns: list[Any], names: list[str]) -> None:
    assert found(tmp_path, urls(*patterns), *names) == []


def test_a_wrong_urlconf_is_left_to_django(tmp_path: Path) -> None:
    assert found(tmp_path, "no.such.urls", "bills") == []


@pytest.mark.parametrize("cache_control", ["public, max-age=60", "max-age=60"])
def test_a_private_storage_that_lets_shared_caches_keep_its_pictures_is_an_error(
    tmp_path: Path, cache_control: str
) -> None:
    storage = local(tmp_path, name="bills", private=True, cache_control=cache_control)
    [message] = checked({"STORAGES": [storage]})
    assert (message.id, str(message.msg).partition(":")[0]) == ("thumbs.E010", "storages[bills].cache_control")


@pytest.mark.parametrize("cache_control", ["private, max-age=60", "no-store", "PRIVATE"])
def test_a_private_storage_may_say_for_how_long_browsers_keep_its_pictures(tmp_path: Path, cache_control: str) -> None:
    storage = local(tmp_path, name="bills", private=True, cache_control=cache_control)
    with override_settings(ROOT_URLCONF=urls(VIEW)):
        assert checked({"STORAGES": [storage]}) == []
