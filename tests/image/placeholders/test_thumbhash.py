"""ThumbHash: the bytes of the reference implementation, and the picture that is drawn from them."""

import hashlib
import math

import pytest

from tests.support.thumbhash_vectors import REFERENCE_HASHES
from tests.support.thumbhashes import NAMES, small_picture
from thumbs.image.placeholders import thumbhash
from thumbs.image.placeholders.cosine import cosine

# Angles, and what JavaScript engines say of them: most of C libraries differ, or the whole reduction is needed.
COSINES = [
    (3.7699111843077517, "-0x1.9e3779b97f4a8p-1"),
    (16.25774198232718, "-0x1.b48d406a50546p-1"),
    (15.04657534087743, "-0x1.940a398f9cd20p-1"),
    (2.5581540179231173, "-0x1.ab4d2f7db2d81p-1"),
    (9.884523227148375, "-0x1.cad6363de6123p-1"),
    (14.854269612082174, "-0x1.507d0026ab0c2p-1"),
    (1.5707963267948966, "0x1.1a62633145c07p-54"),
    (4.71238898038469, "-0x1.a79394c9e8a0ap-53"),
    (7.853981633974483, "0x1.60fafbfd97309p-52"),
    (17.27875959474386, "-0x1.6111d218effa2p-49"),
    (0.0, "0x1.0000000000000p+0"),
]


def reference(name: str) -> bytes:
    return bytes.fromhex(REFERENCE_HASHES[name])


@pytest.mark.parametrize("name", NAMES)
def test_the_hash_is_that_of_the_reference_to_the_last_bit(name: str) -> None:
    picture = small_picture(name)
    assert thumbhash.encode(*picture.size, picture.tobytes()).hex() == REFERENCE_HASHES[name]


@pytest.mark.parametrize(
    ("name", "size", "digest"),
    [
        ("quarters 100x67", (32, 23), "18841831c16dc680b079cd1404e2c31e"),
        ("fading 67x100", (19, 32), "3ab690b7d369a11dc8fc8be3d824b0f0"),
        ("plain 100x100", (32, 32), "8565a90d4baf99536d3ebe9568c4c0df"),
        ("transparent 3x50", (6, 32), "673b52dd7101c565a11c19b2f6fda8b9"),
        ("noise 37x61", (19, 32), "98bdc3e4729f94b82ffe7b034f062eaf"),
        ("vertical 90x2", (32, 5), "0034290bd89f704460a86d7ed5b51ab6"),
    ],
)
def test_the_picture_of_a_hash_is_that_of_the_reference(name: str, size: tuple[int, int], digest: str) -> None:
    pixels = thumbhash.decode(reference(name))
    assert (pixels.width, pixels.height) == size
    assert len(pixels.rgba) == size[0] * size[1] * 4
    assert hashlib.sha256(pixels.rgba).hexdigest().startswith(digest)


@pytest.mark.parametrize("name", NAMES)
def test_every_hash_has_a_picture_and_at_most_25_bytes(name: str) -> None:
    assert len(reference(name)) <= thumbhash.MAX_BYTES
    pixels = thumbhash.decode(reference(name))
    assert max(pixels.width, pixels.height) == 32
    assert len(pixels.rgba) == pixels.width * pixels.height * 4


@pytest.mark.parametrize(
    ("name", "color"),
    [
        ("quarters 100x67", (0.5264550264550265, 0.5105820105820107, 0.5343915343915344, 1)),
        ("fading 67x100", (0.9444444444444444, 0.45238095238095233, 0.46031746031746035, 0.4666666666666667)),
        ("plain 100x100", (0.791005291005291, 0.10846560846560849, 0.3386243386243386, 1)),
        ("transparent 3x50", (0.01322751322751318, 0, 0, 0)),
        ("noise 37x61", (0.5105820105820105, 0.49470899470899465, 0.5185185185185185, 0.4666666666666667)),
        ("vertical 90x2", (0, 0.19841269841269843, 0.8095238095238095, 1)),
    ],
)
def test_the_average_color_is_that_of_the_reference(name: str, color: tuple[float, ...]) -> None:
    assert thumbhash.average_color(reference(name)) == pytest.approx(color, abs=1e-15)


@pytest.mark.parametrize(
    ("size", "ratio"), [("100x67", 7 / 5), ("67x100", 5 / 7), ("100x100", 1), ("100x1", 7), ("1x100", 1 / 7)]
)
def test_the_aspect_ratio_is_known_in_sevenths(size: str, ratio: float) -> None:
    assert thumbhash.aspect_ratio(reference(f"quarters {size}")) == ratio


def test_a_picture_without_color_stays_without_color() -> None:
    pixels = thumbhash.decode(reference("horizontal 100x67"))
    colors = [pixels.rgba[at : at + 3] for at in range(0, len(pixels.rgba), 4)]
    assert max(max(color) - min(color) for color in colors) < 10  # six bits have no middle


@pytest.mark.parametrize(("width", "height"), [(101, 1), (1, 101), (0, 1), (1, 0), (-1, 1)])
def test_a_picture_of_another_size_is_refused(width: int, height: int) -> None:
    with pytest.raises(ValueError, match="1 to 100 on each side"):
        thumbhash.encode(width, height, bytes(max(0, width * height * 4)))


def test_pixels_that_are_missing_or_too_many_are_refused() -> None:
    for count in (0, 15, 17):
        with pytest.raises(ValueError, match="four for each"):
            thumbhash.encode(2, 2, bytes(count))


@pytest.mark.parametrize("name", ["quarters 100x67", "fading 67x100"])
def test_what_is_no_hash_is_refused(name: str) -> None:
    data = reference(name)
    wrong = [b"", data[:4], data[:-1], data + b"\0", bytes(26), data[:3] + bytes([data[3] & 0xF8]) + data[4:]]
    for each in wrong:
        for function in (thumbhash.decode, thumbhash.average_color, thumbhash.aspect_ratio):
            with pytest.raises(ValueError, match="ThumbHash"):
                function(each)


def test_the_cosine_is_exact_to_the_last_bit_but_one() -> None:
    for number in range(2000):
        x = number * 0.0123
        assert abs(cosine(x) - math.cos(x)) <= 2.3e-16
    # Values of JavaScript engines that the C library rounds otherwise, or that need the whole reduction.
    for x, expected in COSINES:
        assert cosine(x).hex() == expected
