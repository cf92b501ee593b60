"""Profiles that littlecms must not read: the picture comes out as it does without a profile, in every container."""

import functools
import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from PIL import Image, TiffImagePlugin

from tests.support.avif_files import Item, avif
from tests.support.color import CONTAINERS, HALF, PATCHES, PROFILES, by_littlecms, chart, farthest, middles, profile
from tests.support.icc_profiles import REPEATS, bomb, curve, elements, pipeline, rgb_profile, table
from tests.support.pictures import decoded, encoded, noise
from tests.support.pixels import LIMITS, difference
from thumbs.errors import ThumbError
from thumbs.image.formats import FORMATS
from thumbs.image.transforms import Crop, Transform, Trim
from thumbs.render.renderer import Renderer
from thumbs.render.table import read_header

RENDERER = Renderer(inputs=frozenset(FORMATS))
P3 = PROFILES["p3"]
ALL_CONTAINERS: dict[str, dict[str, object]] = {**CONTAINERS, "TIFF": {}}
TRANSFORMS = (
    HALF,
    replace(HALF, crop=Crop(0, 0, 200, 150)),
    Transform(100, 75, "png", trim=Trim(1)),
    Transform(format="png"),
)


@functools.lru_cache(maxsize=64)
def body(data: bytes, transform: Transform = HALF) -> bytes:
    return RENDERER.render(data, transform, LIMITS).body


def assert_counts_as_absent(with_profile: bytes, without: bytes) -> None:
    for transform in TRANSFORMS:
        assert body(with_profile, transform) == body(without, transform), transform
    assert RENDERER.make_proxy(with_profile, LIMITS) == RENDERER.make_proxy(without, LIMITS)


@pytest.mark.parametrize("repeats", REPEATS)
@pytest.mark.parametrize("container", ALL_CONTAINERS)
def test_a_bomb_counts_as_no_profile(container: str, repeats: int) -> None:
    image, options = chart(PATCHES), ALL_CONTAINERS[container]
    data = encoded(image, container, icc_profile=bomb(repeats), **options)
    assert_counts_as_absent(data, encoded(image, container, **options))


@pytest.mark.parametrize("name", [b"D2B0", b"D2B1", b"A2B0", b"A2B1"])
def test_elements_in_a_tag_of_a_conversion_count_as_no_profile(name: bytes) -> None:
    image = chart(PATCHES)
    assert_counts_as_absent(encoded(image, "PNG", icc_profile=bomb(10, name)), encoded(image, "PNG"))


@pytest.mark.parametrize("name", [b"desc", b"priv", b"wtpt", b"chad"])
def test_elements_in_any_other_tag_are_left_out(name: bytes) -> None:
    image = chart(PATCHES)
    wanted = body(encoded(image, "PNG", icc_profile=rgb_profile({})))
    assert body(encoded(image, "PNG", icc_profile=bomb(100_000, name))) == wanted


def test_a_frame_of_an_animation_is_not_converted_by_a_bomb() -> None:
    frames = [noise(60, 40, seed) for seed in range(4)]
    transform = Transform(30, 20, "webp", 80, frames=4)
    made = []
    for options in ({}, {"icc_profile": bomb(1000)}):
        data = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True, **options)
        made.append(body(data, transform))
    assert made[0] == made[1]


@pytest.mark.parametrize("container", ["JPEG", "TIFF"])
def test_ink_with_a_bomb_is_printed_as_ink_without_a_profile(container: str) -> None:
    image = chart([(*patch, 20) for patch in PATCHES], "CMYK")
    tags = {b"A2B0": table(1, 2, inputs=4), b"D2B1": elements(1)}
    data = encoded(image, container, icc_profile=profile(b"prtr", b"CMYK", tags, pcs=b"Lab "))
    assert_counts_as_absent(data, encoded(image, container))


# ------------------------------------------------------------------------------ several pictures in one file


def pyramid(*levels: tuple[Image.Image, bytes]) -> bytes:
    """A TIFF with a picture and a profile in each directory."""
    buffer = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(buffer, new=True) as writer:
        for image, icc_profile in levels:
            image.save(writer, "TIFF", **({"icc_profile": icc_profile} if icc_profile else {}))
            writer.newFrame()
    return buffer.getvalue()


@pytest.mark.parametrize("first", [P3, bomb(1)], ids=["good", "bomb"])
def test_a_level_of_a_tiff_pyramid_brings_no_profile_of_its_own(first: bytes) -> None:
    large = chart(PATCHES)
    small = large.resize((large.width // 2, large.height // 2), Image.Resampling.BOX)
    made = body(pyramid((large, first), (small, bomb(1000))))
    shown = by_littlecms(large, P3) if first == P3 else large
    assert farthest(middles(decoded(made)), middles(shown)) < 1


def test_a_level_of_a_pyramid_of_ink_brings_no_profile_either() -> None:
    large = chart([(*patch, 20) for patch in PATCHES], "CMYK")
    small = large.resize((large.width // 2, large.height // 2), Image.Resampling.BOX)
    strange = profile(b"prtr", b"CMYK", {b"A2B0": table(1, 2, inputs=4), b"D2B1": elements(1)}, pcs=b"Lab ")
    assert body(pyramid((large, b""), (small, strange))) == body(encoded(large, "TIFF"))


@pytest.mark.parametrize("kinds", [(b"prof", b"prof"), (b"rICC", b"prof"), (b"prof", b"rICC")])
@pytest.mark.parametrize("order", [0, 1])
def test_of_several_profiles_in_an_avif_no_bomb_is_read(kinds: tuple[bytes, bytes], order: int) -> None:
    """Which of them counts is libheif's choice: the bomb is never read, whichever it is."""
    image = chart(PATCHES)
    profiles = (P3, bomb(1000)) if order == 0 else (bomb(1000), P3)
    data = avif(Item(image, tuple(zip(kinds, profiles, strict=True))))
    assert body(data) in (body(avif(Item(image))), body(avif(Item(image, ((b"prof", P3),)))))


def test_the_thumbnail_in_an_avif_brings_no_profile_of_its_own() -> None:
    large, small = chart(PATCHES), chart(PATCHES).resize((160, 106), Image.Resampling.BOX)
    good = avif(Item(large, ((b"prof", P3),)), Item(small))
    data = avif(Item(large, ((b"prof", P3),)), Item(small, ((b"prof", bomb(1000)),)))
    assert body(data, Transform(60, 40, "png")) == body(good, Transform(60, 40, "png"))


@pytest.mark.parametrize("size", [(1200, 800), (90, 60)])
def test_the_thumbnail_in_an_avif_is_not_decoded(size: tuple[int, int]) -> None:
    """Its size is within no limit, and it may show something else."""
    picture = Image.new("RGB", (120, 80), (200, 30, 40))
    data = avif(Item(picture), Item(Image.new("RGB", size, (10, 200, 90))))
    assert read_header(data, frozenset({"avif"})).size == (120, 80)
    shown = decoded(body(data, Transform(60, 40, "png"))).convert("RGB").getpixel((30, 20))
    assert isinstance(shown, tuple)
    assert max(abs(a - b) for a, b in zip(shown, (200, 30, 40), strict=True)) < 6


# ------------------------------------------------------------------------------------ parts of one profile


def jpeg_with(parts: list[tuple[int, int, bytes]]) -> bytes:
    """A JPEG with ICC segments of (number, total, data): ICC.1:2022, B.4."""
    plain = encoded(chart(PATCHES), "JPEG", quality=98, subsampling=0)
    segments = b"".join(
        struct.pack(">HH", 0xFFE2, 16 + len(data)) + b"ICC_PROFILE\0" + bytes((number, total)) + data
        for number, total, data in parts
    )
    return plain[:2] + segments + plain[2:]


PART = len(P3) // 3 + 1
P3_PARTS = [P3[at : at + PART] for at in range(0, len(P3), PART)]
SPLIT: dict[str, list[tuple[int, int, bytes]]] = {
    "out of order": [(3, 3, P3_PARTS[2]), (1, 3, P3_PARTS[0]), (2, 3, P3_PARTS[1])],
    "twice": [(number, 3, part) for number, part in enumerate(P3_PARTS, 1) for _ in range(2)],
    "one missing": [(1, 3, P3_PARTS[0]), (3, 3, P3_PARTS[2])],
    "the last missing": [(1, 3, P3_PARTS[0]), (2, 3, P3_PARTS[1])],
    "number 0": [(0, 1, P3)],
    "number over the total": [(2, 1, P3)],
    "empty": [(1, 1, b"")],
    "a bomb after it": [(1, 1, P3), (1, 1, bomb(1000))],
    "a bomb before it": [(1, 1, bomb(1000)), (1, 1, P3)],
}


@pytest.mark.parametrize("kind", SPLIT)
def test_a_profile_in_parts_is_read_whole_or_not_at_all(kind: str) -> None:
    with_p3 = encoded(chart(PATCHES), "JPEG", quality=98, subsampling=0, icc_profile=P3)
    without = encoded(chart(PATCHES), "JPEG", quality=98, subsampling=0)
    found = decoded(body(jpeg_with(SPLIT[kind])))
    # libjpeg-turbo leaves such a file to libvips, whose pixels may differ by a level.
    assert min(difference(found, decoded(body(each))) for each in (with_p3, without)) < 0.5


def test_a_profile_in_the_right_parts_is_used() -> None:
    data = jpeg_with([(number, 3, part) for number, part in enumerate(P3_PARTS, 1)])
    assert body(data) == body(encoded(chart(PATCHES), "JPEG", quality=98, subsampling=0, icc_profile=P3))


def test_a_chunk_that_inflates_to_hundreds_of_megabytes_counts_as_no_profile() -> None:
    plain = encoded(chart(PATCHES), "PNG")
    packer = zlib.compressobj(1)
    head = struct.pack(">I", 300_000_000) + rgb_profile({})[4:]
    packed = b"".join((packer.compress(head), *(packer.compress(bytes(10**6)) for _ in range(300)), packer.flush()))
    content = b"iCCPx\0\0" + packed
    chunk = struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
    assert body(plain[:33] + chunk + plain[33:]) == body(plain)


# --------------------------------------------------------------------------------------- what is let through


USED: dict[str, Callable[[], bytes]] = {
    "matrix": lambda: rgb_profile({}),
    "curves": lambda: rgb_profile(dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve(4096))),
    "mft1": lambda: rgb_profile({b"A2B0": table(1, 111)}, pcs=b"Lab "),
    "mft2": lambda: rgb_profile({b"A2B0": table(2, 20, entries=(4096, 4096))}, pcs=b"Lab "),
    "mAB": lambda: rgb_profile({b"A2B0": pipeline(b"mAB ", (88, 88, 88))}, pcs=b"Lab "),
    "of a camera": lambda: rgb_profile({b"tech": b"sig \0\0\0\0dcam", b"view": b"view" + bytes(32)}),
}


@pytest.mark.parametrize("kind", USED)
@pytest.mark.parametrize("container", ["PNG", "WEBP"])
def test_every_type_that_is_let_through_is_used(kind: str, container: str) -> None:
    image, options = chart(PATCHES), CONTAINERS[container]
    data = encoded(image, container, icc_profile=USED[kind](), **options)
    assert farthest(middles(decoded(body(data))), middles(by_littlecms(image, USED[kind]()))) < 1
    assert body(data) != body(encoded(image, container, **options))


def test_a_damaged_profile_does_not_make_a_picture_broken() -> None:
    """Types as bits flip in them: littlecms opens the profile and fails to convert by it."""
    image = chart(PATCHES)
    plain, whole = (body(encoded(image, "JPEG", icc_profile=each)) for each in (None, rgb_profile({})))
    for name, wanted in ((b"rTRC", plain), (b"rXYZ", plain), (b"chad", whole)):
        data = encoded(image, "JPEG", icc_profile=rgb_profile({name: b"\x72\xb5\x1a\x1a" + bytes(40)}))
        try:
            assert body(data) == wanted
        except ThumbError as error:
            pytest.fail(f"{name!r}: {error!r}")
