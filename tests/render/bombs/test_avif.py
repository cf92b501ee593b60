"""The items of an AVIF: what libvips writes is never refused, and overlapping extents are."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support.hostile import FILES
from tests.support.pictures import encoded, noise
from tests.support.strategies import examples
from thumbs.errors import SourceOverLimit
from thumbs.image.transforms import Transform
from thumbs.render.bombs.avif import is_bomb
from thumbs.render.renderer import Renderer
from thumbs.render.values import RenderLimits

BOMBS = [file for file in FILES if file.name.startswith("avif-metadata")]
GOOD = encoded(noise(64, 48), "AVIF")


@pytest.mark.parametrize("file", BOMBS, ids=[file.name for file in BOMBS])
def test_a_file_that_names_its_bytes_again_and_again_is_refused_unread(file: object) -> None:
    data = file.build()  # type: ignore[attr-defined]
    assert is_bomb(data)
    with pytest.raises(SourceOverLimit):
        Renderer().render(data, Transform(10, 10, "png"), RenderLimits())


def test_pictures_of_every_kind_are_read() -> None:
    exif = Image.Exif()
    exif[0x010E] = "x" * 60_000
    with_alpha = noise(64, 48).convert("RGBA")
    frames = [noise(64, 48, seed) for seed in range(5)]
    pictures = [
        GOOD,
        encoded(noise(64, 48), "AVIF", exif=exif, xmp=b"<x/>" * 1000, icc_profile=bytes(3000)),
        encoded(with_alpha, "AVIF"),
        encoded(frames[0], "AVIF", save_all=True, append_images=frames[1:]),
    ]
    assert not [data for data in pictures if is_bomb(data)]


@settings(max_examples=examples(300))
@given(st.binary(max_size=60), st.integers(0, len(GOOD)), st.integers(0, 20))
def test_no_bytes_whatever_make_it_fail(put_in: bytes, at: int, taken_out: int) -> None:
    assert is_bomb(GOOD[:at] + put_in + GOOD[at + taken_out :]) in (True, False)
    assert is_bomb(put_in) in (True, False)
