"""Reads the file of a picture with Pillow: its size as it is shown, and a placeholder. An EXIF orientation is applied.

Pillow, because Django's ImageField requires it, and a web process must not load libvips.
"""

from typing import IO, TYPE_CHECKING, Any, NamedTuple

from thumbs.image.limits import MAX_WHOLE_PIXELS
from thumbs.image.placeholders.thumbhash import MAX_SIDE, encode

if TYPE_CHECKING:
    from PIL.Image import Image

_ORIENTATION = 0x0112  # EXIF 2.32, 4.6.4
_SIDEWAYS = (5, 6, 7, 8)
# Formats whose pixels are decoded: those that thumbnails are made of. Pillow runs Ghostscript for others.
_DECODED = {"JPEG", "MPO", "PNG", "WEBP", "GIF", "AVIF", "TIFF"}
# What turns the stored pixels upright, as members of Pillow's `Transpose`, by the EXIF orientation.
_TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}


class Unreadable(ValueError):
    """Pillow cannot read the file. The message says why, as the end of a sentence that begins with the file's name."""


class Upright(NamedTuple):
    """The size in pixels, upright, and the ThumbHash: empty where none was wanted, or the picture is too large."""

    size: tuple[int, int]
    placeholder: bytes = b""


def read(file: IO[bytes] | Any, *, placeholder: bool = False) -> Upright:
    """Size and placeholder of the picture in `file`, which is read from its beginning. Raises `Unreadable`.

    Without a placeholder only headers are read.
    """
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - a site without image fields need not have it

    try:
        file.seek(0)
        with Image.open(file) as image:
            orientation = _orientation(image)
            size = (image.height, image.width) if orientation in _SIDEWAYS else image.size
            return Upright(size, _placeholder(image, orientation) if placeholder else b"")
    except UnidentifiedImageError as error:
        raise Unreadable("is no picture that Pillow can read") from error
    except Exception as error:
        # Damaged files raise anything, from SyntaxError to struct.error.
        raise Unreadable(f"cannot be read: {type(error).__name__}: {' '.join(str(error).split())[:200]}") from error


def _orientation(image: "Image") -> int:
    """That of EXIF, 1 to 8, where libvips finds it: not in XMP or behind the pixels of a PNG, as `getexif()` does."""
    from PIL.Image import Exif  # noqa: PLC0415

    if image.format == "TIFF":
        return 1  # Pillow has applied it
    exif = Exif()
    try:
        exif.load(image.info.get("exif") or b"")
        return int(exif.get(_ORIENTATION, 1))
    except Exception:  # EXIF is wrong in many ways, and the picture is shown as it lies
        return 1


def _placeholder(image: "Image", orientation: int) -> bytes:
    from PIL.Image import Transpose  # noqa: PLC0415

    if image.format not in _DECODED:
        return b""
    image.draft("RGB", (MAX_SIDE, MAX_SIDE))
    # Pillow holds all of them in memory, as the renderer holds those under `max_whole_megapixels`. (Of a JPEG it
    # decodes an eighth of each side.)
    if image.width * image.height > MAX_WHOLE_PIXELS:
        return b""
    image.load()
    small = _resizable(image)
    small.thumbnail((MAX_SIDE, MAX_SIDE))
    small = small.convert("RGBA")
    turn = _TURNS.get(orientation)
    small = small if turn is None else small.transpose(Transpose(turn))
    return encode(small.width, small.height, small.tobytes())


def _resizable(image: "Image") -> "Image":
    """The picture in a mode that keeps its colors when it is resized: eight bits, no palette, no transparent color."""
    # Pillow clips the 16 bits of a gray picture instead of scaling them.
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda value: value / 257).convert("L")
    if image.mode == "I":
        return image.point(lambda value: value / 257).convert("L")
    plain = image.mode in ("L", "LA", "RGB", "RGBA", "CMYK", "YCbCr") and "transparency" not in image.info
    return image if plain else image.convert("RGBA")
