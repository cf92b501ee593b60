"""AVIF pictures of every range, depth and kind of alpha, and what they show by libavif: an independent oracle."""

import io
from dataclasses import replace

import pyvips
from PIL import Image, ImageOps

from tests.support.avif_files import Part, Reference, parts_of
from tests.support.pictures import decoded, encoded
from tests.support.pixels import rendered
from thumbs.image.transforms import Transform

SIDE = 64
ALPHA: Reference = (b"auxl", 2, (1,))
PREMULTIPLIED: Reference = (b"prem", 1, (2,))
WHOLE = Transform(format="png")
# How many bits of a sequence header are between its range and its end (AV1, 5.5.1 and 5.5.2); one more in profile 2.
_BEHIND_RANGE = {"gray": 1, "4:4:4": 2}


def drawing(*, width: int = SIDE, height: int = SIDE) -> Image.Image:
    """Soft colors and soft alpha, of which no part equals its mirror image."""
    across, down = Image.linear_gradient("L").rotate(90).resize((width, height)), Image.linear_gradient("L")
    down = down.resize((width, height))
    red = across.point(lambda level: 60 + level // 2)
    green, blue = down.point(lambda level: 90 + level // 3), across.point(lambda level: 170 - level // 4)
    return Image.merge("RGBA", (red, green, blue, down.point(lambda level: 40 + level * 4 // 5)))


def coded(image: Image.Image, *, depth: int = 8, premultiplied: bool = False) -> list[Part]:
    """The picture, full range and 4:4:4, and its alpha if it has any. Deep ones are written by libheif."""
    if depth == 8:
        data = encoded(
            image, "AVIF", quality=95, speed=10, subsampling="4:4:4", alpha_premultiplied=premultiplied, exif=b""
        )
    else:
        source = pyvips.Image.new_from_memory(image.tobytes(), *image.size, len(image.getbands()), "uchar")
        deep = (source * 257).cast("ushort").copy(interpretation="rgb16")
        if premultiplied:
            deep = deep.premultiply(max_alpha=65_535).rint().cast("ushort").copy(interpretation="rgb16")
        options = {"compression": "av1", "bitdepth": depth, "Q": 95, "effort": 0, "subsample_mode": "off"}
        data = deep.heifsave_buffer(**options)
    return [part for part in parts_of(data) if part.kind == b"av01"]


def gray(*, depth: int = 8, image: Image.Image | None = None) -> Part:
    """A picture without colors: the alpha of another one."""
    source = drawing() if image is None else image
    opaque = source.convert("RGB")
    opaque.putalpha(source.convert("L"))
    return coded(opaque, depth=depth)[1].without(b"auxC")


def in_limited_range(part: Part, kind: str) -> Part:
    """`part` whose sequence header says that its samples have the limited range; `kind` is `gray` or `4:4:4`."""
    data = bytearray(part.data)
    start = data.index(b"\x0a") + 2  # the type of the unit and its size
    end = start + data[start - 1]
    header = int.from_bytes(data[start:end], "big")
    trailing = (header & -header).bit_length() - 1
    place = trailing + 1 + _BEHIND_RANGE[kind] + (kind != "gray" and data[start] >> 5 == 2)
    assert header >> place & 1, "it has the full range"
    data[start:end] = (header & ~(1 << place)).to_bytes(end - start, "big")
    return replace(part, data=bytes(data))


def shown_by_libavif(data: bytes) -> Image.Image:
    """What libavif shows, upright, in 8 bits; it turns colors and alpha together."""
    image = Image.open(io.BytesIO(data))
    return ImageOps.exif_transpose(image).convert("RGBA")


def shown(data: bytes) -> Image.Image:
    """What the renderer shows at the size of the original."""
    return decoded(rendered(data, WHOLE).body).convert("RGBA")


def largest_difference(one: Image.Image, other: Image.Image) -> float:
    """The largest difference of mean levels in a grid of 8 by 8, over black, over white, and of alpha alone."""
    assert one.size == other.size
    worst = 0
    for mode in ("black", "white", "alpha"):
        grids = [_means(image, mode) for image in (one, other)]
        worst = max(worst, *(abs(a - b) for a, b in zip(*grids, strict=True)))
    return worst


def _means(image: Image.Image, mode: str) -> bytes:
    if mode == "alpha":
        plain = image.getchannel("A").convert("RGB")
    else:
        plain = Image.alpha_composite(Image.new("RGBA", image.size, mode), image).convert("RGB")
    return plain.resize((8, 8), Image.Resampling.BOX).tobytes()
