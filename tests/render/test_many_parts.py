"""Files of very many small parts, each of which costs a codec time or memory: they are refused unread."""

import struct
from collections.abc import Callable

import pytest

from tests.support.pictures import encoded, noise
from thumbs.errors import SourceOverLimit
from thumbs.image.formats import FORMATS
from thumbs.image.transforms import Transform
from thumbs.render.renderer import Renderer
from thumbs.render.values import RenderLimits

RENDERER = Renderer(inputs=frozenset(FORMATS))
PNG = encoded(noise(16, 16), "PNG")
TEXT = b"\0\0\0\3tEXta\0b" + bytes(4)
JPEG = encoded(noise(16, 16), "JPEG")
PROGRESSIVE = encoded(noise(16, 16), "JPEG", progressive=True)
WEBP = encoded(noise(16, 16), "WEBP")
AVIF = encoded(noise(16, 16), "AVIF")
FTYP = struct.unpack(">I", AVIF[:4])[0]
GIF_START = b"GIF89a\1\0\1\0\x80\0\0" + bytes(6)
GIF_FRAME = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\2\2\x4c\1\0"


def riff(data: bytes) -> bytes:
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


def svg(uses: int) -> bytes:
    """`uses` elements that use a part of as many: drawn once each, they would be `uses` times `uses`."""
    part = b"<g id='q'/><g id='p'>" + b"<use href='#q'/>" * uses + b"</g>"
    return (
        b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'>" + part + b"<use href='#p'/>" * uses + b"</svg>"
    )


# Each with the number of parts that is refused.
MANY: dict[str, tuple[Callable[[int], bytes], int]] = {
    "png chunks": (lambda count: PNG[:33] + (bytes(4) + b"prVt" + bytes(4)) * count + PNG[33:], 150_000),
    "png texts": (lambda count: PNG[:33] + TEXT * count + PNG[33:], 150_000),
    "jpeg application segments": (lambda count: JPEG[:2] + b"\xff\xe2\0\2" * count + JPEG[2:], 250_000),
    "jpeg segments behind the scans": (lambda count: PROGRESSIVE[:-2] + b"\xff\xe5\0\2" * count + b"\xff\xd9", 250_000),
    "webp chunks": (lambda count: riff(WEBP + b"ABCD\0\0\0\0" * count), 150_000),
    "avif boxes in front": (lambda count: AVIF[:FTYP] + b"\0\0\0\x08free" * count + AVIF[FTYP:], 15_000),
    "avif boxes behind": (lambda count: AVIF + b"\0\0\0\x08free" * count, 15_000),
    "gif frames": (lambda count: GIF_START + GIF_FRAME * count + b";", 150_000),
    "svg uses": (svg, 1000),
}


@pytest.mark.parametrize("kind", MANY)
def test_a_file_of_too_many_parts_is_refused(kind: str) -> None:
    build, too_many = MANY[kind]
    with pytest.raises(SourceOverLimit):
        RENDERER.render(build(too_many), Transform(10, 10, "png"), RenderLimits())


@pytest.mark.parametrize("kind", sorted(set(MANY) - {"gif frames", "avif boxes in front"}))
def test_a_file_of_many_parts_is_rendered(kind: str) -> None:
    build, too_many = MANY[kind]
    body = RENDERER.render(build(too_many // 10), Transform(10, 10, "png"), RenderLimits()).body
    assert body.startswith(b"\x89PNG")


def test_texts_between_other_chunks_are_left_out_and_all_others_stay() -> None:
    with_texts = PNG[:33] + TEXT + (bytes(4) + b"prVt" + bytes(4)) + TEXT * 2 + PNG[33:-12] + TEXT + PNG[-12:]
    made = [RENDERER.render(data, Transform(format="png"), RenderLimits()).body for data in (PNG, with_texts)]
    assert made[0] == made[1]
