"""Animations: they are converted between GIF and WebP frame by frame, as Pillow decodes them."""

import io
import re
from dataclasses import replace

import pytest
from PIL import Image, ImageSequence

from tests.support.gif_files import Frame, Gif
from tests.support.pictures import encoded
from tests.support.pixels import LIMITS, difference, near, picture, rendered
from thumbs.errors import SizeOverLimit, SourceOverLimit
from thumbs.image.encoding import Encoding
from thumbs.image.formats import sniff
from thumbs.image.geometry import OutputLimits
from thumbs.image.transforms import ALL_FRAMES, Attention, Crop, Fit, Padding, Transform, Trim
from thumbs.render import animation as animation_module
from thumbs.render.renderer import Renderer
from thumbs.render.values import RenderLimits, SourceLimits

COLORS = [(220, 40, 30), (30, 160, 60), (40, 60, 200), (240, 220, 40), (20, 20, 20)]
DELAYS = [100, 200, 300, 400, 500]
SIZE = (48, 32)


def drawn(number: int) -> Image.Image:
    """A frame: white, with a square of its color that walks to the right."""
    image = Image.new("RGB", SIZE, (255, 255, 255))
    image.paste(COLORS[number], (number * 8, 8, number * 8 + 16, 24))
    return image


def animation(format_name: str, *, loop: int = 0, **options: object) -> bytes:
    frames = [drawn(number) for number in range(len(COLORS))]
    options |= {"lossless": True} if format_name == "WEBP" else {}
    return encoded(
        frames[0], format_name, save_all=True, append_images=frames[1:], duration=DELAYS, loop=loop, **options
    )


def frames_of(data: bytes) -> list[tuple[Image.Image, int]]:
    """Every frame with the milliseconds that it is shown."""
    image = Image.open(io.BytesIO(data))
    found = []
    for frame in ImageSequence.Iterator(image):
        picture = frame.convert("RGB")
        found.append((picture, int(frame.info["duration"])))
    return found


@pytest.mark.parametrize("source", ["GIF", "WEBP"])
@pytest.mark.parametrize("output", ["gif", "webp"])
def test_all_frames_keep_their_pixels_their_times_and_their_order(source: str, output: str) -> None:
    made = rendered(animation(source), Transform(24, 16, output, 90, frames=ALL_FRAMES))
    assert sniff(made.body) == output
    found = frames_of(made.body)
    assert [shown for _, shown in found] == DELAYS
    for number, (frame, _) in enumerate(found):
        assert frame.size == (24, 16)
        assert near(frame.getpixel((number * 4 + 4, 8)), COLORS[number], by=12)


def gif_delays(data: bytes) -> list[int]:
    """Hundredths of a second, of all graphic control extensions (GIF89a, 23)."""
    return [int.from_bytes(found, "little") for found in re.findall(rb"!\xf9\x04.(..).\0", data, re.DOTALL)]


@pytest.mark.parametrize(
    ("milliseconds", "hundredths"),
    [
        (700_000, 65_535),
        (655_360, 65_535),
        (655_350, 65_535),
        (655_344, 65_534),
        (24, 2),
        (16, 2),
        (14, 2),
        (12, 2),
        (11, 2),
    ],
)
def test_a_delay_of_a_webp_becomes_the_nearest_that_is_shown_of_a_gif(milliseconds: int, hundredths: int) -> None:
    """Browsers show one of up to 10 ms for 100 ms."""
    source = encoded(drawn(0), "WEBP", save_all=True, append_images=[drawn(1)], duration=[milliseconds, 500])
    moving = Transform(format="gif", frames=ALL_FRAMES)
    assert gif_delays(rendered(source, moving).body) == [hundredths, 50]
    again = rendered(source, replace(moving, format="webp", quality=90)).body
    assert [shown for _, shown in frames_of(again)] == [milliseconds, 500]


def test_a_gif_keeps_its_own_delays() -> None:
    delays = [0, 1, 2, 50, 65_535]
    drawings = [Frame((2, 2), bytes(2) + bytes([number % 2, 1]), delay=delay) for number, delay in enumerate(delays)]
    source = Gif((2, 2), tuple(drawings), ((0, 0, 0), (255, 255, 255))).data()
    assert gif_delays(rendered(source, Transform(format="gif", frames=ALL_FRAMES)).body) == delays


def test_an_animation_with_a_copyright_keeps_its_frames_and_their_times() -> None:
    exif = Image.Exif()
    exif[0x8298] = "Jane"
    renderer = Renderer(settings=Encoding(keep_copyright=True))
    made = renderer.render(animation("WEBP", exif=exif), Transform(24, 16, "webp", 90, frames=ALL_FRAMES), LIMITS).body
    assert [(frame.size, shown) for frame, shown in frames_of(made)] == [((24, 16), delay) for delay in DELAYS]
    assert Image.open(io.BytesIO(made)).getexif()[0x8298] == "Jane"


@pytest.mark.parametrize("loop", [0, 3])
def test_an_animation_repeats_as_often_as_its_source(loop: int) -> None:
    """A GIF counts how often it is shown again, a WebP how often it is shown; 0 is for ever in both."""
    source = animation("GIF", loop=loop)
    for output, shown in (("gif", loop), ("webp", loop and loop + 1)):
        made = rendered(source, Transform(24, 16, output, 90, frames=ALL_FRAMES))
        assert Image.open(io.BytesIO(made.body)).info["loop"] == shown


@pytest.mark.parametrize(("asked", "kept"), [(1, 1), (3, 3), (5, 5), (99, 5), (ALL_FRAMES, 5)])
def test_as_many_frames_are_kept_as_were_requested(asked: int, kept: int) -> None:
    made = rendered(animation("GIF"), Transform(24, 16, "webp", 90, frames=asked))
    assert getattr(Image.open(io.BytesIO(made.body)), "n_frames", 1) == kept


@pytest.mark.parametrize("output", ["jpeg", "png", "avif"])
def test_what_cannot_move_shows_the_first_frame(output: str) -> None:
    made = picture(animation("GIF"), Transform(24, 16, output, 95 if output != "png" else None, frames=ALL_FRAMES))
    assert getattr(made, "n_frames", 1) == 1
    assert near(made.convert("RGB").getpixel((4, 8)), COLORS[0], by=12)


def test_a_still_picture_has_one_frame_however_many_are_requested() -> None:
    made = rendered(encoded(drawn(0), "PNG"), Transform(24, 16, "webp", 90, frames=ALL_FRAMES))
    assert getattr(Image.open(io.BytesIO(made.body)), "n_frames", 1) == 1


def test_every_frame_goes_through_every_step() -> None:
    transform = Transform(
        24, 16, "webp", 100, rotate=90, padding=Padding(2, 2, 2, 2), grayscale=True, frames=ALL_FRAMES
    )
    found = frames_of(rendered(animation("GIF"), transform).body)
    assert len(found) == len(COLORS)
    for frame, _ in found:
        assert frame.size == (20, 28)
        for point in ((10, 14), (4, 4)):
            red, green, blue = frame.getpixel(point)  # type: ignore[misc]
            assert max(red, green, blue) - min(red, green, blue) <= 6


@pytest.mark.parametrize(
    ("fields", "box"), [({"crop": Crop(8, 8, 40, 24)}, (8, 8, 40, 24)), ({"trim": Trim(20)}, (0, 8, 16, 24))]
)
def test_a_cut_is_the_same_in_every_frame(fields: dict[str, object], box: tuple[int, int, int, int]) -> None:
    """What stands still must not jump: the margins of the first frame are those of all."""
    transform = Transform(16, 16, "webp", 100, fit=Fit.STRETCH, frames=ALL_FRAMES, **fields)  # type: ignore[arg-type]
    found = frames_of(rendered(animation("GIF"), transform).body)
    assert sum(shown for _, shown in found) == sum(DELAYS)  # frames that come out alike are one
    for number, (frame, _) in enumerate(found):
        wanted = drawn(number).crop(box).resize((16, 16), Image.Resampling.LANCZOS)
        assert difference(frame, wanted) < 12


def test_attention_finds_one_position_for_all_frames() -> None:
    transform = Transform(32, 32, "webp", 100, gravity=Attention.SMART, frames=ALL_FRAMES)
    found = [frame for frame, _ in frames_of(rendered(animation("GIF"), transform).body)]
    left_edges = [
        next((x for x in range(32) if not near(frame.getpixel((x, 16)), (255, 255, 255), by=60)), None)
        for frame in found
    ]
    seen = [(number, edge) for number, edge in enumerate(left_edges) if edge]  # not those that begin outside
    assert len(seen) >= 2
    assert len({edge - 8 * number for number, edge in seen}) == 1


def test_all_frames_together_are_held_against_the_limits() -> None:
    data, asked = animation("GIF"), Transform(48, 32, "gif", frames=ALL_FRAMES)
    pixels = 5 * 48 * 32
    assert rendered(data, asked, limits=RenderLimits(source=SourceLimits(animation_pixels=pixels)))
    with pytest.raises(SourceOverLimit):
        rendered(data, asked, limits=RenderLimits(source=SourceLimits(animation_pixels=pixels - 1)))
    with pytest.raises(SizeOverLimit):
        rendered(data, asked, limits=RenderLimits(output=OutputLimits(pixels=pixels - 1)))
    with pytest.raises(SizeOverLimit):
        rendered(data, asked, limits=RenderLimits(gif_pixels=pixels - 1))
    assert rendered(data, Transform(48, 32, "gif"), limits=RenderLimits(gif_pixels=pixels - 1))


@pytest.mark.parametrize("source", ["GIF", "WEBP"])
def test_only_the_frames_that_are_kept_are_held_against_the_limits(source: str) -> None:
    data, limits = animation(source), RenderLimits(source=SourceLimits(frames=2, animation_pixels=2 * 48 * 32))
    for kept in (1, 2):
        made = rendered(data, Transform(24, 16, "webp", frames=kept), limits=limits)
        assert getattr(Image.open(io.BytesIO(made.body)), "n_frames", 1) == kept
    for kept in (3, ALL_FRAMES):
        with pytest.raises(SourceOverLimit):
            rendered(data, Transform(24, 16, "webp", frames=kept), limits=limits)
    assert rendered(data, Transform(24, 16, "jpeg", frames=ALL_FRAMES), limits=limits)  # which keeps one


@pytest.mark.parametrize("source", ["GIF", "WEBP"])
def test_the_limit_of_still_pictures_that_are_held_whole_is_not_that_of_animations(source: str) -> None:
    limits = RenderLimits(source=SourceLimits(whole_pixels=48 * 32 - 1))
    assert rendered(animation(source), Transform(24, 16, "webp", frames=ALL_FRAMES), limits=limits)
    with pytest.raises(SourceOverLimit):
        rendered(animation(source), Transform(24, 16, "webp", frames=ALL_FRAMES), limits=small_canvas())


def small_canvas() -> RenderLimits:
    return RenderLimits(source=SourceLimits(pixels=48 * 32 - 1))


@pytest.mark.parametrize("orientation", [2, 6])
def test_the_frames_of_a_webp_stand_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    frames = [drawn(number) for number in range(3)]
    data = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=90, lossless=True, exif=exif)
    found = frames_of(rendered(data, Transform(format="webp", quality=100, frames=ALL_FRAMES)).body)
    turn = Image.Transpose.FLIP_LEFT_RIGHT if orientation == 2 else Image.Transpose.ROTATE_270
    for (frame, _), wanted in zip(found, frames, strict=True):
        assert difference(frame, wanted.transpose(turn)) < 12


@pytest.mark.parametrize("pixels", [1, 2 * 48 * 32, 4 * 48 * 32])
def test_frames_that_are_decoded_together_are_those_that_are_decoded_alone(
    pixels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Transform(24, 16, "webp", 90, frames=ALL_FRAMES)
    together = rendered(animation("WEBP"), asked).body
    monkeypatch.setattr(animation_module, "_STRIP_PIXELS", pixels)
    assert rendered(animation("WEBP"), asked).body == together
