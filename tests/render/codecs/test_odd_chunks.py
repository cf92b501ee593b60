"""Leftovers of animations and odd orders of parts do not change a picture: Chromium 156 shows the same."""

import io
import struct
import zlib

import pytest
from PIL import Image

from tests.support.pictures import decoded, encoded, quarters
from tests.support.pixels import LIMITS, difference, rendered
from tests.support.png_files import RGB, png, scanlines
from tests.support.signaled_colors import chunk
from thumbs.image.transforms import Transform

WHOLE = Transform(format="png")
SIZE = WIDTH, HEIGHT = (16, 12)
ROWS = [[(15 * x) << 16 | (20 * y) << 8 | 8 * (x + y) for x in range(WIDTH)] for y in range(HEIGHT)]
PICTURE = quarters(48, 40)


def frames(count: int) -> bytes:
    return chunk(b"acTL", struct.pack(">II", count, 0))


def frame(number: int, width: int = WIDTH, height: int = HEIGHT) -> bytes:
    return chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, width, height, 0, 0, 1, 10, 0, 0))


def data(number: int) -> bytes:
    return chunk(b"fdAT", struct.pack(">I", number) + zlib.compress(scanlines([[0] * WIDTH] * HEIGHT, 24)))


def segment(code: int, content: bytes) -> bytes:
    return bytes((0xFF, code)) + struct.pack(">H", len(content) + 2) + content


def shown(file: bytes) -> Image.Image:
    return decoded(rendered(file, WHOLE, limits=LIMITS).body).convert("RGBA")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (frames(0), b""),
        (frames(0) + frame(0), frame(1) + data(2)),
        (frames(2), b""),
        (frames(2) + frame(0), frame(1) + data(2)),
        (frames(2) + frame(0), frame(9) + data(3)),
        (frame(0) + frames(2), frame(1) + data(2)),
        (frames(3) + frame(0), frame(1) + data(2)),
        (frames(2) + frame(0), frame(1, 99, 99) + data(2)),
        (frame(0), b""),
        (b"", frames(1)),
        (b"", data(0)),
        (chunk(b"acTL", b"\0"), chunk(b"fdAT", b"")),
        (frames(1)[:-1] + b"?", frame(1)[:-1] + b"?"),
    ],
)
def test_a_png_with_chunks_of_an_animation_shows_its_own_pixels(before: bytes, after: bytes) -> None:
    assert shown(png(ROWS, 8, RGB, before=before, after=after)).tobytes() == shown(png(ROWS, 8, RGB)).tobytes()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}])
@pytest.mark.parametrize("place", ["start", "frame", "end"])
def test_a_jpeg_shows_the_same_with_odd_but_legal_parts(place: str, options: dict[str, object]) -> None:
    plain = encoded(PICTURE, "JPEG", quality=92, **options)
    small = encoded(quarters(16, 12), "JPEG")
    at = next(found for code in (0xC0, 0xC2) if (found := plain.find(bytes((0xFF, code, 0)))) > 0)
    behind = at + 2 + int.from_bytes(plain[at + 2 : at + 4])
    cases = {
        "start": [
            plain[:2] + b"\xff" * 3 + plain[2:],
            plain[:2] + segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + small) + plain[2:],
            plain[:2] + segment(0xE2, b"MPF\0" + small) + plain[2:],
        ],
        "frame": [
            plain[:behind] + segment(0xEE, b"Adobe\0\x64\0\0\0\0\1") + plain[behind:],
            plain[:at] + b"\xff" * 5 + plain[at:],
        ],
        "end": [
            plain[:-2] + b"\xff" * 4 + plain[-2:],
            plain[:-2] + segment(0xDC, (40).to_bytes(2)) + plain[-2:],
            plain + b"trailing" * 100,
            plain + small,
        ],
    }
    expected = shown(plain)
    for file in cases[place]:
        assert difference(shown(file), expected) == 0


@pytest.mark.parametrize("lossless", [True, False])
def test_a_webp_shows_the_same_with_odd_chunks(lossless: bool) -> None:
    buffer = io.BytesIO()
    PICTURE.save(buffer, "WEBP", lossless=lossless)
    plain = buffer.getvalue()
    content = plain[12:]

    def riff(body: bytes) -> bytes:
        return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body

    odd = b"EXIF" + struct.pack("<I", 3) + b"abc"
    for file in (plain + b"m", plain + b"more" * 9, riff(content + odd + b"\0"), riff(content + odd + b"\x7f")):
        assert shown(file).tobytes() == shown(plain).tobytes()
