"""The comparison of files with Chromium: the canvas, the verdicts with a real browser, and the whole command."""

import contextlib
import io
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageSequence, ImageStat

from bench.browser import canvas
from bench.browser.canvas import GRID, Canvas, CanvasError, Drawing
from bench.browser.comparison import Comparison, Verdict, files_of
from bench.browser.mage import Answer
from tests.support.browser import installation
from tests.support.pictures import BLUE, RED, WHITE, decoded, encoded, quarters
from tests.support.processes import lives
from tests.support.servers import ROOT
from tests.support.waiting import LONG_WAIT_SECONDS, WAIT_SECONDS, eventually

LEVEL = 0.75  # of 255: the canvas rounds each pixel twice


@pytest.fixture(scope="module")
def drawer() -> Iterator[Canvas]:
    with canvas.opened(installation()) as opened:
        yield opened


def faded(width: int, height: int) -> Image.Image:
    """Colors that change from left to right, on an alpha that changes from top to bottom and is 0 in the first rows."""
    turned = [Image.linear_gradient("L").rotate(angle).resize((width, height)) for angle in (90, 270, 180)]
    image = Image.merge("RGB", turned)
    alpha = Image.linear_gradient("L").resize((width, height))
    ImageDraw.Draw(alpha).rectangle((0, 0, width, height // 4), fill=0)
    image.putalpha(alpha)
    return image


def means(image: Image.Image) -> list[list[float]]:
    """The means of the cells as Pillow computes them, from premultiplied pixels."""
    bands = image.convert("RGBA").convert("RGBa")

    def edges(length: int) -> list[tuple[int, int]]:
        starts = [number * length // GRID for number in range(GRID + 1)]
        return [(start, max(end, start + 1)) for start, end in pairwise(starts)]

    boxes = [(left, top, right, bottom) for top, bottom in edges(image.height) for left, right in edges(image.width)]
    return [ImageStat.Stat(bands.crop(box)).mean for box in boxes]


def drawn(drawer: Canvas, picture: bytes | Path) -> Drawing:
    found = drawer.draw(picture)
    assert found is not None
    return found


@pytest.mark.parametrize("size", [(64, 64), (100, 37), (5, 3), (1, 1), (3000, 1700)])
def test_the_cells_are_the_means_of_premultiplied_pixels(drawer: Canvas, size: tuple[int, int]) -> None:
    image = faded(*size)
    found = drawn(drawer, encoded(image, "PNG"))
    assert (found.width, found.height) == size
    for cell, mean in zip(found.cells, means(image), strict=True):
        assert cell == pytest.approx(mean, abs=LEVEL)


def test_a_picture_is_drawn_as_its_exif_orientation_says(drawer: Canvas) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the top of the picture is at the right of the pixels
    found = drawn(drawer, encoded(quarters(80, 40), "PNG", exif=exif))
    assert (found.width, found.height) == (40, 80)
    top_right = found.cells[GRID - 1][:3]
    assert top_right == pytest.approx(RED, abs=LEVEL)


def test_an_animation_is_drawn_as_its_first_frame(drawer: Canvas) -> None:
    frames = [Image.new("RGB", (40, 40), color) for color in (RED, BLUE, WHITE)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=20, loop=0)
    assert drawn(drawer, data).cells[0] == pytest.approx((*RED, 255), abs=LEVEL)


def test_a_file_with_colors_beyond_srgb_is_drawn_in_srgb(drawer: Canvas) -> None:
    """BT.2020 by a chunk that the browser knows (PNG, third edition): its red is more than sRGB has."""
    plain = encoded(Image.new("RGB", (40, 40), (200, 50, 50)), "PNG")
    name, signal_of_bt2020 = b"cICP", b"\x09\x01\0\1"
    chunk = struct.pack(">I4s4sI", 4, name, signal_of_bt2020, zlib.crc32(name + signal_of_bt2020))
    header_end = 8 + 25
    found = drawn(drawer, plain[:header_end] + chunk + plain[header_end:])
    assert found.cells[0][0] > drawn(drawer, plain).cells[0][0] + 10


def test_all_frames_of_an_animation_are_drawn_with_the_time_that_each_is_shown(drawer: Canvas) -> None:
    frames = [Image.new("RGB", (40, 40), color) for color in (RED, BLUE, WHITE)]
    data = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=[40, 200, 0], lossless=True)
    found = drawer.frames(data)
    assert [frame.milliseconds for frame in found] == [40, 200, 100]  # browsers show no frame for 0 ms
    for frame, color in zip(found, (RED, BLUE, WHITE), strict=True):
        assert frame.drawing.cells[0] == pytest.approx((*color, 255), abs=LEVEL)


def test_a_picture_that_does_not_move_has_one_frame(drawer: Canvas) -> None:
    assert len(drawer.frames(encoded(quarters(), "PNG"))) == 1
    with pytest.raises(CanvasError):
        drawer.frames(b"no picture")


@pytest.mark.parametrize("data", [b"", b"no picture", encoded(quarters(), "JPEG")[:300]], ids=["empty", "text", "cut"])
def test_what_the_browser_does_not_show_has_no_drawing(drawer: Canvas, data: bytes, tmp_path: Path) -> None:
    assert drawer.draw(data) is None
    file = tmp_path / "file.jpg"
    file.write_bytes(data)
    assert drawer.draw(file) is None


def test_an_svg_is_drawn_by_its_content_not_by_its_name(drawer: Canvas, tmp_path: Path) -> None:
    file = tmp_path / "drawing.jpg"
    size = 'width="40" height="24"'
    file.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" {size}><rect {size}/></svg>')
    assert drawn(drawer, file).cells[0] == (0, 0, 0, 255)


def test_a_picture_that_no_canvas_holds_is_an_error_and_the_next_one_is_drawn(drawer: Canvas) -> None:
    with pytest.raises(CanvasError):
        drawer.draw(encoded(Image.new("1", (70_000, 4)), "PNG"))
    assert drawn(drawer, encoded(quarters(), "PNG")).width == 600


def test_a_browser_that_ended_is_replaced_by_another() -> None:
    with canvas.opened(installation()) as drawer:
        drawn(drawer, encoded(quarters(), "PNG"))
        assert drawer._driver is not None
        left = drawer._driver.capabilities["goog:processID"]
        drawer._driver.service.process.kill()
        with pytest.raises(CanvasError):
            drawer.draw(encoded(quarters(), "PNG"))
        eventually(lambda: not lives(left))
        assert drawn(drawer, encoded(quarters(), "PNG")).width == 600


# ------------------------------------------------------------------------------------ verdicts


class Pillow:
    """A renderer that shares no code with Mage; `off` levels are added to every color."""

    def __init__(self, off: int) -> None:
        self._off = off

    def thumbnail(self, file: Path) -> Answer:
        try:
            image = decoded(file.read_bytes()).convert("RGBA")
        except OSError:
            return Answer(422, code="source-broken")
        alpha = image.getchannel("A")
        image = image.point(lambda level: level + self._off)
        image.putalpha(alpha)
        return Answer(200, encoded(image, "PNG"))

    def animation(self, file: Path) -> Answer:
        """All frames but the last one, which is the first again."""
        frames = [frame.convert("RGB") for frame in ImageSequence.Iterator(decoded(file.read_bytes()))]
        frames[-1] = frames[0]
        return Answer(200, encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50))


@pytest.mark.parametrize(("off", "verdict"), [(0, Verdict.SAME), (1, Verdict.SAME), (4, Verdict.COLOR)])
def test_a_renderer_of_wrong_colors_is_found_out(drawer: Canvas, tmp_path: Path, off: int, verdict: Verdict) -> None:
    quarters().save(tmp_path / "a.png")
    (tmp_path / "b.jpg").write_bytes(b"no picture")
    results = list(Comparison(tmp_path, Pillow(off), drawer, {}).results(files_of(tmp_path)))
    assert [result.verdict for result in results] == [verdict, Verdict.NEITHER]


def test_a_renderer_of_a_wrong_frame_is_found_out(drawer: Canvas, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (40, 40), color) for color in (RED, BLUE, WHITE)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=50)
    still, animation = Comparison(tmp_path, Pillow(0), drawer, {}, frames=True).results(files_of(tmp_path))
    assert still.verdict is Verdict.SAME
    assert (animation.verdict, animation.name) == (Verdict.COLOR, "a.gif, 3 frames, number 3")


# --------------------------------------------------------------------------------- the command


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A right file under an odd name, one that no browser shows, one that is cut, and one that is no picture."""
    directory = tmp_path / "pictures"
    (directory / "sub").mkdir(parents=True)
    faded(90, 50).save(directory / "sub" / "100% é?#.png")
    quarters().save(directory / "a.tif")
    whole = io.BytesIO()
    faded(400, 300).convert("RGB").save(whole, "JPEG")
    (directory / "cut.jpg").write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    (directory / "text.txt").write_text("no picture")
    moving = [quarters(60, 40), quarters(60, 40).rotate(180)]
    moving[0].save(directory / "moving.gif", save_all=True, append_images=moving[1:], duration=70)
    return directory


class Command:
    """The command for the files of `directory`, with a temporary directory of its own."""

    def __init__(self, pictures: Path, scratch: Path) -> None:
        self.pictures, self.scratch = pictures, scratch
        kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        self.environ = {**kept, "TMPDIR": str(scratch)}

    def __call__(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._words(*arguments),
            check=False,
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=LONG_WAIT_SECONDS,
        )

    def started(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            self._words(), cwd=ROOT, env=self.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def processes(self) -> list[str]:
        """The command lines of all processes that name the temporary directory: the browser's and the server's."""
        found = []
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                found.append(file.read_text(errors="replace").replace("\0", " "))
        return [line for line in found if str(self.scratch) in line]

    def _words(self, *arguments: str | Path) -> list[str]:
        return [sys.executable, "-m", "bench.browser", str(self.pictures), *map(str, arguments)]


@pytest.fixture
def command(pictures: Path) -> Iterator[Command]:
    """It has a temporary directory with a short path: Chromium makes a socket in it."""
    installation()
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as scratch:
        yield Command(pictures, Path(scratch))


def test_the_command_names_what_differs_and_its_status_says_so(command: Command, tmp_path: Path) -> None:
    done = command("--json", tmp_path / "found.json")
    assert done.returncode == 1, done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert {file["file"]: (file["status"], file["verdict"]) for file in found["files"]} == {
        "a.tif": (200, "not a browser's format"),
        "cut.jpg": (422, "refused by Mage"),
        "moving.gif": (200, "same"),
        "sub/100% é?#.png": (200, "same"),
        "text.txt": (415, "shown by neither"),
    }
    assert "5 compared, 1 differ" in done.stdout
    assert list(command.scratch.iterdir()) == []


def test_the_command_succeeds_where_all_is_the_same_or_as_expected(command: Command, tmp_path: Path) -> None:
    expected = tmp_path / "expected.json"
    expected.write_text(json.dumps({"cut.jpg": 422}))
    done = command("--expected", expected, "--only-worse", "--frames")
    assert done.returncode == 0, done.stderr
    assert "'moving.gif, 2 frames, number" in done.stderr
    assert done.stdout.strip().startswith("6 compared, 0 differ: 3 same, 1 as expected")


def test_the_command_leaves_no_process_when_it_is_terminated(command: Command) -> None:
    for number in range(500):
        (command.pictures / f"{number}.png").symlink_to(command.pictures / "a.tif")
    process = command.started()
    try:
        eventually(lambda: any("--type=renderer" in line for line in command.processes()))
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_SECONDS) == 130
    finally:
        process.kill()
        process.wait()
    eventually(lambda: command.processes() == [])
