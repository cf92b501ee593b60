"""A WebP whose header says that there is no alpha is shown with the alpha that it has, as browsers show it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support.color import PROFILES
from tests.support.pictures import encoded, noise
from tests.support.pixels import picture
from tests.support.strategies import examples
from thumbs.errors import SourceBroken
from thumbs.image.transforms import Transform
from thumbs.render.containers.webp import with_alpha_flag

ALPHA, ICC, EXIF, XMP = 0x10, 0x20, 0x08, 0x04
WHOLE = Transform(format="png")
Chunks = list[tuple[bytes, bytes]]


def drawing() -> Image.Image:
    image = noise(61, 47).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize((61, 47)))
    return image


def chunks(data: bytes) -> Chunks:
    found, at = [], 12
    while at < len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        found.append((data[at : at + 4], data[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    return found


def webp(parts: Chunks) -> bytes:
    body = b"".join(
        name + len(each).to_bytes(4, "little") + each + b"\0" * (len(each) % 2) for name, each in parts
    )  # fmt: skip
    return b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body


def extended(image: Image.Image, *, on: int = 0, off: int = 0, **options: object) -> bytes:
    """A picture with a header VP8X whose flags are changed."""
    (name, header), *rest = chunks(encoded(image, "WEBP", icc_profile=PROFILES["srgb"], **options))
    assert name == b"VP8X"
    return webp([(name, bytes([(header[0] | on) & ~off]) + header[1:]), *rest])


def test_alpha_of_a_lossless_picture_needs_no_flag() -> None:
    data = extended(drawing(), off=ALPHA, lossless=True, exact=True)
    assert picture(data, WHOLE).tobytes() == drawing().tobytes()
    small = picture(data, Transform(20, 20, "webp"))
    assert small.mode == "RGBA"


def test_a_picture_without_any_other_flag_is_shown_too() -> None:
    data = extended(drawing(), off=ALPHA | ICC, lossless=True, exact=True)
    assert picture(data, WHOLE).tobytes() == drawing().tobytes()


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 80}], ids=["lossless", "lossy"])
def test_flags_for_what_is_not_there_change_nothing(options: dict[str, int]) -> None:
    image = drawing().convert("RGB")
    right = picture(extended(image, **options), WHOLE).convert("RGB").tobytes()
    data = extended(image, on=ALPHA | EXIF | XMP, **options)
    assert picture(data, WHOLE).convert("RGB").tobytes() == right


def test_an_alpha_chunk_beside_a_lossy_picture_needs_its_flag() -> None:
    """Chromium shows it opaque, and so does libwebp."""
    data = extended(drawing(), off=ALPHA, quality=80)
    assert with_alpha_flag(data) is data
    assert picture(data, WHOLE).mode == "RGB"


@pytest.mark.parametrize("lossless", [True, False])
def test_the_frames_of_an_animation_keep_their_alpha_without_the_flag(*, lossless: bool) -> None:
    frames = [drawing().rotate(90 * number) for number in range(3)]
    data = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=lossless)
    assert data[20] & ALPHA
    without = data[:20] + bytes([data[20] & ~ALPHA]) + data[21:]
    assert picture(without, WHOLE).tobytes() == picture(data, WHOLE).tobytes()


def test_a_picture_that_is_cut_off_stays_broken() -> None:
    """Chromium shows nothing of a file that is shorter than it says, even where only metadata is missing."""
    exif = Image.Exif()
    exif[0x010E] = "a description"
    data = bytearray(encoded(drawing(), "WEBP", lossless=True, exif=exif))
    data[20] &= ~ALPHA
    for end in (len(data) // 2, len(data) - 20, len(data) - 2):
        with pytest.raises(SourceBroken):
            picture(bytes(data[:end]), WHOLE)


def test_a_right_file_is_not_copied() -> None:
    pictures = [encoded(image, "WEBP", lossless=lossless) for image in (drawing(), noise(9, 9)) for lossless in (0, 1)]
    for data in (*pictures, pictures[0] + b"behind", extended(drawing(), lossless=True), extended(noise(9, 9))):
        assert with_alpha_flag(data) is data


_GOOD = extended(drawing(), off=ALPHA, lossless=True)


@settings(max_examples=examples(300))
@given(st.binary(max_size=30), st.integers(0, 200), st.integers(0, 20))
def test_no_bytes_whatever_make_it_fail(put_in: bytes, at: int, taken_out: int) -> None:
    for data in (_GOOD[:at] + put_in + _GOOD[at + taken_out :], b"RIFF" + put_in, _GOOD[:at]):
        assert len(with_alpha_flag(data)) == len(data)
