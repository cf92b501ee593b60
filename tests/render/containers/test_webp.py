"""A WebP whose headers say something wrong is shown as browsers show it, where its picture is whole."""

import io

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
from thumbs.render.containers.webp import with_right_headers

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


def sized(data: bytes, more: int) -> bytes:
    """`data` that says it has so many bytes more."""
    return data[:4] + (len(data) - 8 + more).to_bytes(4, "little") + data[8:]


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
    assert with_right_headers(data) is data
    assert picture(data, WHOLE).mode == "RGB"


@pytest.mark.parametrize("more", [1, 2, 400, 2**31 - 2**16])
@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 80}], ids=["lossless", "lossy"])
def test_a_whole_picture_is_shown_whatever_size_its_file_says(more: int, options: dict[str, object]) -> None:
    data = encoded(drawing(), "WEBP", **options)
    assert picture(sized(data, more), WHOLE).tobytes() == picture(data, WHOLE).tobytes()


def test_metadata_behind_a_picture_may_be_cut_off() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a description" * 10
    data = encoded(drawing(), "WEBP", lossless=True, exif=exif)
    start = data.index(b"EXIF")
    for end in (start + 3, start + 8, start + 50, len(data) - 1):
        assert picture(data[:end], WHOLE).tobytes() == picture(data, WHOLE).tobytes()


def test_the_padding_of_the_last_chunk_may_be_missing() -> None:
    data = next(
        data
        for width in range(20, 60)
        if (data := encoded(noise(width, 31), "WEBP", lossless=True)) and len(chunks(data)[-1][1]) % 2
    )
    assert picture(data[:-1], WHOLE).tobytes() == picture(data, WHOLE).tobytes()


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 80}], ids=["lossless", "lossy"])
@pytest.mark.parametrize("image", [drawing(), drawing().convert("RGB")], ids=["alpha", "opaque"])
def test_a_picture_that_is_cut_off_stays_broken(image: Image.Image, options: dict[str, object]) -> None:
    data = encoded(image, "WEBP", **options)
    for end in (len(data) // 2, len(data) - 20, len(data) - 2):
        assert with_right_headers(data[:end]) == data[:end]
        with pytest.raises(SourceBroken):
            picture(data[:end], WHOLE)


def test_an_animation_is_whole_where_its_last_frame_is() -> None:
    frames = [noise(40, 30, seed) for seed in range(1, 4)]
    data = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=70)
    whole = Transform(format="webp", frames=3)
    shown = io.BytesIO(encoded(picture(sized(data, 100), whole), "WEBP", save_all=True))
    assert getattr(Image.open(shown), "n_frames", 1) == 3
    for cut in (data[:-4], data[:-30], data[: data.rindex(b"ANMF") + 6]):
        assert with_right_headers(cut) == cut
        with pytest.raises(SourceBroken):
            picture(cut, whole)


def test_a_right_file_is_not_copied() -> None:
    pictures = [encoded(image, "WEBP", lossless=lossless) for image in (drawing(), noise(9, 9)) for lossless in (0, 1)]
    for data in (*pictures, pictures[0] + b"behind", extended(drawing(), lossless=True), extended(noise(9, 9))):
        assert with_right_headers(data) is data


_GOOD = extended(drawing(), off=ALPHA, lossless=True)


@settings(max_examples=examples(300))
@given(st.binary(max_size=30), st.integers(0, 200), st.integers(0, 20))
def test_no_bytes_whatever_make_it_fail(put_in: bytes, at: int, taken_out: int) -> None:
    for data in (_GOOD[:at] + put_in + _GOOD[at + taken_out :], b"RIFF" + put_in, _GOOD[:at]):
        assert abs(len(with_right_headers(data)) - len(data)) <= len(data) + 1
