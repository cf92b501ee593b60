"""Headers of JPEG XL files, written bit by bit, and generated files of every kind that the encoders here can write."""

import io
import struct
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from shutil import which
from typing import Any

from PIL import Image

SIGNATURE = b"\0\0\0\x0cJXL \r\n\x87\n"
FILE_TYPE = b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
SIDE = ((9, 1), (13, 1), (18, 1), (30, 1))
ENUM = ((0, 0), (0, 1), (4, 2), (6, 18))
COORDINATE = ((19, 0), (19, 524_288), (20, 1_048_576), (21, 2_097_152))
Choices = Sequence[tuple[int, int]]


class Bits:
    """Collects bits, the lowest of each byte first."""

    def __init__(self) -> None:
        self._bits: list[int] = []

    def put(self, value: int, count: int) -> "Bits":
        self._bits += [value >> place & 1 for place in range(count)]
        return self

    def choice(self, value: int, choices: Choices) -> "Bits":
        """A U32 in the first of its forms that can hold it."""
        number = next(n for n, (count, offset) in enumerate(choices) if 0 <= value - offset < 1 << count)
        count, offset = choices[number]
        return self.put(number, 2).put(value - offset, count)

    def flags(self, *flags: bool) -> "Bits":
        for flag in flags:
            self.put(flag, 1)
        return self

    def point(self, x: float, y: float) -> "Bits":
        for value in (round(x * 1_000_000), round(y * 1_000_000)):
            self.choice(2 * value if value >= 0 else -2 * value - 1, COORDINATE)
        return self

    def size(self, width: int, height: int) -> "Bits":
        """A size without a ratio."""
        return self.flags(False).choice(height, SIDE).put(0, 3).choice(width, SIDE)

    def packed(self) -> bytes:
        padded = self._bits + [0] * (-len(self._bits) % 8)
        return bytes(sum(padded[at + place] << place for place in range(8)) for at in range(0, len(padded), 8))


def codestream(bits: Bits) -> bytes:
    return b"\xff\x0a" + bits.packed()


def box(name: bytes, contents: bytes) -> bytes:
    return struct.pack(">I", len(contents) + 8) + name + contents


def container(*boxes: bytes) -> bytes:
    return SIGNATURE + FILE_TYPE + b"".join(boxes)


# ------------------------------------------------------------------------------------------------ generated files


@dataclass(frozen=True, slots=True)
class Sample:
    """A file, and the picture that it should show, upright, in sRGB. `loss` is the largest mean difference."""

    name: str
    data: bytes
    shown: Image.Image
    loss: float = 3.0


def scene(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """A smooth picture whose corners differ, so that a turned or swapped one is seen."""
    red = Image.linear_gradient("L").resize((width, height))
    green = Image.linear_gradient("L").rotate(90).resize((width, height))
    blue = Image.radial_gradient("L").resize((width, height))
    rgb = Image.merge("RGB", (red, green, blue))
    if mode == "RGBA":
        rgb.putalpha(Image.linear_gradient("L").rotate(180).resize((width, height)))
        return rgb
    return rgb if mode == "RGB" else rgb.convert(mode)


_SIZES = ((64, 48), (257, 131), (300, 200), (8, 256), (1, 1))
_KINDS = ("lossless", "container", "16-bits", "16-bits-lossless", "10-bits", "float")
# The names of what `by_imagecodecs` yields.
NAMES = (
    *(f"{mode}-{width}x{height}" for mode in ("L", "LA", "RGB", "RGBA") for width, height in _SIZES),
    *(f"{mode}-{kind}" for mode in ("L", "RGB", "RGBA") for kind in _KINDS),
    *("animation", "of-a-jpeg"),
)


def by_imagecodecs() -> Iterator[Sample]:
    """What imagecodecs writes: sRGB of every kind."""
    numpy: Any = import_module("numpy")
    encode: Any = import_module("imagecodecs").jpegxl_encode
    for mode in ("L", "LA", "RGB", "RGBA"):
        for width, height in _SIZES:
            picture = scene(width, height, mode)
            array = numpy.asarray(picture)
            yield Sample(f"{mode}-{width}x{height}", bytes(encode(array, distance=0.5, numthreads=1)), picture)
    for mode in ("L", "RGB", "RGBA"):
        picture = scene(90, 60, mode)
        array = numpy.asarray(picture)
        yield Sample(f"{mode}-lossless", bytes(encode(array, lossless=True, numthreads=1)), picture, 1.0)
        yield Sample(f"{mode}-container", bytes(encode(array, distance=0.5, usecontainer=True)), picture)
        # With more than 8 bits, imagecodecs says that the samples are linear light.
        value = array / 255
        light = numpy.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
        if mode == "RGBA":
            light[..., 3] = value[..., 3]
        deep = numpy.rint(light * 65_535).astype("uint16")
        yield Sample(f"{mode}-16-bits", bytes(encode(deep, distance=0.5, numthreads=1)), picture)
        yield Sample(f"{mode}-16-bits-lossless", bytes(encode(deep, lossless=True, numthreads=1)), picture, 1.0)
        ten = numpy.rint(light * 1023).astype("uint16")
        yield Sample(f"{mode}-10-bits", bytes(encode(ten, lossless=True, bitspersample=10)), picture, 2.0)
        bright = light.astype("float32")
        yield Sample(f"{mode}-float", bytes(encode(bright, lossless=True, numthreads=1)), picture, 1.0)
    frames = numpy.stack([numpy.asarray(scene(60, 40)), numpy.asarray(scene(60, 40).rotate(180))])
    yield Sample("animation", bytes(encode(frames, distance=0.5, numthreads=1)), scene(60, 40))
    jpeg = io.BytesIO()
    scene(120, 80).save(jpeg, "JPEG", quality=95, subsampling=0)
    again: Any = import_module("imagecodecs").jpegxl_encode_jpeg
    yield Sample("of-a-jpeg", bytes(again(jpeg.getvalue())), scene(120, 80))


CJXL = which("cjxl")


def by_cjxl(folder: Path, picture: Image.Image, *options: str, suffix: str = "png", **saved: object) -> bytes:
    """The file that Debian's `cjxl` writes."""
    source, made = folder / f"source.{suffix}", folder / "made.jxl"
    picture.save(source, **saved)  # type: ignore[arg-type]
    assert CJXL is not None
    subprocess.run([CJXL, str(source), str(made), *options], check=True, capture_output=True)
    return made.read_bytes()
