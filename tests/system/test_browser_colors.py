"""Colors are those that Chromium shows, whatever a file says of them, with every depth, alpha and profile."""

import itertools
import random
import struct
from collections.abc import Iterator

import pytest
import pyvips
from PIL import Image

from bench.browser import canvas
from bench.browser.canvas import GRID, Canvas, Drawing
from tests.support.avif_files import Part, assembled, box, nclx, parts_of
from tests.support.browser import installation
from tests.support.color import PROFILES, gamma_curve, profile
from tests.support.pictures import encoded
from tests.support.pixels import rendered
from tests.support.signaled_colors import (
    BT2020,
    CHROMATICITIES,
    DISPLAY_P3,
    chrm,
    chunk,
    cicp,
    clli,
    gama,
    iccp,
    named_profile,
    png,
)
from thumbs.image.transforms import Transform
from thumbs.render.color.primaries import PRIMARIES
from thumbs.render.color.transfer import AVIF_TRANSFERS, PNG_TRANSFERS

LEVELS, HIGH_RANGE_LEVELS = 2.0, 6.0
COLUMNS = 4 * GRID  # 16 colors in each cell of the grid: where one is dark, a browser's own rounding shows
GRAY_PROFILE = profile(b"mntr", b"GRAY", {b"kTRC": gamma_curve(1.8)})
SRGB_MARK = chunk(b"sRGB", b"\0")

_random = random.Random(14)
COLORS = [[tuple(_random.random() for _ in range(3)) for _ in range(COLUMNS)] for _ in range(COLUMNS)]
COLORS[0] = [(step / (COLUMNS - 1),) * 3 for step in range(COLUMNS)]
ALPHAS = [[_random.random() for _ in range(COLUMNS)] for _ in range(COLUMNS)]


def chart(channels: int) -> list[list[tuple[float, ...]]]:
    """1: gray, 2: gray and alpha, 3: colors, 4: colors and alpha."""
    shown = 1 if channels < 3 else 3
    return [
        [(*color[:shown], *(() if channels % 2 else (alpha,))) for color, alpha in zip(*rows, strict=True)]
        for rows in zip(COLORS, ALPHAS, strict=True)
    ]


def coded(depth: int) -> Part:
    """The chart as a picture of an AVIF, without loss."""
    most, shift = (1 << depth) - 1, 16 - depth if depth > 8 else 0
    samples = [round(value * most) << shift for row in COLORS for color in row for value in color]
    kind, code = ("uchar", "B") if depth == 8 else ("ushort", "H")
    packed = struct.pack(f"{len(samples)}{code}", *samples)
    image = pyvips.Image.new_from_memory(packed, COLUMNS, COLUMNS, 3, kind)
    image = image.copy(interpretation="srgb" if depth == 8 else "rgb16")
    return parts_of(image.write_to_buffer(".avif", bitdepth=depth, lossless=True))[0].without(b"colr")


def luminance(most: int) -> list[bytes]:
    return [box(b"clli", struct.pack(">HH", most, 0))] if most else []


@pytest.fixture(scope="module")
def drawer() -> Iterator[Canvas]:
    with canvas.opened(installation()) as opened:
        yield opened


def assert_same(drawer: Canvas, files: dict[str, bytes], levels: float = LEVELS) -> None:
    """Each file is drawn as what is rendered of it."""
    different = {}
    drawings: dict[bytes, Drawing | None] = {}  # many files mean the same colors, so that the same is rendered of them
    for name, data in files.items():
        theirs = drawer.draw(data)
        body = rendered(data, Transform(format="png")).body
        if body not in drawings:
            drawings[body] = drawer.draw(body)
        ours = drawings[body]
        assert theirs is not None, name
        assert ours is not None, name
        worst = max(theirs.difference(ours))
        if worst > levels:
            different[name] = worst
    assert different == {}


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("depth", [8, 16])
def test_png_with_one_description_and_with_several(drawer: Canvas, depth: int, channels: int) -> None:
    profiles = [iccp(PROFILES["adobe"]), iccp(PROFILES["p3"]), *([iccp(GRAY_PROFILE)] if channels < 3 else [])]
    code_points = [b"", cicp(12, 13), cicp(9, 8), cicp(1, 13), cicp(2, 2), cicp(12, 13, full_range=0), cicp(9, 1)]
    gammas = [b"", gama(1), gama(0.45455), gama(0.55556), gama(0.45455) + chrm(DISPLAY_P3), gama(0.6) + chrm(BT2020)]
    chosen = random.Random(depth * channels)
    said = [
        *([each] for each in (*profiles, *code_points, *gammas, SRGB_MARK, chrm(DISPLAY_P3), gama(0))),
        *(
            chosen.sample([point, *([profile] if profile else []), mark, gamma], 4 if profile else 3)
            for point, profile, mark, gamma in chosen.sample(
                list(itertools.product(code_points, (b"", *profiles), (b"", SRGB_MARK), gammas)), 30
            )
        ),
    ]
    rows = chart(channels)
    files = {repr([each[4:8] for each in chunks] + [b"".join(chunks).hex()[:80]]): b"".join(chunks) for chunks in said}
    assert_same(drawer, {name: png(rows, chunks, depth=depth) for name, chunks in files.items()})


def test_png_with_every_pair_of_code_points(drawer: Canvas) -> None:
    pairs = [(primaries, 13) for primaries in PRIMARIES] + [(9, transfer) for transfer in PNG_TRANSFERS]
    files = {repr(pair): png(chart(3), cicp(*pair), depth=16) for pair in pairs if pair[1] not in (16, 18)}
    assert_same(drawer, files)
    unknown = [(0, 13), (3, 13), (13, 13), (23, 13), (12, 0), (12, 3), (12, 9), (12, 10), (12, 12), (12, 19)]
    assert_same(drawer, {repr(pair): png(chart(3), cicp(*pair)) for pair in unknown})


def test_png_with_the_primaries_of_every_standard(drawer: Canvas) -> None:
    said = {number: gama(0.5) + chrm(numbers) for number, numbers in CHROMATICITIES.items()}
    assert_same(drawer, {str(number): png(chart(4), chunks, depth=16) for number, chunks in said.items()})


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_with_a_high_dynamic_range(drawer: Canvas, channels: int) -> None:
    mastering = chunk(b"mDCV", bytes(16) + struct.pack(">II", 40_000_000, 1))
    files = {
        repr((primaries, transfer, more)): png(chart(channels), cicp(primaries, transfer) + more, depth=16)
        for primaries in (1, 9, 12)
        for transfer in (16, 18)
        for more in (b"", clli(100), clli(203), clli(400), clli(10_000), mastering, mastering + clli(600))
    }
    assert_same(drawer, files, HIGH_RANGE_LEVELS)


@pytest.mark.parametrize("depth", [8, 10, 12])
def test_avif_with_code_points(drawer: Canvas, depth: int) -> None:
    part = coded(depth)
    pairs = [(primaries, 13) for primaries in PRIMARIES] + [(9, transfer) for transfer in AVIF_TRANSFERS]
    pairs += [(2, 13), (2, 8), (3, 8), (13, 8), (12, 2), (12, 19), (12, 0), (12, 3), (0, 8), (2, 2)]
    # The browser does not show 11, which counts as unknown elsewhere.
    said = {repr(pair): nclx(*pair, 0, full=True) for pair in pairs if pair[1] not in (11, 16, 18)}
    assert_same(drawer, {name: assembled([part.having(own)]) for name, own in said.items()})


@pytest.mark.parametrize("depth", [8, 10, 12])
def test_avif_with_a_high_dynamic_range(drawer: Canvas, depth: int) -> None:
    part = coded(depth)
    files = {
        repr((primaries, transfer, peak)): assembled(
            [part.having(nclx(primaries, transfer, 0, full=True), *luminance(peak))]
        )
        for primaries in (1, 9, 12)
        for transfer in (16, 18)
        for peak in (0, 100, 400, 1000, 4000)
    }
    assert_same(drawer, files, HIGH_RANGE_LEVELS)


def test_profiles_that_name_a_high_dynamic_range(drawer: Canvas) -> None:
    image = Image.frombytes("RGB", (COLUMNS, COLUMNS), bytes(round(255 * v) for row in COLORS for c in row for v in c))
    forms: dict[str, dict[str, object]] = {"PNG": {}, "WEBP": {"lossless": True}, "JPEG": {"quality": 100}}
    files = {
        repr((form, primaries, transfer)): encoded(
            image, form, icc_profile=named_profile(primaries, transfer), **options
        )
        for form, options in forms.items()
        for primaries, transfer in ((9, 16), (12, 16), (9, 18))
    }
    assert_same(drawer, files, HIGH_RANGE_LEVELS)
    assert_same(drawer, {"no high range": encoded(image, "PNG", icc_profile=named_profile(12, 13))})


def test_avif_with_a_profile_and_code_points(drawer: Canvas) -> None:
    part, own = coded(8), nclx(9, 8, 0, full=True)
    colors = {name: box(b"colr", b"prof", PROFILES[name]) for name in ("adobe", "p3")}
    files = {name: [each, own] for name, each in colors.items()} | {"behind": [own, colors["p3"]]}
    assert_same(drawer, {name: assembled([part.having(*each)]) for name, each in files.items()})
