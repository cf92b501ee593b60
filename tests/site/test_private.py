"""Private storages: a picture is sent only after the site's check, is no shared cache's, and has no other way out."""

import asyncio
import json
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.http import Http404, HttpRequest
from django.test import AsyncClient, Client, override_settings
from django.urls import include, path, re_path

import thumbs
from tests.support.documents import HUSH
from thumbs.asgi import ThumbsASGI
from thumbs.front import PATTERN
from thumbs.pipeline.replies import Lookup
from thumbs.site.explain import explain
from thumbs.views import private
from thumbs.wsgi import ThumbsWSGI

PICTURE = "quarters.jpg"
Answer = Any  # Django's response, which the test client gives more attributes
asked: list[tuple[str, str, str]] = []


def may_see(request: HttpRequest, storage: str, key: str) -> bool:
    asked.append((request.path, storage, key))
    return request.COOKIES.get("member") == "yes"


async def may_see_later(request: HttpRequest, storage: str, key: str) -> bool:
    await asyncio.sleep(0)
    return may_see(request, storage, key)


def raises(request: HttpRequest, storage: str, key: str) -> bool:
    if not may_see(request, storage, key):
        raise PermissionDenied
    return True


async def raises_later(request: HttpRequest, storage: str, key: str) -> bool:
    if not may_see(request, storage, key):
        raise Http404
    return True


class AsyncCheck:
    async def __call__(self, request: HttpRequest, storage: str, key: str) -> bool:
        return may_see(request, storage, key)


class Urls:
    urlpatterns: ClassVar[list[Any]] = [
        path("img/", include("thumbs.urls")),
        path("private/<path:path>", private(may_see)),
        path("hidden/<path:path>", private(may_see, refusal=404)),
        path("later/<path:path>", private(may_see_later)),
        path("raises/<path:path>", private(raises)),
        path("raises-later/<path:path>", private(raises_later)),
        path("object/<path:path>", private(AsyncCheck())),
        path("lambda/<path:path>", private(lambda *of: may_see_later(*of))),  # noqa: PLW0108 - no coroutine function
        path("only/<path:path>", private(may_see, storages=["plans"])),
        path("pattern/", include([re_path(PATTERN, private(may_see))])),
    ]


EVERY = ("private", "later", "raises", "raises-later", "object", "lambda", "pattern")


@pytest.fixture(autouse=True)
def _site(originals: Path, tmp_path: Path) -> Iterator[None]:
    asked.clear()
    cache = {"memory": {"enabled": True, "max_size_mb": 4}}
    one: dict[str, object] = {"driver": "local", "root": str(originals), "allowed_sizes": ["90x60"], "cache": cache}
    storages = [
        {**one, "name": "public"},
        {**one, "name": "bills", "private": True},
        {**one, "name": "plans", "private": True, "cache_control": "private, max-age=5", "headers": {"Vary": "Origin"}},
        {**one, "name": "signed", "private": True, "signature_secret_key": HUSH},
        {**one, "name": "unstored", "private": True, "cache_control": "no-store"},
    ]
    del storages[3]["allowed_sizes"]
    with override_settings(THUMBS={"STORAGES": storages, "RUN_DIR": str(tmp_path / "run")}, ROOT_URLCONF=Urls):
        yield


def url(view: str, storage: str = "bills", filters: str = "", name: str = PICTURE) -> str:
    return f"/{view}/{storage}/thumbs/90x60/{filters}{name}"


def get(target: str, *, member: bool, method: str = "get", **headers: str) -> Answer:
    client = Client()
    if member:
        client.cookies["member"] = "yes"
    return getattr(client, method)(target, headers=headers)


def code(answer: Answer) -> str:
    return str(json.loads(answer.content)["code"])


# ------------------------------------------------------------------------------------ the check


@pytest.mark.parametrize("view", EVERY)
def test_a_picture_is_sent_only_to_clients_that_the_check_allows(view: str) -> None:
    for _ in range(2):  # made, then from the cache
        answer = get(url(view), member=True)
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
        refused = get(url(view), member=False)
        assert (refused.status_code, code(refused)) == (403, "access-refused")
        assert refused["Content-Type"] == "application/problem+json"
        assert refused["Cache-Control"] == "no-store"
        assert "ETag" not in refused
        assert "X-Cache" not in refused


@pytest.mark.parametrize("view", EVERY)
def test_an_asynchronous_site_gets_the_same(view: str) -> None:
    async def both() -> list[int]:
        stranger, member = AsyncClient(), AsyncClient()
        member.cookies["member"] = "yes"
        return [(await client.get(url(view))).status_code for client in (member, stranger, member)]

    assert asyncio.run(both()) == [200, 403, 200]


def test_the_check_gets_the_storage_and_the_key_that_would_be_served() -> None:
    get(url("private", name="cats/tom%20%26%20jerry%3F.jpg/as/x.webp"), member=True)
    assert [each[1:] for each in asked] == [("bills", "cats/tom & jerry?.jpg")]


def test_a_refusal_can_look_like_a_missing_picture() -> None:
    refused, missing = get(url("hidden"), member=False), get(url("hidden", name="no.jpg"), member=True)
    assert (refused.status_code, code(refused)) == (404, "source-missing")
    assert refused.content == missing.content
    assert refused.headers == missing.headers


def test_a_refusal_is_the_same_whether_or_not_there_is_a_picture() -> None:
    there, absent = get(url("private"), member=False), get(url("private", name="no.jpg"), member=False)
    assert (there.content, there.headers) == (absent.content, absent.headers)


@pytest.mark.parametrize("view", EVERY)
def test_a_condition_is_looked_at_only_after_the_check(view: str) -> None:
    etag = get(url(view), member=True)["ETag"]
    for condition in ({"If-None-Match": etag}, {"If-None-Match": "*"}):
        again = get(url(view), member=True, **condition)
        assert (again.status_code, again["Cache-Control"]) == (304, "private, max-age=86400")
        assert get(url(view), member=False, **condition).status_code == 403


def test_head_asks_the_check_and_other_methods_are_refused() -> None:
    assert get(url("private"), member=True, method="head").status_code == 200
    assert get(url("private"), member=False, method="head").status_code == 403
    assert get(url("private"), member=True, method="post").status_code == 405
    assert get(url("private"), member=True, method="options").status_code == 405


@pytest.mark.parametrize("view", ["private", "later"])
def test_an_invalid_url_is_an_error_whose_check_is_not_asked(view: str) -> None:
    wrong = get(f"/{view}/bills/thumbs/0x0/a.jpg", member=False)
    assert (wrong.status_code, wrong["Cache-Control"]) == (400, "no-store")
    assert get(url(view, "signed"), member=True).status_code == 403
    assert asked == []


@pytest.mark.parametrize("view", ["private", "later"])
def test_an_exception_of_the_check_is_no_permission(view: str) -> None:
    def fails(*_: object) -> bool:
        raise RuntimeError("the database is down")

    async def fails_later(*_: object) -> bool:
        raise RuntimeError("the database is down")

    class Failing:
        urlpatterns: ClassVar = [path("p/<path:path>", private(fails if view == "private" else fails_later))]

    with override_settings(ROOT_URLCONF=Failing), pytest.raises(RuntimeError, match="the database is down"):
        get(url("p"), member=True)


@pytest.mark.parametrize("answer", [None, False, 0, ""])
def test_whatever_is_not_true_is_a_refusal(answer: object) -> None:
    class Falsy:
        urlpatterns: ClassVar = [path("p/<path:path>", private(lambda *_: answer))]  # type: ignore[arg-type]

    with override_settings(ROOT_URLCONF=Falsy):
        assert get(url("p"), member=True).status_code == 403


def test_another_refusal_is_a_mistake_of_the_site() -> None:
    with pytest.raises(ValueError, match="403 or 404"):
        private(may_see, refusal=302)


# --------------------------------------------------------------------------------- which storages


def test_the_include_finds_a_private_storage_as_little_as_an_unknown_one() -> None:
    get(url("private"), member=True)  # it is in the cache
    unknown = get(url("img", "nothing"), member=True)
    for storage in ("bills", "signed"):
        found = get(url("img", storage), member=True)
        assert (found.status_code, found.content, found.headers) == (404, unknown.content, unknown.headers)
    assert get(url("img", "public"), member=False).status_code == 200


def test_a_view_of_private_storages_serves_no_public_one() -> None:
    for view in EVERY:
        assert get(url(view, "public"), member=True).status_code == 404


def test_a_view_for_some_storages_serves_only_these() -> None:
    assert get(url("only", "plans"), member=True).status_code == 200
    asked.clear()
    other = get(url("only", "bills"), member=True)
    assert (other.status_code, code(other), asked) == (404, "storage-unknown", [])


def test_no_wrapper_serves_a_private_storage_around_the_check() -> None:
    get(url("private"), member=True)  # it is in the cache
    statuses: list[str] = []
    for target, status in ((url("img"), "404 Not Found"), (url("img", "public"), "200 OK")):
        environ = {"REQUEST_METHOD": "GET", "SERVER_PROTOCOL": "HTTP/1.0", "PATH_INFO": target, "RAW_URI": target}
        ThumbsWSGI(_no_application, prefix="/img/")(environ, lambda status, _: statuses.append(status))  # type: ignore[arg-type]
        assert statuses.pop() == status


def test_the_worker_finds_no_hit_of_a_private_storage() -> None:
    get(url("private"), member=True)  # it is in the cache
    front = ThumbsASGI(_no_application, prefix="/img/")
    found = front.hit("GET", url("img").encode(), {})
    assert isinstance(found, Lookup)
    assert found.thumb is None
    assert found.error is not None
    assert found.error.status == 404


def _no_application(*_: object) -> Awaitable[None]:
    raise AssertionError("the request was passed on")


# ---------------------------------------------------------------------------------------- headers


@pytest.mark.parametrize(
    ("storage", "filters", "cache_control"),
    [
        ("bills", "", "private, max-age=86400"),
        ("bills", "filters:version(3)/", "private, max-age=31536000, immutable"),
        ("plans", "", "private, max-age=5"),
        ("plans", "filters:version(3)/", "private, max-age=31536000, immutable"),
        ("unstored", "", "no-store"),
        ("unstored", "filters:version(3)/", "no-store"),
    ],
)
def test_no_answer_is_for_shared_caches(storage: str, filters: str, cache_control: str) -> None:
    for _ in range(2):
        answer = get(url("private", storage, filters), member=True)
        assert (answer.status_code, answer["Cache-Control"]) == (200, cache_control)
    again = get(url("private", storage, filters), member=True, **{"If-None-Match": answer["ETag"]})
    assert (again.status_code, again["Cache-Control"]) == (304, cache_control)


def test_a_url_that_expires_stays_private() -> None:
    target = thumbs.thumb_url("bills", PICTURE, "90x60", lifetime=60)
    assert get(target, member=True)["Cache-Control"].startswith("private, max-age=")


@pytest.mark.parametrize(
    ("storage", "filters", "vary"),
    [
        ("bills", "", "Cookie"),
        ("bills", "filters:format(auto)/", "Accept, Cookie"),
        ("plans", "", "Cookie, Origin"),
    ],
)
def test_a_browser_asks_again_after_a_logout(storage: str, filters: str, vary: str) -> None:
    assert get(url("private", storage, filters), member=True)["Vary"] == vary


def test_a_public_storage_varies_as_before() -> None:
    assert "Vary" not in get(url("img", "public"), member=True)


# ------------------------------------------------------------------------------------------- URLs


def test_urls_of_a_private_storage_lead_to_its_view() -> None:
    for storage in ("bills", "plans", "signed"):
        target = thumbs.thumb_url(storage, PICTURE, "90x60")
        assert target.startswith(f"/private/{storage}/thumbs/")
        assert get(target, member=True).status_code == 200
        assert explain(f"https://example.com{target}").error is None
    assert thumbs.thumb_url("public", PICTURE, "90x60") == url("img", "public")


def test_the_prefix_of_a_cdn_is_for_public_storages() -> None:
    from django.conf import settings  # noqa: PLC0415 - as the fixture made them

    with override_settings(THUMBS={**settings.THUMBS, "URL_PREFIX": "https://cdn.example.com/"}):
        assert thumbs.thumb_url("public", PICTURE, "90x60").startswith("https://cdn.example.com/public/")
        assert thumbs.thumb_url("bills", PICTURE, "90x60") == url("private")


@pytest.mark.parametrize("named", [False, True])
def test_a_view_in_a_namespace_is_found_by_its_name(named: bool) -> None:
    pattern = path("b/<path:path>", private(may_see), name="bill" if named else None)

    class Namespaced:
        urlpatterns: ClassVar = [path("a/", include(([pattern], "shop"))), path("img/", include("thumbs.urls"))]

    with override_settings(ROOT_URLCONF=Namespaced):
        assert thumbs.thumb_url("bills", PICTURE, "90x60") == url("a/b" if named else "img")


def test_a_private_storage_can_be_warmed_and_purged(tmp_path: Path) -> None:
    from django.conf import settings  # noqa: PLC0415 - as the fixture made them

    storages: list[dict[str, object]] = [dict(each) for each in settings.THUMBS["STORAGES"]]  # type: ignore[attr-defined]
    storages[1]["cache"] = {"disk": {"enabled": True, "dir": str(tmp_path / "cache")}}
    with override_settings(THUMBS={**settings.THUMBS, "STORAGES": storages}):
        call_command("warm_thumb_cache", "bills", PICTURE, "--size", "90x60")
        assert get(url("private"), member=True)["X-Cache"] == "HIT"
        assert thumbs.purge("bills", PICTURE) == 1
        assert get(url("private"), member=True)["X-Cache"] == "MISS"
