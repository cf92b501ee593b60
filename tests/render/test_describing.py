"""Descriptions of originals of every format, beside Pillow and the references of ThumbHash; what is decoded."""

import dataclasses
import functools
from collections.abc import Callable
from operator import mul

import pytest
import pyvips
from PIL import Image

from tests.support import gif_files, pictures
from tests.support.pictures import decoded, encoded
from tests.support.pixels import rendered
from tests.support.thumbhash_vectors import REFERENCE_HASHES
from tests.support.thumbhashes import NAMES, small_picture
from tests.support.tiff_files import Tiff, tiff
from thumbs.errors import BadFilter, SizeOverLimit, SourceBroken, SourceOverLimit, SourceUnsupported
from thumbs.image.description import Description
from thumbs.image.formats import FORMATS
from thumbs.image.geometry import OutputLimits
from thumbs.image.outputs import DATA, JSON
from thumbs.image.transforms import ALL_FRAMES, Crop, Fit, Padding, Transform, Trim
from thumbs.render import decode
from thumbs.render.renderer import BoundRenderer, Renderer
from thumbs.render.values import RenderLimits, SourceLimits

LIMITS = RenderLimits()
RENDERER = Renderer(frozenset(FORMATS))
PHOTO = pictures.scene(240, 160)
SEE_THROUGH = PHOTO.convert("RGBA")
SEE_THROUGH.putalpha(Image.linear_gradient("L").resize(PHOTO.size))
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' width='240' height='160'><rect width='9' height='9' fill='red'/></svg>"
MANY: dict[str, object] = {"save_all": True, "append_images": [PHOTO.rotate(90), PHOTO.rotate(180)], "duration": 90}
PLAIN = Description("jpeg", (240, 160), 1, 1, has_alpha=False, color_space="srgb", output=(240, 160))

# What makes each original, and what differs from `PLAIN`.
ORIGINALS: dict[str, tuple[Callable[[], bytes], dict[str, object]]] = {
    "jpeg": (lambda: encoded(PHOTO, "JPEG"), {}),
    "jpeg progressive": (lambda: encoded(PHOTO, "JPEG", progressive=True), {}),
    "jpeg gray": (lambda: encoded(PHOTO.convert("L"), "JPEG"), {"color_space": "gray"}),
    "jpeg cmyk": (lambda: encoded(PHOTO.convert("CMYK"), "JPEG"), {"color_space": "cmyk"}),
    "png": (lambda: encoded(PHOTO, "PNG"), {"format": "png"}),
    "png with alpha": (lambda: encoded(SEE_THROUGH, "PNG"), {"format": "png", "has_alpha": True}),
    "png of gray with alpha": (
        lambda: encoded(SEE_THROUGH.convert("LA"), "PNG"),
        {"format": "png", "has_alpha": True, "color_space": "gray"},
    ),
    "png with a palette": (lambda: encoded(PHOTO.quantize(16), "PNG"), {"format": "png"}),
    "webp": (lambda: encoded(PHOTO, "WEBP"), {"format": "webp"}),
    "webp with alpha": (lambda: encoded(SEE_THROUGH, "WEBP", lossless=True), {"format": "webp", "has_alpha": True}),
    "webp animated": (lambda: encoded(PHOTO, "WEBP", **MANY), {"format": "webp", "frames": 3}),
    "avif": (lambda: encoded(PHOTO, "AVIF"), {"format": "avif"}),
    "avif with alpha": (lambda: encoded(SEE_THROUGH, "AVIF"), {"format": "avif", "has_alpha": True}),
    "gif": (lambda: encoded(PHOTO, "GIF"), {"format": "gif"}),
    "gif animated": (lambda: encoded(PHOTO, "GIF", **MANY), {"format": "gif", "frames": 3}),
    "tiff": (lambda: encoded(PHOTO, "TIFF"), {"format": "tiff"}),
    "tiff of pages": (lambda: tiff(*[Tiff([[(1, 2, 3)] * 240] * 160)] * 2), {"format": "tiff"}),
    "tiff with alpha": (lambda: encoded(SEE_THROUGH, "TIFF"), {"format": "tiff", "has_alpha": True}),
    "svg": (lambda: SVG, {"format": "svg", "has_alpha": True}),
}


@functools.cache
def original(name: str) -> bytes:
    return ORIGINALS[name][0]()


def described(data: bytes, transform: Transform | None = None, *, limits: RenderLimits = LIMITS) -> Description:
    asked = dataclasses.replace(transform or Transform(), format=JSON)
    return RENDERER.describe(data, asked, limits)


def with_data(data: bytes) -> Description:
    return described(data, Transform(data=DATA))


@pytest.mark.parametrize("name", ORIGINALS)
def test_an_original_of_any_format_is_described(name: str) -> None:
    differences = ORIGINALS[name][1]
    assert described(original(name)) == dataclasses.replace(PLAIN, **differences)  # type: ignore[arg-type]


def test_every_input_format_is_among_them() -> None:
    assert {name.partition(" ")[0] for name in ORIGINALS} >= {"jpeg", "png", "webp", "avif", "gif", "tiff", "svg"}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_upright_and_the_orientation_that_of_the_file(orientation: int) -> None:
    data = pictures.stored_turned(PHOTO, orientation)
    found = described(data)
    assert (found.size, found.orientation) == ((240, 160), orientation)
    size = decoded(rendered(data, Transform(90, format="png")).body).size
    assert described(data, Transform(90)).output == size == (90, 60)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_placeholders_are_those_of_the_upright_picture(orientation: int) -> None:
    upright = small_picture("quarters 37x61").convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(pictures.turned(upright, orientation), "PNG", exif=exif)
    assert with_data(data).thumbhash.hex() == REFERENCE_HASHES["quarters 37x61"]


# ------------------------------------------------------------------------------------------------ data


@pytest.mark.parametrize("name", NAMES)
def test_the_hash_of_a_small_picture_is_that_of_the_reference(name: str) -> None:
    found = with_data(encoded(small_picture(name), "PNG"))
    assert found.thumbhash.hex() == REFERENCE_HASHES[name]


@pytest.mark.parametrize("container", ["WEBP", "TIFF"])
def test_the_hash_depends_on_the_pixels_and_not_on_the_format(container: str) -> None:
    options = {"lossless": True, "exact": True} if container == "WEBP" else {}
    for name in ("quarters 100x67", "fading 67x100", "diagonal 37x61"):
        assert with_data(encoded(small_picture(name), container, **options)).thumbhash.hex() == REFERENCE_HASHES[name]


@pytest.mark.parametrize("name", ["png", "png with alpha", "jpeg", "jpeg gray", "webp", "gif animated"])
def test_the_color_is_the_mean_of_what_is_visible(name: str) -> None:
    data = original(name)
    *bands, alphas = (channel.tobytes() for channel in decoded(data).convert("RGBA").split())
    wanted = [sum(map(mul, band, alphas)) / sum(alphas) for band in bands]
    found = with_data(data).color
    assert found is not None
    assert max(abs(one - other) for one, other in zip(found, wanted, strict=True)) <= 2


@pytest.mark.parametrize(
    ("color", "wanted"),
    [((1, 171, 255, 255), (1, 171, 255)), ((200, 30, 90, 128), (200, 30, 90)), ((200, 30, 90, 0), (0, 0, 0))],
)
def test_the_color_of_a_plain_picture_is_its_own(color: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    for size in ((1, 1), (64, 48), (700, 300)):
        found = with_data(encoded(Image.new("RGBA", size, color), "PNG")).color
        # Colors of reduced pixels are rounded down once, where they are transparent.
        assert found is not None
        assert max(abs(one - other) for one, other in zip(found, wanted, strict=True)) <= (max(size) > 100)


def test_only_what_is_asked_for_is_there() -> None:
    data = original("png")
    for asked in ((), ("color",), ("thumbhash",), DATA):
        found = described(data, Transform(data=asked))
        assert (bool(found.thumbhash), found.color is not None) == ("thumbhash" in asked, "color" in asked)


def test_placeholders_are_of_all_of_the_original_whatever_is_cut() -> None:
    data = encoded(PHOTO, "PNG")
    cut = Transform(30, 30, crop=Crop(0, 0, 40, 40), trim=Trim(10), rotate=90, grayscale=True, data=DATA)
    found, whole = described(data, cut), with_data(data)
    assert (found.thumbhash, found.color) == (whole.thumbhash, whole.color)


# ------------------------------------------------------------------------------------------- no pixels


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What decodes pixels in a render, each time that it is called."""
    calls: list[str] = []

    def counting(name: str, original: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **keywords: object) -> object:
            calls.append(name)
            return original(*arguments, **keywords)

        return call

    monkeypatch.setattr(decode, "scaled", counting("scaled", decode.scaled))
    for name in ("copy_memory", "write_to_memory", "write_to_buffer"):
        monkeypatch.setattr(pyvips.Image, name, counting(name, getattr(pyvips.Image, name)))
    return calls


@pytest.mark.parametrize("name", ORIGINALS)
def test_pixels_are_decoded_only_where_the_answer_depends_on_them(name: str, counted: list[str]) -> None:
    data = original(name)
    described(data, Transform(90, 60, rotate=90, padding=Padding(1, 2, 3, 4), frames=ALL_FRAMES))
    assert counted == []
    described(data, Transform(90, trim=Trim(10)))
    assert counted.count("scaled") == 1
    with_data(data)
    assert counted.count("scaled") == 2


def test_damage_behind_the_header_is_seen_only_where_pixels_are_decoded() -> None:
    data = encoded(pictures.noise(400, 300), "JPEG")
    cut = data[: len(data) // 2]
    assert described(cut) == described(data)
    for transform in (Transform(data=("color",)), Transform(trim=Trim(10))):
        with pytest.raises(SourceBroken):
            described(cut, transform)
    rendered_in_part = described(cut, Transform(data=("color",)), limits=RenderLimits(truncated=True))
    assert rendered_in_part.truncated
    assert not described(data, Transform(data=("color",)), limits=RenderLimits(truncated=True)).truncated


# ---------------------------------------------------------------------------------------------- alpha


def gif(*frames: gif_files.Frame, screen: tuple[int, int] = (4, 4)) -> bytes:
    return gif_files.Gif(screen, frames, ((255, 0, 0), (0, 0, 255))).data()


def frame(**fields: object) -> gif_files.Frame:
    size = fields.pop("size", (4, 4))
    assert isinstance(size, tuple)
    return gif_files.Frame(size, bytes(size[0] * size[1]), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("frames", "has_alpha"),
    [
        ([frame()], False),
        ([frame(transparent=1)], True),
        ([frame(size=(3, 4))], True),
        ([frame(size=(2, 2), at=(1, 1))], True),
        ([frame(), frame(transparent=1)], False),
        ([frame(), frame(size=(2, 2))], False),
        ([frame(disposal=gif_files.CLEAR), frame()], False),
        ([frame(disposal=gif_files.CLEAR), frame(transparent=1)], True),
        ([frame(disposal=gif_files.CLEAR), frame(size=(2, 2))], True),
        ([frame(disposal=gif_files.RESTORE), frame(size=(2, 2))], True),
        ([frame(), frame(disposal=gif_files.RESTORE), frame(size=(2, 2))], False),
    ],
)
def test_a_gif_has_alpha_where_nothing_covers_its_canvas(frames: list[gif_files.Frame], has_alpha: bool) -> None:
    found = described(gif(*frames))
    assert (found.has_alpha, found.frames) == (has_alpha, len(frames))


# --------------------------------------------------------------------------------------------- limits


def test_the_limits_are_those_of_a_picture() -> None:
    data = encoded(PHOTO, "PNG")
    cases: list[tuple[type[Exception], Transform, RenderLimits]] = [
        (SourceOverLimit, Transform(), RenderLimits(source=SourceLimits(pixels=240 * 160 - 1))),
        (SourceOverLimit, Transform(trim=Trim(1)), RenderLimits(source=SourceLimits(whole_pixels=240 * 160 - 1))),
        (SizeOverLimit, Transform(), RenderLimits(output=OutputLimits(side=239))),
        (SizeOverLimit, Transform(padding=Padding(1, 0, 0, 0)), RenderLimits(output=OutputLimits(pixels=240 * 160))),
        (BadFilter, Transform(crop=Crop(0, 0, 241, 1)), LIMITS),
    ]
    for error, transform, limits in cases:
        with pytest.raises(error):
            described(data, transform, limits=limits)
        with pytest.raises(error):
            rendered(data, dataclasses.replace(transform, format="png"), limits=limits)


def test_an_animation_is_limited_by_the_frames_that_are_asked_for() -> None:
    data = encoded(PHOTO, "GIF", **MANY)
    limits = RenderLimits(source=SourceLimits(frames=2))
    assert described(data, limits=limits).frames == 3
    assert described(data, Transform(frames=2), limits=limits).frames == 3
    with pytest.raises(SourceOverLimit):
        described(data, Transform(frames=ALL_FRAMES), limits=limits)


def test_what_is_no_picture_or_of_another_format_is_refused_as_ever() -> None:
    for data in (b"", b"text", encoded(PHOTO, "BMP")):
        with pytest.raises(SourceUnsupported):
            described(data)
    with pytest.raises(SourceUnsupported):
        Renderer(frozenset({"jpeg"})).describe(encoded(PHOTO, "PNG"), Transform(format=JSON), LIMITS)


def test_a_bound_renderer_gives_the_document_with_the_bytes_of_the_file() -> None:
    data = encoded(PHOTO, "JPEG") + b"behind the end"
    made = BoundRenderer(RENDERER, LIMITS)(data, Transform(60, 60, JSON, fit=Fit.CONTAIN), fallback=None)
    assert (made.format, made.truncated, made.encode_seconds) == (JSON, False, 0.0)
    assert made.body == described(data, Transform(60, 60, fit=Fit.CONTAIN)).document(len(data))
