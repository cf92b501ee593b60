"""AVIF and WebP pictures of every kind are shown as Chromium shows them.

Compared are the means of an 8 by 8 grid, of colors multiplied by alpha, and of alpha apart. Where Chromium is wrong,
libavif and libwebp are right (`tests/render/avif`, `tests/render/containers`):

* Some builds (that of Debian 12, with its own libdav1d 1.0) take the alpha of every AVIF for the limited range. A
  picture of a known alpha shows whether this one does; then the alpha that is expected is expanded as it does.
* A WebP with alpha and without the flag for it has its alpha, but its colors are not multiplied by it. So the alpha
  here is all or nothing.
* libyuv converts saturated blue of the limited range up to 12 levels too dark, because its factors have few bits. The
  pictures here have softer colors.
"""

import base64
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.support.avif_files import assembled, grid, mirroring, nclx, rotation, tiles_of_grid
from tests.support.avif_pictures import ALPHA, PREMULTIPLIED, coded, drawing, gray, in_limited_range, shown
from tests.support.browser import browser
from tests.support.pictures import encoded
from tests.support.waiting import WAIT_SECONDS

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

Cells = list[tuple[float, float, float, float]]
# Levels of 255.
CLOSE = 2.0
_DRAW = """
const [url, done] = arguments;
const image = new Image();
image.onerror = () => done(null);
image.onload = () => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  done([canvas.width, canvas.height, Array.from(pixels)]);
};
image.src = url;
"""


class Shown:
    """What Chromium shows of a file. `expands_alpha`: it takes all alpha of AVIF for the limited range."""

    def __init__(self, driver: "Chrome") -> None:
        self._driver = driver
        driver.set_script_timeout(WAIT_SECONDS)
        image = Image.new("RGBA", (64, 64), (90, 120, 150, 64))
        pixel = self(encoded(image, "AVIF", quality=100), "avif").getpixel((32, 32))
        assert isinstance(pixel, tuple)
        self.expands_alpha = pixel[3] < 60

    def __call__(self, data: bytes, kind: str) -> Image.Image:
        url = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
        found = self._driver.execute_async_script(_DRAW, url)
        assert found is not None, "Chromium shows nothing"
        width, height, pixels = found
        return Image.frombytes("RGBA", (width, height), bytes(pixels))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Shown]:
    with browser() as driver:
        yield Shown(driver)


def cells(image: Image.Image) -> Cells:
    """The mean of premultiplied red, green, blue, and of alpha, in each cell of the grid."""
    width, height = image.width // 8, image.height // 8
    found: Cells = []
    for row in range(8):
        for column in range(8):
            left, top = column * width, row * height
            data = image.crop((left, top, left + width, top + height)).tobytes()
            alphas = data[3::4]
            sums = [sum(level * alpha for level, alpha in zip(data[band::4], alphas, strict=True)) for band in range(3)]
            red, green, blue = (each / 255 / len(alphas) for each in sums)
            found.append((red, green, blue, sum(alphas) / len(alphas)))
    return found


def assert_shown_alike(data: bytes, chromium: Shown, kind: str = "avif", *, premultiplied: bool = False) -> None:
    ours, theirs = shown(data), chromium(data, kind)
    assert ours.size == theirs.size
    expected = cells(ours)
    if kind == "avif" and chromium.expands_alpha and ours.getchannel("A").getextrema() != (255, 255):
        alpha = ours.getchannel("A").point(lambda level: round((level - 16) * 255 / 219))
        ours.putalpha(alpha)
        # Premultiplied colors are drawn as they are.
        colors = expected if premultiplied else cells(ours)
        expected = [(*one[:3], two[3]) for one, two in zip(colors, cells(ours), strict=True)]
    pairs = zip(expected, cells(theirs), strict=True)
    assert max(abs(a - b) for one, two in pairs for a, b in zip(one, two, strict=True)) <= CLOSE


def turned(*properties: bytes, alpha: bool) -> bytes:
    color, mask = coded(drawing(width=64, height=96))
    return assembled([color.having(*properties), mask.having(*(properties if alpha else ()))], [ALPHA])


def grid_of(kind: str, *properties: bytes, limited: bool) -> bytes:
    tiles = []
    for number in range(4):
        image = drawing().rotate(90 * number)
        part = gray(image=image) if kind == "gray" else coded(image)[0].without(b"colr")
        tiles.append(in_limited_range(part, kind) if limited else part)
    return assembled(grid(tiles, (128, 128), columns=2, properties=properties), [tiles_of_grid(4)])


def ranged(kind: str, depth: int, *properties: bytes) -> bytes:
    """A picture whose data says that it has the limited range."""
    part = gray(depth=depth) if kind == "gray" else coded(drawing(), depth=depth)[0].without(b"colr")
    return assembled([in_limited_range(part, kind).having(*properties)])


FULL_BY_PROPERTY, LIMITED_BY_PROPERTY = (nclx(2, 2, 2, full=full) for full in (True, False))
FILES: dict[str, Callable[[], bytes]] = {
    "ordinary": lambda: encoded(drawing(), "AVIF", quality=95),
    "gray, limited, 8 bits": partial(ranged, "gray", 8),
    "gray, limited, 10 bits": partial(ranged, "gray", 10),
    "gray, limited, 12 bits": partial(ranged, "gray", 12),
    "limited, 8 bits": partial(ranged, "4:4:4", 8),
    "limited, 10 bits": partial(ranged, "4:4:4", 10),
    "gray, full by a property, 8 bits": partial(ranged, "gray", 8, FULL_BY_PROPERTY),
    "gray, full by a property, 10 bits": partial(ranged, "gray", 10, FULL_BY_PROPERTY),
    "full by a property, 8 bits": partial(ranged, "4:4:4", 8, FULL_BY_PROPERTY),
    "full by a property, 10 bits": partial(ranged, "4:4:4", 10, FULL_BY_PROPERTY),
    "limited by a property": lambda: assembled([coded(drawing())[0].without(b"colr").having(LIMITED_BY_PROPERTY)]),
    "alpha without rotation": partial(turned, rotation(1), alpha=False),
    "alpha without mirroring": partial(turned, mirroring(0), alpha=False),
    "alpha without both": partial(turned, rotation(3), mirroring(1), alpha=False),
    "mirroring before rotation": partial(turned, mirroring(1), rotation(1), alpha=True),
    "grid, gray, limited": partial(grid_of, "gray", limited=True),
    "grid, full by a property": partial(grid_of, "4:4:4", FULL_BY_PROPERTY, limited=True),
}


@pytest.mark.parametrize("name", FILES)
def test_an_avif_is_shown_as_chromium_shows_it(name: str, chromium: Shown) -> None:
    assert_shown_alike(FILES[name](), chromium)


@pytest.mark.parametrize("depth", [8, 10])
def test_premultiplied_colors_are_shown_as_chromium_shows_them(depth: int, chromium: Shown) -> None:
    data = assembled(coded(drawing(), depth=depth, premultiplied=True), [ALPHA, PREMULTIPLIED])
    assert_shown_alike(data, chromium, premultiplied=True)


@pytest.mark.parametrize("lossless", [True, False])
def test_a_webp_without_flags_is_shown_as_chromium_shows_it(chromium: Shown, *, lossless: bool) -> None:
    image = drawing()
    image.putalpha(image.getchannel("A").point(lambda level: 255 if level > 128 else 0))
    data = bytearray(encoded(image, "WEBP", lossless=lossless, xmp=b"<x/>"))
    assert data[12:16] == b"VP8X"
    data[20] = 0
    assert_shown_alike(bytes(data), chromium, "webp")
