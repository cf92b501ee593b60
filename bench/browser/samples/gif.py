"""GIF: frames that leave parts of the canvas free, disposal, transparency, interlacing, palettes (GIF89a)."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image

from bench.browser.samples.drawing import colors

Sample = tuple[str, bytes]
_CANVAS = (60, 40)
_TRAILER = b";"


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame at `left`, `top` of the canvas, with a color that is transparent, and what follows it (0 to 7)."""

    size: tuple[int, int] = _CANVAS
    left: int = 0
    top: int = 0
    transparent: int | None = None
    disposal: int = 0
    interlaced: bool = False
    own_palette: bool = False
    extension: bool = True

    def data(self) -> bytes:
        image = colors(self.size).quantize(16, dither=Image.Dither.NONE)
        flags = self.disposal << 2 | (self.transparent is not None)
        extension = b"!\xf9\x04" + struct.pack("<BHBB", flags, 10, self.transparent or 0, 0)
        packed = 0x40 * self.interlaced | (0x83 if self.own_palette else 0)
        place = b"," + struct.pack("<4HB", self.left, self.top, *self.size, packed)
        palette = _palette(image) if self.own_palette else b""
        return (extension if self.extension else b"") + place + palette + _compressed(self._lines(image))

    def _lines(self, image: Image.Image) -> bytes:
        width, height = image.size
        rows = [image.tobytes()[start : start + width] for start in range(0, width * height, width)]
        if self.interlaced:
            rows = [*rows[0::8], *rows[4::8], *rows[2::4], *rows[1::2]]
        return b"".join(rows)


def file(
    frames: Sequence[Frame], *, canvas: tuple[int, int] = _CANVAS, background: int = 5, trailer: bytes = _TRAILER
) -> bytes:
    palette = _palette(colors(_CANVAS).quantize(16, dither=Image.Dither.NONE))
    head = b"GIF89a" + struct.pack("<HHBBB", *canvas, 0x80 | 3, background, 0) + palette
    loop = b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0" if len(frames) > 1 else b""
    return head + loop + b"".join(frame.data() for frame in frames) + trailer


def samples() -> Iterator[Sample]:
    """Names and contents."""
    kinds = {
        "whole": Frame(),
        "whole-no-extension": Frame(extension=False),
        "interlaced": Frame(interlaced=True),
        "own-palette": Frame(own_palette=True),
        "transparent": Frame(transparent=3),
        "transparent-background": Frame(transparent=5),
        "small": Frame((20, 20), 10, 5),
        "small-interlaced": Frame((20, 21), 10, 5, interlaced=True),
        "small-no-extension": Frame((20, 20), 10, 5, extension=False),
        "small-transparent": Frame((20, 20), 10, 5, transparent=3),
        "beyond-right": Frame((50, 20), 30, 5),
        "beyond-bottom": Frame((20, 50), 5, 20),
        "outside": Frame((20, 20), 100, 100),
        "larger": Frame((90, 70)),
    }
    for name, frame in kinds.items():
        yield f"gif/{name}.gif", file([frame])
        yield f"gif/{name}-no-trailer.gif", file([frame], trailer=b"")
        yield f"gif/{name}-animated.gif", file([frame, Frame((10, 10), 2, 2)])
        for disposal in range(5):
            first = Frame(frame.size, frame.left, frame.top, frame.transparent, disposal)
            second, third = Frame((30, 20), 5, 5, transparent=2, disposal=disposal), Frame((15, 30), 40, 3)
            yield f"gif-disposal/{name}-{disposal}.gif", file([first, second, third])
    yield "gif/canvas-0.gif", file([Frame()], canvas=(0, 0))
    yield "gif/background-beyond.gif", file([Frame((20, 20), 10, 5)], background=200)
    yield "gif/no-frames.gif", file([])


def _palette(image: Image.Image) -> bytes:
    return bytes(image.getpalette() or ())[:48].ljust(48, b"\0")


def _compressed(indexes: bytes) -> bytes:
    """LZW without compression: a clear code before the table grows to codes of six bits."""
    size, clear, end = 4, 16, 17
    bits, width = 0, 0
    for number, index in enumerate(indexes):
        if number % 12 == 0:
            bits |= clear << width
            width += size + 1
        bits |= index << width
        width += size + 1
    bits |= end << width
    width += size + 1
    data = bits.to_bytes((width + 7) // 8, "little")
    blocks = b"".join(bytes((len(part),)) + part for part in (data[at : at + 255] for at in range(0, len(data), 255)))
    return bytes((size,)) + blocks + b"\0"
