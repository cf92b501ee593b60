"""The operator's own pictures that are laid over thumbnails: read once, kept decoded, scaled for each thumbnail."""

import threading
from collections.abc import Mapping
from pathlib import Path

import pyvips

from thumbs.errors import RenderFailed, ThumbError
from thumbs.image.geometry import Size, plan, share_out
from thumbs.image.limits import RENDER_SECONDS
from thumbs.image.transforms import Transform, Watermark
from thumbs.render.decode import scaled
from thumbs.render.header import read_header
from thumbs.render.libvips import Deadline


class Watermarks:
    """The watermarks of the settings: `files` by name. Nothing is read before a thumbnail needs it."""

    def __init__(self, files: Mapping[str, str], inputs: frozenset[str]) -> None:
        self._files = files
        self._inputs = inputs
        self._lock = threading.Lock()
        self._pictures: dict[str, pyvips.Image] = {}

    def picture(self, name: str) -> pyvips.Image:
        """The watermark, sRGB with alpha. Raises `RenderFailed` when its file is not, or no longer, a good picture."""
        with self._lock:
            if name not in self._pictures:
                self._pictures[name] = self._read(name)
            return self._pictures[name]

    def _read(self, name: str) -> pyvips.Image:
        try:
            data = Path(self._files[name]).read_bytes()
            header = read_header(data, self._inputs)
            image = scaled(data, header, plan(header.size, Transform()), Deadline(RENDER_SECONDS))
        except (KeyError, OSError, ThumbError) as error:
            raise RenderFailed from error
        image = image.colourspace("srgb") if image.bands < 3 else image
        return image if image.hasalpha() else image.addalpha()


def composite(image: pyvips.Image, mark: Watermark, picture: pyvips.Image) -> pyvips.Image:
    """`image` (sRGB or grey, perhaps with alpha) with `picture` over it, never larger than the image."""
    width, height = _size((image.width, image.height), mark, (picture.width, picture.height))
    over = picture if (width, height) == (picture.width, picture.height) else _resized(picture, width, height)
    if mark.opacity < 100:
        alpha = over.bands - 1
        faint = (over.extract_band(alpha) * (mark.opacity / 100)).rint().cast("uchar")
        over = over.extract_band(0, n=alpha).bandjoin(faint)
    left = share_out(image.width, width, mark.gravity)[0]
    top = share_out(image.height, height, mark.gravity)[1]
    under = image.colourspace("srgb") if image.bands < 3 else image
    both = under.composite2(over, "over", x=left, y=top).cast("uchar").copy(interpretation="srgb")
    return both if image.hasalpha() else both.extract_band(0, n=3)


def _size(of: Size, mark: Watermark, picture: Size) -> Size:
    if mark.scale:
        ratio = min(of[0] * mark.scale / picture[0], of[1] * mark.scale / picture[1])
    else:
        ratio = min(1.0, of[0] / picture[0], of[1] / picture[1])
    width, height = (min(whole, max(1, round(side * ratio))) for whole, side in zip(of, picture, strict=True))
    return width, height


def _resized(picture: pyvips.Image, width: int, height: int) -> pyvips.Image:
    return picture.thumbnail_image(width, height=height, size="force")
