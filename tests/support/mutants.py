"""Seeded mutants of valid picture files."""

import random
import struct
import zlib
from collections.abc import Callable
from functools import cache

from PIL import Image, ImageCms, ImageDraw

from tests.support.pictures import encoded, noise
from thumbs.image.transforms import ALL_FRAMES, Attention, Color, Crop, Fit, Transform, Trim

RECIPES = (
    Transform(40, 30, "jpeg", 80),
    Transform(format="png"),
    Transform(30, 50, "webp", 70, gravity=Attention.SMART),
    Transform(48, 48, "gif", fit=Fit.FILL, fill=Color(255, 255, 0, 128), dpr=1.5, frames=ALL_FRAMES),
    Transform(32, 32, "avif", 50, crop=Crop(10, 10, 90, 90, percent=True)),
    Transform(200, 100, "png", fit=Fit.STRETCH, rotate=90, blur=2),
    Transform(40, 40, "webp", 70, trim=Trim(20), frames=3),
)


def _picture(mode: str = "RGB") -> Image.Image:
    image = noise(64, 48).convert("RGBA")
    ImageDraw.Draw(image).ellipse((8, 8, 40, 40), fill=(200, 30, 60, 90), outline="white")
    return image.convert(mode)


@cache
def originals() -> dict[str, bytes]:
    """Small ones, so that every byte of them counts, with the metadata that real ones carry."""
    exif = Image.Exif()
    exif[0x0112] = 6
    frames = [noise(40, 30, seed) for seed in range(4)]
    animated: dict[str, object] = {"save_all": True, "append_images": frames[1:]}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    profile = profile[:24] + bytes(12) + profile[36:]  # the time when it was made (ICC.1, 7.2.8)
    return {
        "jpeg": encoded(_picture(), "JPEG", quality=85, exif=exif, icc_profile=profile),
        "jpeg-progressive": encoded(_picture("CMYK"), "JPEG", quality=85, progressive=True),
        "png": encoded(_picture("RGBA"), "PNG", exif=exif),
        "png-palette-interlaced": _interlaced_palette(),
        "webp": encoded(_picture("RGBA"), "WEBP", quality=70, exif=exif, icc_profile=profile),
        "webp-animated": encoded(frames[0], "WEBP", **animated),
        "gif": encoded(frames[0], "GIF", **animated),
        "avif": encoded(_picture("RGBA"), "AVIF", quality=70, exif=exif),
    }


def _interlaced_palette() -> bytes:
    """Pillow writes none: seven pictures one after the other (RFC 2083, 2.6)."""
    image = _picture("P")
    pixels = b""
    for x, y, across, down in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)):
        pixels += _rows(image, x, y, across, down)
    pixels += _rows(image, 0, 1, 1, 2)
    header = struct.pack(">IIBBBBB", *image.size, 8, 3, 0, 0, 1)
    chunks = (
        *((b"IHDR", header), (b"PLTE", bytes(image.getpalette() or ())), (b"tRNS", bytes(range(0, 256, 8)))),
        *((b"IDAT", zlib.compress(pixels)), (b"IEND", b"")),
    )
    return _PNG + b"".join(struct.pack(">I", len(data)) + kind + data + _crc(kind + data) for kind, data in chunks)


def _rows(image: Image.Image, x: int, y: int, across: int, down: int) -> bytes:
    width, height = image.size
    data = image.tobytes()
    return b"".join(b"\0" + data[row * width + x : (row + 1) * width : across] for row in range(y, height, down))


_PNG = b"\x89PNG\r\n\x1a\n"


_HEADER_BYTES = 320


# What is at the edges of numbers, and no UTF-8, whichever way round.
_WORDS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFEC328FF)


def _crc(data: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(data))


def _flip(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 1, 2, 8, 32))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _flip_in_header(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 2, 4))):
        data[_in_header(data, chance)] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))


def _splice(data: bytearray, chance: random.Random) -> None:
    """From some place on it is another file."""
    other = chance.choice(list(originals().values()))
    data[chance.randrange(len(data)) :] = other[chance.randrange(len(other)) :]


def _insert_from_another(data: bytearray, chance: random.Random) -> None:
    other = chance.choice(list(originals().values()))
    at, start = chance.randrange(len(data)), chance.randrange(len(other))
    data[at:at] = other[start : start + chance.choice((4, 16, 64, 256))]


def _truncate(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def _cut_out(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    del data[at : at + chance.choice((1, 2, 4, 16, 64, 256))]


def _duplicate(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    piece = data[at : at + chance.choice((4, 16, 64, 256, 1024))]
    data[at:at] = piece * chance.choice((1, 1, 2, 16))


def _insert_run(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    run = bytes([chance.choice((0, 255, chance.randrange(256)))]) * chance.choice((1, 3, 4, 17, 256, 5000))
    data[at:at] = run


def _swap_words(data: bytearray, chance: random.Random) -> None:
    one, other = (_in_header(data, chance) for _ in range(2))
    first, second = data[one : one + 4], data[other : other + 4]
    data[one : one + 4], data[other : other + 4] = second, first


def _set_word(data: bytearray, chance: random.Random) -> None:
    at = _in_header(data, chance)
    data[at : at + 4] = struct.pack(chance.choice(("<I", ">I")), chance.choice(_WORDS))


def _in_header(data: bytearray, chance: random.Random) -> int:
    return chance.randrange(min(len(data), _HEADER_BYTES))


_MUTATIONS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    *(_flip, _flip_in_header, _splice, _insert_from_another, _truncate, _cut_out),
    *(_duplicate, _insert_run, _swap_words, _set_word),
)


def mutant(seed: int) -> tuple[str, bytes, Transform | None]:
    """The mutant of that number: of which file it is, its bytes, and what is to be made of it.

    None stands for what is kept of an original where its thumbnails are made of a reduced one.
    """
    chance = random.Random(seed)
    name = list(originals())[seed % len(originals())]
    data = bytearray(originals()[name])
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        chance.choice(_MUTATIONS)(data, chance)
        data = data or bytearray(b"\0")
    if chance.random() < 0.7:
        _correct_sums(data)
    return name, bytes(data), chance.choice((*RECIPES, None))


def _correct_sums(data: bytearray) -> None:
    """Give the chunks of a PNG sums that fit, or nothing that is wrong in them would ever be looked at."""
    at = len(_PNG)
    while data.startswith(_PNG) and at + 12 <= len(data):
        end = at + 8 + int(struct.unpack(">I", data[at : at + 4])[0])
        if end + 4 > len(data):
            return
        data[end : end + 4] = _crc(bytes(data[at + 4 : end]))
        at = end + 4
