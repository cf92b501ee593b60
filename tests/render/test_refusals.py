"""Originals that are refused: no picture, a format that is not allowed, damaged, over a limit, or out of time."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from tests.support import pictures
from tests.support.pictures import encoded
from tests.support.pixels import LIMITS, picture, rendered
from thumbs.errors import (
    RenderTimeout,
    SizeOverLimit,
    SourceBroken,
    SourceOverLimit,
    SourceUnsupported,
    ThumbError,
)
from thumbs.image.transforms import Attention, Crop, Transform
from thumbs.render.renderer import Renderer
from thumbs.render.values import RenderLimits, SourceLimits


@pytest.fixture(scope="module")
def quarters() -> bytes:
    return encoded(pictures.quarters(), "PNG")


@pytest.mark.parametrize("data", [b"", b"not a picture, whatever its name", b"%PDF-1.7", b"\0" * 1000])
def test_what_is_no_picture_is_unsupported(data: bytes) -> None:
    with pytest.raises(SourceUnsupported):
        rendered(data, Transform(format="png"))


@pytest.mark.parametrize("name", ["TIFF", "BMP", "PPM", "ICO"])
def test_a_format_that_is_not_one_of_the_inputs_is_unsupported(name: str) -> None:
    with pytest.raises(SourceUnsupported):
        rendered(encoded(pictures.quarters(64, 64), name), Transform(format="png"))


def test_inputs_may_be_fewer(quarters: bytes) -> None:
    with pytest.raises(SourceUnsupported):
        Renderer(frozenset({"jpeg"})).render(quarters, Transform(format="png"), LIMITS)


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "AVIF", "GIF"])
@pytest.mark.parametrize("part", [0.02, 0.1, 0.5, 0.9, 0.99])
def test_a_picture_that_is_cut_short_is_broken(name: str, part: float) -> None:
    data = encoded(pictures.noise(400, 300), name)
    for transform in (Transform(100, 75, "png"), Transform(format="png", crop=Crop(0, 200, 400, 300))):
        with pytest.raises(SourceBroken):
            rendered(data[: int(len(data) * part)], transform)


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "AVIF", "GIF"])
def test_first_bytes_that_promise_a_picture_and_go_on_otherwise_are_broken(name: str) -> None:
    data = encoded(pictures.quarters(64, 64), name)
    with pytest.raises(SourceBroken):
        rendered(data[:16] + bytes(len(data)), Transform(format="png"))


def pixels(limit: int, *, whole: int = 10**9) -> RenderLimits:
    return RenderLimits(source=SourceLimits(pixels=limit, whole_pixels=whole))


def test_a_picture_over_the_limit_is_refused_by_its_header() -> None:
    data = encoded(Image.new("1", (8000, 8000)), "PNG")
    for part in (len(data), len(data) // 2):  # the half that is missing is never looked for
        with pytest.raises(SourceOverLimit):
            rendered(data[:part], Transform(100, 100, "png"))


def test_a_picture_at_the_limit_is_rendered(quarters: bytes) -> None:
    rendered(quarters, Transform(60, 40, "png"), limits=pixels(600 * 400))
    with pytest.raises(SourceOverLimit):
        rendered(quarters, Transform(60, 40, "png"), limits=pixels(600 * 400 - 1))


@pytest.mark.parametrize(
    ("name", "options", "whole"),
    [("JPEG", {"progressive": True}, True), ("JPEG", {}, False), ("AVIF", {}, True), ("PNG", {}, False)],
)
def test_a_decoder_that_holds_the_whole_picture_has_a_limit_of_its_own(
    name: str, options: dict[str, object], whole: bool
) -> None:
    data = encoded(pictures.quarters(), name, **options)
    limits = pixels(10**9, whole=600 * 400 - 1)
    if whole:
        with pytest.raises(SourceOverLimit):
            rendered(data, Transform(60, 40, "png"), limits=limits)
    else:
        rendered(data, Transform(60, 40, "png"), limits=limits)


def test_a_thumbnail_over_the_limits_is_refused_before_it_is_made() -> None:
    needle = encoded(Image.new("L", (1, 6000)), "PNG")
    for transform in (
        Transform(format="png"),
        Transform(width=200, upscale=True, format="png"),
        Transform(format="png", dpr=4, upscale=True),
    ):
        with pytest.raises(SizeOverLimit):
            rendered(needle, transform)
    assert picture(needle, Transform(200, 200, "png")).size == (200, 200)


def test_the_picture_for_attention_must_fit_into_memory() -> None:
    needle = encoded(Image.new("RGB", (10, 1000)), "PNG")
    with pytest.raises(SizeOverLimit):
        rendered(needle, Transform(3000, 3000, "png", gravity=Attention.SMART))
    assert picture(needle, Transform(300, 300, "png", gravity=Attention.SMART)).size == (300, 300)


def test_a_render_past_its_deadline_is_stopped_and_harms_no_other() -> None:
    large = encoded(pictures.noise(2500, 2500), "JPEG", quality=95)
    with pytest.raises(RenderTimeout):
        rendered(large, Transform(format="png"), limits=RenderLimits(seconds=0))
    assert picture(large, Transform(50, 50, "png")).size == (50, 50)


def test_many_threads_at_once_get_the_right_results() -> None:
    good = encoded(pictures.noise(300, 200), "JPEG", quality=90)
    kinds = {
        "good": good,
        "short": good[: len(good) // 2],
        "text": b"hello",
        "empty png": encoded(pictures.quarters(), "PNG")[:40],
    }

    def outcome(name: str) -> str:
        try:
            return rendered(kinds[name], Transform(30, 20, "webp", 70)).format
        except ThumbError as error:
            return error.code

    names = [*kinds] * 40
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(outcome, names))
    wanted = {"good": "webp", "short": "source-broken", "text": "source-unsupported", "empty png": "source-broken"}
    assert outcomes == [wanted[name] for name in names]
