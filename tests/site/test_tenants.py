"""Two tenants with a picture of the same name: none is served the other's, by the view, a wrapper or after a purge."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import include, path
from PIL import Image

import thumbs
from tests.support import tenants
from thumbs.wiring import process
from thumbs.wsgi import ThumbsWSGI

COLORS = {"red": (255, 0, 0), "blue": (0, 0, 255)}
URL = "/img/photos/thumbs/10x10/a.png"
STORAGES = [
    *("ByProperty", "ByBaseLocation", "Inherited", "ByPath", "ByThread", "BySchema", "ByModule", "ByMethod", "ByOpen"),
    *("ByCachedProperty", "Delegating", "Lazy", "by_function", "Assigned"),
]
Configure = Callable[[str], None]
assigned: list[tenants.Assigned] = []


def by_host(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A site's middleware: the name of the host chooses the tenant."""

    def middleware(request: HttpRequest) -> HttpResponse:
        name = request.META["HTTP_HOST"]
        with tenants.chosen(name):
            for storage in assigned:
                storage.location = tenants.root_of(name)
            return get_response(request)

    return middleware


class Remembered(tenants.Assigned):
    def __init__(self) -> None:
        super().__init__(tenants.root_of("red"))
        assigned.append(self)


class Urls:
    urlpatterns: ClassVar[list[Any]] = [path("img/", include("thumbs.urls"))]


@pytest.fixture(params=["alias", "class"])
def site(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    """Configures a site whose pictures are in a storage of the given name."""
    monkeypatch.setattr(tenants, "ROOT", str(tmp_path))
    assigned.clear()
    for name, color in COLORS.items():
        (tmp_path / name).mkdir()
        Image.new("RGB", (20, 20), color).save(tmp_path / name / "a.png")
    active = []

    def configure(storage: str) -> None:
        dotted = f"{__name__}.Remembered" if storage == "Assigned" else f"tests.support.tenants.{storage}"
        keys = {"driver": "django", "alias": "pictures"} if request.param == "alias" else {"driver": dotted}
        disk = {"enabled": True, "dir": str(tmp_path / "cache")}
        cache = {"memory": {"enabled": True, "max_size_mb": 4}, "disk": disk}
        conf = {"name": "photos", "allowed_sizes": ["10x10"], "cache": cache, **keys}
        thumbs_setting = {"STORAGES": [conf], "RUN_DIR": str(tmp_path / "run")}
        settings = override_settings(STORAGES={"pictures": {"BACKEND": dotted}}, THUMBS=thumbs_setting)
        settings.enable()
        active.append(settings)

    with override_settings(MIDDLEWARE=[f"{__name__}.by_host"], ROOT_URLCONF=Urls):
        yield configure
        for settings in active:
            settings.disable()


def color_of(body: bytes) -> str:
    with Image.open(io.BytesIO(body)) as picture:
        pixel = picture.convert("RGB").getpixel((5, 5))
    return next(name for name, color in COLORS.items() if color == pixel)


def by_view(tenant: str) -> tuple[int, bytes]:
    answer = Client(headers={"host": tenant}).get(URL)
    return answer.status_code, answer.content


def by_wrapper(tenant: str) -> tuple[int, bytes]:
    """Before any middleware: no tenant is chosen yet."""
    statuses: list[str] = []
    environ = {"REQUEST_METHOD": "GET", "SERVER_PROTOCOL": "HTTP/1.0", "PATH_INFO": URL, "HTTP_HOST": tenant}
    front = ThumbsWSGI(lambda *_: [], prefix="/img/")
    body = b"".join(front(environ, lambda status, *_: statuses.append(status)))  # type: ignore[arg-type]
    return int(statuses[0].partition(" ")[0]), body


@pytest.mark.parametrize("storage", STORAGES)
def test_no_tenant_is_served_the_picture_of_another(site: Configure, storage: str) -> None:
    site(storage)
    # Where the middleware assigns a place, a wrapper has no tenant: it has the place of the last request.
    ways = [by_view] if storage == "Assigned" else [by_view, by_wrapper]
    for _ in range(2):
        for tenant in ("red", "blue", "red", "blue"):
            for ask in ways:
                status, body = ask(tenant)
                assert status in {200, 502}
                assert status == 502 or color_of(body) == tenant
        thumbs.purge("photos", "a.png")


# One process does not see which place another one had: only where the storage shows it, none of them has kept anything.
@pytest.mark.parametrize("storage", [name for name in STORAGES if name != "Assigned"])
@pytest.mark.parametrize("first", COLORS)
def test_what_another_process_has_cached_for_one_tenant_is_not_served_to_another(
    site: Configure, storage: str, first: str
) -> None:
    site(storage)
    for tenant in (first, *(name for name in COLORS if name != first)):
        for _ in range(2):
            process.reset()  # as a process that begins: with the entries that are on disk, and with no storage opened
            status, body = by_view(tenant)
            assert status == 502 or color_of(body) == tenant


def test_storages_of_one_place_each_serve_their_tenant(site: Configure, tmp_path: Path) -> None:
    cache = {"memory": {"enabled": True, "max_size_mb": 4}}
    one = {"driver": "tests.support.tenants.Fixed", "allowed_sizes": ["10x10"], "cache": cache}
    storages = [{**one, "name": name, "options": {"name": name}} for name in COLORS]
    with override_settings(THUMBS={"STORAGES": storages, "RUN_DIR": str(tmp_path / "run")}):
        for _ in range(2):
            for name in COLORS:
                answer = Client(headers={"host": "red"}).get(f"/img/{name}/thumbs/10x10/a.png")
                assert (answer.status_code, color_of(answer.content)) == (200, name)
