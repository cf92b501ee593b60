"""Stored originals are checked like those that are rendered, and stay as they are."""

from dataclasses import replace

import pytest

from tests.support.pictures import encoded, quarters
from thumbs.errors import SourceBroken, SourceOverLimit, SourceUnsupported
from thumbs.image.transforms import ORIGINAL, Transform
from thumbs.render.renderer import BoundRenderer, Renderer
from thumbs.render.values import RenderLimits, SourceLimits

STORED = Transform(format=ORIGINAL)


def _render(data: bytes, limits: RenderLimits | None = None) -> bytes:
    return BoundRenderer(Renderer(), limits or RenderLimits())(data, STORED, fallback=None).body


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF"])
def test_the_bytes_are_those_of_the_original(name: str) -> None:
    data = encoded(quarters(60, 40), name)
    picture = BoundRenderer(Renderer(), RenderLimits())(data, STORED, fallback=None)
    assert (picture.body, picture.format) == (data, name.lower())


def test_what_is_no_picture_or_not_decoded_here_is_refused() -> None:
    for data in (b"", b"<html>", b"<svg xmlns='http://www.w3.org/2000/svg'/>", encoded(quarters(60, 40), "TIFF")):
        with pytest.raises(SourceUnsupported):
            _render(data)


def test_a_broken_header_is_refused() -> None:
    with pytest.raises(SourceBroken):
        _render(encoded(quarters(60, 40), "PNG")[:20])


def test_the_limits_are_those_of_a_render() -> None:
    data = encoded(quarters(60, 40), "JPEG")
    small = replace(RenderLimits(), source=SourceLimits(pixels=2399))
    with pytest.raises(SourceOverLimit):
        _render(data, small)
    assert _render(data, replace(small, source=SourceLimits(pixels=2400))) == data


def test_all_frames_of_an_animation_count() -> None:
    data = encoded(
        quarters(60, 40), "GIF", save_all=True, append_images=[quarters(60, 40).rotate(9 * n) for n in range(1, 10)]
    )
    with pytest.raises(SourceOverLimit):
        _render(data, RenderLimits(SourceLimits(frames=5)))
    assert _render(data) == data
