"""The focal point of a row, which is one of the whole picture, as a point of the part that a crop keeps."""

from thumbs.errors import BadFilter
from thumbs.image import geometry
from thumbs.image.transforms import Crop, SizedCrop
from thumbs.request.scalars import decimal_text

Size = tuple[int, int]
_Edges = tuple[float, float, float, float]
_PERCENT = (100, 100)


def within(focus: str, crop: Crop | SizedCrop, source: Size | None) -> str | None:
    """The point of the part that is nearest to `focus`; both in the syntax of URLs: gravity follows the crop.

    `source` is the upright size in pixels. None where the part is not known: other crops than in percent depend on it.
    """
    try:
        (left, top, right, bottom), (width, height) = _part(crop, source)
        x, y = (float(text) for text in focus.split(","))
        return f"{_share(x * width, left, right)},{_share(y * height, top, bottom)}"
    except (BadFilter, OverflowError, _Unknown):  # a crop outside of the source, a column that holds no size
        return None


class _Unknown(Exception):
    """The size that a crop depends on is not known."""


def _part(crop: Crop | SizedCrop, source: Size | None) -> tuple[_Edges, Size]:
    """Left, top, right and bottom of what is kept, and the size of the whole, in one unit."""
    if isinstance(crop, Crop) and crop.percent:
        return crop.edges, _PERCENT
    if source is None:
        raise _Unknown
    box = geometry.crop_box(source, crop)
    return (box.left, box.top, box.left + box.width, box.top + box.height), source


def _share(point: float, start: float, end: float) -> str:
    return decimal_text(min(max((point - start) / (end - start), 0), 1))
