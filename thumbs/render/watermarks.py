"""Watermarks: configured pictures. Each is read once, kept decoded, and composited over thumbnails at their scale."""

import threading
from collections.abc import Callable

import pyvips

from thumbs.errors import RenderFailed, ThumbError
from thumbs.image.geometry import Size, aligned, plan
from thumbs.image.limits import RENDER_SECONDS
from thumbs.image.transforms import Anchor, Transform, Watermark
from thumbs.render.completeness.decoding import decode_checked
from thumbs.render.decode import scaled
from thumbs.render.header import Header
from thumbs.render.libvips import Deadline
from thumbs.render.table import normalized, read_header


class Watermarks:
    """The configured watermarks. `read` gives the bytes of one by its name, when a thumbnail first needs it."""

    def __init__(self, read: Callable[[str], bytes], inputs: frozenset[str]) -> None:
        self._read_file = read
        self._inputs = inputs
        self._lock = threading.Lock()
        self._pictures: dict[str, pyvips.Image] = {}

    def picture(self, name: str) -> pyvips.Image:
        """The watermark in sRGB with alpha. Raises `RenderFailed` when its file cannot be read or decoded."""
        with self._lock:
            if name not in self._pictures:
                self._pictures[name] = self._read(name)
            return self._pictures[name]

    def _read(self, name: str) -> pyvips.Image:
        try:
            data = normalized(self._read_file(name))
            header = read_header(data, self._inputs)
            image, _ = decode_checked(
                data, header.format, lambda attempt: _decoded(attempt.data, header.attempted(attempt))
            )
        except (KeyError, OSError, ThumbError) as error:
            raise RenderFailed from error
        image = image.colourspace("srgb") if image.bands < 3 else image
        return image if image.hasalpha() else image.addalpha()


def composite(image: pyvips.Image, watermark: Watermark, picture: pyvips.Image) -> pyvips.Image:
    """`image` (sRGB or gray, perhaps with alpha) with `picture` over it, never larger than the image."""
    size = _size((image.width, image.height), watermark, (picture.width, picture.height))
    over = picture if size == (picture.width, picture.height) else _resized(picture, *size)
    if watermark.opacity < 100:
        alpha = over.bands - 1
        faded = (over.extract_band(alpha) * (watermark.opacity / 100)).rint().cast("uchar")
        over = over.extract_band(0, n=alpha).bandjoin(faded)
    left, top = aligned((image.width, image.height), size, Anchor(watermark.gravity, watermark.x, watermark.y))
    under = image.colourspace("srgb") if image.bands < 3 else image
    both = under.composite2(over, "over", x=left, y=top).cast("uchar").copy(interpretation="srgb")
    return both if image.hasalpha() else both.extract_band(0, n=3)


def _decoded(data: bytes, header: Header) -> pyvips.Image:
    return scaled(data, header, plan(header.size, Transform()), Deadline(RENDER_SECONDS))


def _size(image: Size, watermark: Watermark, picture: Size) -> Size:
    if watermark.scale:
        ratio = min(image[0] * watermark.scale / picture[0], image[1] * watermark.scale / picture[1])
    else:
        ratio = min(1.0, image[0] / picture[0], image[1] / picture[1])
    width, height = (min(limit, max(1, round(side * ratio))) for limit, side in zip(image, picture, strict=True))
    return width, height


def _resized(picture: pyvips.Image, width: int, height: int) -> pyvips.Image:
    return picture.thumbnail_image(width, height=height, size="force")
