"""In a browser: exactly one candidate of a picture is downloaded, the smallest that is large enough; nothing moves."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest
from PIL import Image

from tests.support import pictures, servers
from tests.support.browser import browser, is_drawn, one
from tests.support.commands import disk_cache, local_storage
from tests.support.picture_site import TAGS
from tests.support.srcsets import parse_srcset
from tests.support.toolkit_site import SECRETS
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

VIEWPORTS = (380, 768, 1740)
DENSITIES = (1, 2)
_SIZE = (2400, 1800)
_CASES = [name for name in TAGS if name != "no-size"]


@dataclass
class Site:
    server: servers.Server
    requests: Path
    driver: "Chrome"
    shown: int = 0

    def show(self, name: str, viewport: int, density: int) -> list[str]:
        """Open a page in a window of this width, of a photo that no page has shown. The paths that it asked for."""
        self.requests.write_text("")
        self.shown += 1
        key = f"photo-{self.shown}.jpg"  # a browser keeps pictures in memory, whatever its cache
        (self.requests.parent / key).hardlink_to(self.requests.parent / "photo.jpg")
        metrics = {"width": viewport, "height": 1400, "deviceScaleFactor": density, "mobile": False}
        self.driver.get("about:blank")
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.driver.get(f"http://127.0.0.1:{self.server.port}/page/{name}/?key={key}")
        eventually(is_drawn(one(self.driver, "img")))
        # Two frames later, what the picture moved has been observed.
        wait = "requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(arguments[0], 100)))"
        self.driver.execute_async_script(wait)
        return self.requests.read_text().splitlines()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("pictures")
    photo = pictures.quarters(*_SIZE)
    (directory / "photo.jpg").write_bytes(pictures.encoded(photo, "JPEG", quality=90))
    cache = {"disk": disk_cache(directory / "cache", ttl_seconds=3600)}
    storages = [
        local_storage("open", directory, **cache),
        {**local_storage("signed", directory, **cache), "signature_secret_key": SECRETS},
    ]
    requests = directory / "requests.txt"
    media = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(directory)}}
    settings = {
        "ROOT_URLCONF": "tests.support.picture_site",
        "MIDDLEWARE": ["tests.support.picture_site.LogRequests"],
        "TEMPLATES": [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        "STORAGES": {"default": media},
    }
    with pytest.MonkeyPatch.context() as patch, browser() as driver:
        patch.setenv("REQUESTS", str(requests))
        thumbs = {"storages": storages, "run_dir": str(directory / "run")}
        started = servers.site(thumbs, directory, settings=settings)
        with started as server:
            yield Site(server, requests, driver)


def _needed(site: Site, density: int) -> float:
    """The device pixels of the picture's box."""
    width: float = site.driver.execute_script("return document.images[0].getBoundingClientRect().width")
    return width * density


@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("viewport", VIEWPORTS)
@pytest.mark.parametrize("name", _CASES)
def test_the_browser_downloads_the_smallest_candidate_that_is_large_enough(
    site: Site, name: str, viewport: int, density: int
) -> None:
    asked = site.show(name, viewport, density)
    assert len(asked) == 1
    img = one(site.driver, "img")
    assert unquote(urlsplit(str(img.get_property("currentSrc"))).path) == unquote(asked[0])
    needed = _needed(site, density)
    script = (
        "const first = document.querySelector('source') || document.images[0];"
        "return [first.getAttribute('srcset') || '', first.type || '']"
    )
    srcset, media_type = site.driver.execute_script(script)
    # The height of `widths` is unknown: its largest candidate could have too many pixels for AVIF.
    assert media_type == {"one-format": "", "img": "", "widths": "image/webp"}.get(name, "image/avif")
    candidates = parse_srcset(srcset)
    if name == "densities":
        expected = next(each.url for each in candidates if each.density == density)
    elif name == "img":
        expected = asked[0]
        assert not candidates
    else:
        widths = sorted((each.width or 0, each.url) for each in candidates)
        expected = next(url for width, url in widths if width >= needed - 0.5)
    assert unquote(asked[0]) == unquote(expected)


@pytest.mark.parametrize("viewport", VIEWPORTS)
@pytest.mark.parametrize("name", [name for name in _CASES if name != "widths"])
def test_the_layout_does_not_shift(site: Site, name: str, viewport: int) -> None:
    site.show(name, viewport, 1)
    img = one(site.driver, "img")
    width, height = (int(str(img.get_attribute(side))) for side in ("width", "height"))
    assert site.driver.execute_script("return shift") == 0
    box = site.driver.execute_script("const b = document.images[0].getBoundingClientRect(); return [b.width, b.height]")
    assert abs(box[0] / box[1] - width / height) < 0.02


def test_a_picture_without_its_size_does_shift_the_layout(site: Site) -> None:
    def shifts() -> bool:  # not where the machine is so busy that the page is drawn after the picture has come
        site.show("no-size", 768, 1)
        return bool(site.driver.execute_script("return shift > 0"))

    eventually(shifts)


def test_the_downloaded_picture_is_as_wide_as_its_candidate_says(site: Site, tmp_path: Path) -> None:
    (asked,) = site.show("one-format", 768, 2)
    answer = servers.fetch(f"http://127.0.0.1:{site.server.port}{asked}")
    (tmp_path / "made.jpg").write_bytes(answer.body)
    with Image.open(tmp_path / "made.jpg") as image:
        assert image.size == (800, 600)
