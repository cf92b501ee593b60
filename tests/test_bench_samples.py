"""The samples for the comparison with a browser: what they are, read by Pillow."""

import fnmatch
import io
import json
import re
from collections.abc import Mapping
from functools import cache
from itertools import groupby
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageSequence

from bench.browser.samples.__main__ import main, samples
from bench.browser.samples.drawing import SIZE, colors, transparent
from bench.browser.samples.known import KNOWN, expected
from tests.support.modules import ROOT

# Making all samples takes four seconds of CPU time, and each test looks at a file of another kind. Nothing but the
# benchmark uses them.
pytestmark = pytest.mark.slow

# Files that Pillow need not read: damaged ones, and a canvas without any frame or of no size.
_UNREAD = ("odd-*/*", "cut-*/*", "gif/no-frames.gif", "gif/canvas-0.gif")


@cache
def all_samples() -> Mapping[str, bytes]:
    made = list(samples())
    assert len(dict(made)) == len(made), "two samples have the same name"
    return dict(made)


def farthest(one: Image.Image, other: Image.Image) -> int:
    """The largest difference of any band of any pixel."""
    difference = ImageChops.difference(one.convert("RGBA"), other.convert("RGBA"))
    return max(difference.tobytes())


def opened(name: str) -> Image.Image:
    return Image.open(io.BytesIO(all_samples()[name]))


def test_every_format_has_samples_and_pillow_reads_them_all() -> None:
    whole = [name for name in all_samples() if not any(fnmatch.fnmatchcase(name, each) for each in _UNREAD)]
    assert {opened(name).format for name in whole} == {"JPEG", "PNG", "WEBP", "AVIF", "GIF"}


@pytest.mark.parametrize("interlaced", ["", "-interlaced"])
@pytest.mark.parametrize("name", ["rgb8", "rgb16", "rgba8", "rgba16", "graya8", "graya16", "gray8"])
def test_a_png_of_eight_bits_or_more_holds_the_drawing(name: str, interlaced: str) -> None:
    image = opened(f"png/{name}{interlaced}.png")
    assert image.info.get("interlace", 0) == bool(interlaced)
    wanted = transparent() if "a" in name.removeprefix("gray") else colors()
    if name.startswith("gray"):
        wanted = transparent().convert("LA" if "a" in name.removeprefix("gray") else "L")
    assert farthest(image, wanted) <= 1


@pytest.mark.parametrize("name", ["gray1", "gray2", "gray4", "palette1", "palette2", "palette4", "palette8"])
def test_an_interlaced_png_of_few_bits_is_the_plain_one(name: str) -> None:
    assert farthest(opened(f"png/{name}.png"), opened(f"png/{name}-interlaced.png")) == 0
    assert len(opened(f"png/{name}.png").convert("RGB").getcolors(256) or ()) <= 2 ** int(name[-1])


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_a_palette_can_be_transparent(depth: int) -> None:
    alphas = set(opened(f"png/palette{depth}-trns.png").convert("RGBA").getchannel("A").tobytes())
    assert 255 in alphas
    assert len(alphas) > 1


def test_an_orientation_is_in_the_metadata_of_each_format() -> None:
    for extension in ("jpg", "png", "webp"):
        assert [opened(f"orientation/{value}.{extension}").getexif().get(0x0112) for value in range(1, 9)] == [
            *range(1, 9)
        ]
    assert b"irot" in all_samples()["orientation/6.avif"]


def test_a_gif_has_its_frames_where_they_are_drawn() -> None:
    small = opened("gif/small.gif").convert("RGBA")
    assert small.size == (60, 40)
    drawn = colors((20, 20)).quantize(16, dither=Image.Dither.NONE)
    palette = opened("gif/whole.gif").getpalette()
    assert palette is not None
    drawn.putpalette(palette)
    assert farthest(small.crop((10, 5, 30, 25)), drawn) == 0
    assert farthest(opened("gif/whole.gif"), opened("gif/interlaced.gif")) == 0
    assert len(list(ImageSequence.Iterator(opened("gif-disposal/small-2.gif")))) == 3


def test_the_transfer_and_the_primaries_of_an_avif_are_those_of_its_name() -> None:
    data = all_samples()["avif-full-444/nclx-9-16.avif"]
    assert data[data.index(b"colrnclx") :][8:12] == b"\0\x09\0\x10"
    assert opened("avif-full-444/nclx-9-16.avif").size == SIZE


def test_a_file_that_was_cut_off_is_the_start_of_a_whole_one() -> None:
    cuts = [all_samples()[f"cut-jpeg/plain-{percent}.jpg"] for percent in (30, 50, 80, 95)]
    whole = all_samples()["odd-jpeg/plain-no-end.jpg"] + b"\xff\xd9"
    assert all(whole.startswith(cut) for cut in cuts)
    assert all_samples()["cut-jpeg/plain-50-end.jpg"] == cuts[1] + b"\xff\xd9"
    image = Image.open(io.BytesIO(whole))
    image.load()
    assert image.size == (240, 180)


def test_every_family_has_one_directory() -> None:
    directories = [directory for directory, _ in groupby(all_samples(), lambda name: name.partition("/")[0])]
    assert {"png", "png-rgb8", "jpeg", "webp", "orientation", "avif", "avif-deep", "gif", "gif-disposal"} <= set(
        directories
    )


@pytest.mark.parametrize("pattern", [pattern for pattern, _, _ in KNOWN])
def test_every_known_exception_names_samples_of_its_own(pattern: str) -> None:
    named = fnmatch.filter(all_samples(), pattern)
    assert named
    others = [other for other, _, _ in KNOWN if other != pattern]
    assert not [name for name in named for other in others if fnmatch.fnmatchcase(name, other)]


def test_the_documentation_names_the_known_exceptions() -> None:
    document = (ROOT / "docs" / "quality.md").read_text()
    rows = re.findall(r"^\| `([^`]+)` \| (\d+) \| (.+) \|$", document, re.MULTILINE)
    assert rows == [(pattern, str(status), reason) for pattern, status, reason in KNOWN]


def test_the_command_writes_the_exceptions_and_the_same_files_in_every_run(tmp_path: Path) -> None:
    assert main([str(tmp_path / "files"), "--expected", str(tmp_path / "expected.json")]) == 0
    files = {file.relative_to(tmp_path / "files").as_posix(): file for file in (tmp_path / "files").rglob("*.*")}
    assert {name: file.read_bytes() for name, file in files.items() if file.is_file()} == all_samples()
    assert json.loads((tmp_path / "expected.json").read_text()) == expected(all_samples())
