"""What a TIFF announces and no decoder reads is told from the header: 415, not 422 and never 500."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import tiff_files as tf
from tests.support.tiff_files import Tiff, tiff
from thumbs.errors import RenderFailed, SourceBroken, SourceUnsupported, ThumbError
from thumbs.image.formats import FORMATS
from thumbs.image.transforms import Color, Transform
from thumbs.render.renderer import Renderer
from thumbs.render.tiff.announced import DECODED
from thumbs.render.tiff.samples import read_samples
from thumbs.render.values import RenderLimits

INPUTS = frozenset(FORMATS)
OLD_JPEG, PIXAR_LOG, JBIG, LERC, LZMA, ZSTD, JPEG_2000 = 6, 32909, 34661, 34887, 34925, 50000, 34712


def solid(*pixel: float, **options: object) -> Tiff:
    return Tiff([[pixel] * 8 for _ in range(8)], **options)  # type: ignore[arg-type]


def render(data: bytes) -> None:
    Renderer(INPUTS).render(data, Transform(format="jpeg", quality=80, background=Color(1, 2, 3)), RenderLimits())


@pytest.mark.parametrize(
    "page",
    [
        *(
            solid(1, 2, 3, compression=code)
            for code in (OLD_JPEG, PIXAR_LOG, JBIG, LERC, LZMA, ZSTD, JPEG_2000, 60_000)
        ),
        *(solid(1, photometric=tf.MIN_IS_BLACK, bits=bits) for bits in (3, 10, 12, 14, 24, 64)),
        solid(1.0, photometric=tf.MIN_IS_BLACK, bits=64, sample_format=tf.FLOATING),
        solid(1, photometric=tf.MIN_IS_BLACK, bits=8, sample_format=tf.FLOATING),
        solid(1, photometric=tf.MIN_IS_BLACK, bits=4, sample_format=tf.SIGNED),
        solid(1, photometric=tf.MIN_IS_BLACK, bits=32, sample_format=tf.COMPLEX_INT),
        solid(1, photometric=tf.MIN_IS_BLACK, bits=32, sample_format=tf.COMPLEX_FLOAT),
        solid(1, photometric=tf.MIN_IS_BLACK, bits=8, sample_format=9),
        solid(1, 2, 3, bits=4),
        solid(1, 2, 3, tags={258: (tf.SHORT, [8, 8, 16])}),
        solid(1, 2, 3, tags={339: (tf.SHORT, [1, 1, 2])}),
        solid(1, 2, 3, planar=True, tile=16),
        *(solid(1, 2, 3, photometric=kind) for kind in (tf.ITULAB, 7, 32803, 34892, 60_000)),
        *(solid(1, 2, 3, photometric=kind) for kind in (tf.SEPARATED, tf.PALETTE, tf.LOG_LUV, tf.LOG_L)),
        *(solid(1, 2, photometric=kind) for kind in (tf.RGB, tf.YCBCR, tf.CIELAB)),
        solid(1, 2, 3, 4, photometric=tf.YCBCR, extra=[0]),
        Tiff([[(0,) * 1001] * 2] * 2),
    ],
)
@pytest.mark.parametrize("big", [False, True])
def test_what_is_announced_and_not_decoded_is_unsupported(page: Tiff, *, big: bool) -> None:
    fields = {name: getattr(page, name) for name in tuple(page.__dataclass_fields__)}
    with pytest.raises(SourceUnsupported):
        render(tiff(Tiff(**{**fields, "big": big})))


def test_a_file_of_a_known_kind_with_damaged_samples_is_broken() -> None:
    whole = tiff(solid(1, 2, 3, 4, 5, extra=[0, 0], compression=tf.ADOBE_DEFLATE))
    at = whole.index(b"x\x9c")
    with pytest.raises(SourceBroken):
        render(whole[:at] + bytes(20) + whole[at + 20 :])


@pytest.mark.parametrize(("kind", "value"), [(tf.BYTE, [2]), (tf.LONG, [2]), (tf.RATIONAL, [2, 1]), (tf.FLOAT, [2.0])])
def test_tags_of_other_types_than_usual_are_read_and_replaced(kind: int, value: list[float]) -> None:
    extra = value * 2
    page = solid(9, 8, 7, 6, 5, tags={262: (kind, value), 338: (kind, extra)})
    data = tiff(page)
    samples = read_samples(data)
    assert samples is not None
    assert (samples.alpha, samples.bands, samples.colors) == (3, 5, 3)
    assert len(samples.patched(data)) == len(data)
    try:
        render(data)
    except ThumbError as error:  # libtiff refuses some types
        assert error.status == 422  # noqa: PT017


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
@pytest.mark.parametrize("tag", [258, 259, 262, 277, 284, 332, 338, 339, 340, 341, 529, 530, 532])
def test_a_tag_that_is_no_number_is_no_more_than_a_refusal(tag: int, number: float) -> None:
    page = solid(0.5, photometric=tf.MIN_IS_BLACK, bits=32, sample_format=tf.FLOATING, tags={tag: (tf.FLOAT, [number])})
    try:
        render(tiff(page))
    except ThumbError as error:
        assert error.status in (415, 422)  # noqa: PT017


def test_a_file_without_a_color_space_is_broken() -> None:
    with pytest.raises(SourceBroken):
        render(tiff(solid(1, 2, 3, tags={262: None})))


# Pillow writes files of LZW, PackBits and JPEG: tests/render/tiff/test_pixels.py. The others need samples of their own.
@pytest.mark.parametrize("code", sorted(DECODED - {5, 7, 32766, 32773, 32809, 34676, 34677, 50001}))
def test_each_compression_that_counts_as_decoded_has_a_decoder(code: int) -> None:
    bits = 1 if code in (2, 3, 4, 32771) else 8
    render(tiff(solid(0, photometric=tf.MIN_IS_BLACK, bits=bits, compression=code)))


@settings(deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0, 1, 2, 5]))
def test_no_damage_to_the_tags_is_more_than_a_refusal(seed: int, extra: int) -> None:
    """An answer of 200, 415 or 422, or 400 for a side that is too large now: `RenderFailed` would be a 500."""
    chance = random.Random(seed)
    page = solid(*range(3 + extra), extra=[0] * extra or None, planar=chance.random() < 0.3, big=chance.random() < 0.3)
    data = bytearray(tiff(page, solid(1, 2, 3, 4)))
    for _ in range(chance.randrange(1, 6)):
        data[chance.randrange(4, min(len(data), 260))] = chance.choice((0, 1, 2, 3, 8, 16, 32, 127, 255))
    try:
        render(bytes(data))
    except RenderFailed:
        raise
    except ThumbError as error:
        assert error.status in (400, 413, 415, 422)  # noqa: PT017


@given(st.binary(max_size=400), st.sampled_from([b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"]))
def test_any_bytes_are_read_without_an_error(rest: bytes, magic: bytes) -> None:
    try:
        found = read_samples(magic + rest)
    except SourceUnsupported:
        return
    assert found is None or found.patched(magic + rest)[:4] == magic
