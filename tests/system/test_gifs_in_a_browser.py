"""Every frame of a GIF in Chromium: it shows what the reference says, and what the renderer decodes."""

import base64
import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.support import servers
from tests.support.browser import browser
from tests.support.gif_files import CLEAR, KEEP, RESTORE, Frame, Gif, composed
from tests.support.isolated import document
from thumbs.image.formats import DEFAULT_INPUTS
from thumbs.render import animation, libvips
from thumbs.render.table import read_header

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

PALETTE = ((220, 40, 30), (30, 160, 60), (40, 60, 200), (240, 220, 40))
SCREENS = ((16, 12), (30, 30), (0, 0), (640, 480), (2100, 8))
# An ImageDecoder, which only pages of this machine or of HTTPS have.
SCRIPT = """
const [text, done] = arguments;
const decode = async () => {
  const data = Uint8Array.from(atob(text), letter => letter.charCodeAt(0)), found = [];
  const decoder = new ImageDecoder({data, type: "image/gif"});
  await decoder.tracks.ready;
  await decoder.completed;
  for (let index = 0; index < decoder.tracks.selectedTrack.frameCount; index++) {
    const frame = (await decoder.decode({frameIndex: index})).image;
    const canvas = new OffscreenCanvas(frame.displayWidth, frame.displayHeight);
    const context = canvas.getContext("2d");
    context.drawImage(frame, 0, 0);
    const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
    let letters = "";
    for (let at = 0; at < pixels.length; at += 8192)
      letters += String.fromCharCode(...pixels.subarray(at, at + 8192));
    found.push([canvas.width, canvas.height, btoa(letters)]);
    frame.close();
  }
  return found;
};
decode().then(done, error => done(String(error)));
"""


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Chrome"]:
    directory: Path = tmp_path_factory.mktemp("gifs")
    (directory / "originals").mkdir()
    with servers.standalone(document(directory / "originals", directory), directory) as server, browser() as driver:
        driver.get(f"http://127.0.0.1:{server.port}/health")
        yield driver


def drawn(seed: int) -> Gif:
    """A GIF with frames of all kinds of shapes, places, tables and disposals."""
    pick = random.Random(seed)

    def frame() -> Frame:
        size = pick.randrange(1, 24), pick.randrange(1, 24)
        return Frame(
            size,
            bytes(pick.randrange(5) for _ in range(size[0] * size[1])),
            at=(pick.randrange(12), pick.randrange(12)),
            palette=pick.choice((None, None, ((9, 9, 9), (250, 90, 160), (0, 200, 200)))),
            transparent=pick.choice((None, 0, 1, 4)),
            disposal=pick.choice((0, KEEP, CLEAR, RESTORE, 4, 5)),
            interlaced=pick.random() < 0.4,
        )

    frames = tuple(frame() for _ in range(pick.randrange(1, 6)))
    return Gif(
        pick.choice(SCREENS), frames, pick.choice((PALETTE, PALETTE, None)), pick.randrange(4), trailer=seed % 3 > 0
    )


def shown(driver: "Chrome", data: bytes) -> list[Image.Image]:
    found = driver.execute_async_script(SCRIPT, base64.b64encode(data).decode())
    assert isinstance(found, list), found
    return [Image.frombytes("RGBA", (width, height), base64.b64decode(text)) for width, height, text in found]


def decoded(data: bytes) -> list[Image.Image]:
    libvips.start(DEFAULT_INPUTS)
    header = read_header(data, frozenset(DEFAULT_INPUTS))
    pages = animation.pages(data, header, header.frames, libvips.Deadline(60))
    return [
        Image.frombytes("RGBA", header.size, bytes((page if page.hasalpha() else page.addalpha()).write_to_memory()))
        for page in pages
    ]


def pixels(images: list[Image.Image]) -> list[tuple[tuple[int, int], bytes]]:
    """Sizes and premultiplied pixels, so that the color of a transparent one is of no account."""
    return [(image.size, image.convert("RGBa").tobytes()) for image in images]


@pytest.mark.parametrize("seed", range(24))
def test_chromium_the_reference_and_the_renderer_show_the_same(chrome: "Chrome", seed: int) -> None:
    one = drawn(seed)
    in_browser = pixels(shown(chrome, one.data()))
    assert in_browser == pixels(list(composed(one)))
    assert in_browser == pixels(decoded(one.data()))
