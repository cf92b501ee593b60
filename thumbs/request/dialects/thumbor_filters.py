"""The filters of thumbor and imagor. One that is unknown or has wrong arguments is ignored, as they do.

A filter of theirs that has no counterpart here is an error: its picture would be another one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from thumbs.image.formats import OUTPUT_NAMES
from thumbs.image.transforms import Color, Focus
from thumbs.request.dialects.dialect import unsupported
from thumbs.request.dialects.scalars import color, number, positive, whole

# Their filters without a counterpart here, and those of imagor alone.
_THUMBOR_ONLY = ("noise", "equalize", "colorize", "convolution", "curve", "frame", "extract_focal")
_OF_BOTH = ("watermark", "rgb", "round_corner", "proportion")
_IMAGOR_ONLY = ("hue", "pixelate", "label", "text", "image", "page", "dpi", "raw")


@dataclass(frozen=True, slots=True)
class Differences:
    """Of imagor and thumbor. `moving`: the extensions of animations that stay animated."""

    imagor: bool
    moving: tuple[str, ...]


@dataclass(slots=True)
class Filters:
    """What the filters of a URL say together."""

    differences: Differences
    format: str | None = None
    quality: int = 0
    max_bytes: int = 0
    upscale: bool | None = None
    stretch: bool = False
    fill: Color | None = None
    background: Color | None = None
    rotate: int = 0  # clockwise, after the resize
    orient: int = 0  # before it
    padding: tuple[int, int, int, int] | None = None  # top, right, bottom, left
    part: tuple[float, float, float, float] | None = None  # left, top, width, height, after the resize
    focus: Focus | None = None
    grayscale: bool = False
    blur: float = 0
    sharpen: float = 0
    amounts: dict[str, int] = field(default_factory=dict)
    first_frame: bool = False
    stem: str | None = None
    expires: int | None = None
    ignored: set[str] = field(default_factory=set)


Reader = Callable[[Filters, Sequence[str]], None]


def apply(filters: Filters, spelled: str) -> None:
    """Apply `name(arguments`. Raises `BadFilter` for a filter that has no counterpart here."""
    name, opened, text = spelled.partition("(")
    is_imagor = filters.differences.imagor
    if name in _OF_BOTH or name in (_IMAGOR_ONLY if is_imagor else _THUMBOR_ONLY):
        if not _is_without_effect(name, text):
            unsupported(f"the filter {name}")
        return
    read = (_BOTH | _IMAGOR if is_imagor else _BOTH).get(name)
    try:
        if read is None or not opened:
            raise ValueError("unknown")
        read(filters, [each.strip() for each in text.split(",")])
    except (ValueError, KeyError, IndexError):
        filters.ignored.add(name if name.isidentifier() and len(name) <= 32 else "of an invalid name")


def _is_without_effect(name: str, text: str) -> bool:
    return name == "noise" and text == "0"


def _quality(filters: Filters, arguments: Sequence[str]) -> None:
    filters.quality = min(whole(arguments[0]), 100)


def _format(filters: Filters, arguments: Sequence[str]) -> None:
    name = arguments[0] if filters.differences.imagor else arguments[0].lower()
    filters.format = OUTPUT_NAMES[name]


def _max_bytes(filters: Filters, arguments: Sequence[str]) -> None:
    filters.max_bytes = whole(arguments[0])


def _upscale(filters: Filters, _: Sequence[str]) -> None:
    filters.upscale = True


def _no_upscale(filters: Filters, _: Sequence[str]) -> None:
    filters.upscale = False


def _stretch(filters: Filters, _: Sequence[str]) -> None:
    filters.stretch = True


def _fill(filters: Filters, arguments: Sequence[str]) -> None:
    if arguments[0] in ("auto", "blur"):
        unsupported("fill(auto) and fill(blur)")
    if arguments[0] == "none" and filters.differences.imagor:
        return
    filters.fill = color(arguments[0])
    if filters.differences.imagor or arguments[1:] == ["1"]:
        filters.background = filters.fill


def _background(filters: Filters, arguments: Sequence[str]) -> None:
    filters.background = color(arguments[0])


def _rotate(filters: Filters, arguments: Sequence[str]) -> None:
    angle = whole(arguments[0])
    if angle % 90:
        raise ValueError("not a multiple of 90")
    filters.rotate = -angle % 360  # counterclockwise


def _focal(filters: Filters, arguments: Sequence[str]) -> None:
    if filters.differences.imagor and len(arguments) == 2:
        x, y = map(positive, arguments)
    else:
        corners = [positive(each) for corner in arguments[0].split(":") for each in corner.split("x")]
        left, top, right, bottom = corners
        if not filters.differences.imagor and not all(each.is_integer() for each in corners):
            raise ValueError("pixels are whole")
        x, y = (left + right) / 2, (top + bottom) / 2
    in_shares = filters.differences.imagor and x <= 1 and y <= 1
    filters.focus = Focus(x, y, pixels=not in_shares)


def _grayscale(filters: Filters, _: Sequence[str]) -> None:
    filters.grayscale = True


def _blur(filters: Filters, arguments: Sequence[str]) -> None:
    radius = positive(arguments[0])
    if len(arguments) > 1:
        filters.blur = positive(arguments[1])
    else:
        filters.blur = radius / 2 if filters.differences.imagor else radius


def _sharpen(filters: Filters, arguments: Sequence[str]) -> None:
    if filters.differences.imagor:
        filters.sharpen = 1 + 2 * positive(arguments[1] if len(arguments) > 1 else arguments[0])
    else:
        amount, radius, _ = arguments
        filters.sharpen = positive(radius) if positive(amount) else 0


def _brightness(filters: Filters, arguments: Sequence[str]) -> None:
    _add(filters, "brightness", number(arguments[0]))


def _contrast(filters: Filters, arguments: Sequence[str]) -> None:
    """Both multiply the distance from the middle by a factor, each by one of its own."""
    amount = min(max(number(arguments[0]), -100), 100)
    if filters.differences.imagor:
        level = 2.55 * amount
        factor = 259 * (level + 255) / (255 * (259 - level))
    else:
        factor = ((100 + amount) / 100) ** 2
    _add(filters, "contrast", (factor - 1) * 100 if factor <= 1 else 100 - 100 / factor)


def _saturation(filters: Filters, arguments: Sequence[str]) -> None:
    value = number(arguments[0])
    _add(filters, "saturation", value if filters.differences.imagor else (value - 1) * 100)


def _add(filters: Filters, name: str, amount: float) -> None:
    filters.amounts[name] = round(min(max(amount, -100), 100))


def _orient(filters: Filters, arguments: Sequence[str]) -> None:
    angle = whole(arguments[0])
    if angle % 90:
        raise ValueError("not a multiple of 90")
    filters.orient = -angle % 360


def _padding(filters: Filters, arguments: Sequence[str]) -> None:
    filters.background = color(arguments[0])
    left, top, right, bottom = _four([whole(each) for each in arguments[1:]])
    filters.padding = (top, right, bottom, left)


def _four(sides: list[int]) -> list[int]:
    """One for all, two for both axes, or all four."""
    if len(sides) not in (1, 2, 4):
        raise ValueError("one, two or four sides")
    return sides * (4 // len(sides))


def _crop(filters: Filters, arguments: Sequence[str]) -> None:
    left, top, width, height = map(positive, arguments)
    if not (width and height and left + width <= 1 and top + height <= 1):
        unsupported("the filter crop in pixels")
    filters.part = (left, top, width, height)


def _max_frames(filters: Filters, arguments: Sequence[str]) -> None:
    filters.first_frame = whole(arguments[0]) == 1


def _expire(filters: Filters, arguments: Sequence[str]) -> None:
    filters.expires = max(whole(arguments[0]) // 1000, 1)


def _attachment(filters: Filters, arguments: Sequence[str]) -> None:
    name = arguments[0]
    if name:
        filters.stem = name.rpartition(".")[0] or name
    filters.ignored.add("attachment")


def _without_effect(_: Filters, __: Sequence[str]) -> None:
    """Of files: metadata and profiles are never kept."""


_BOTH: dict[str, Reader] = {
    "quality": _quality,
    "format": _format,
    "max_bytes": _max_bytes,
    "upscale": _upscale,
    "no_upscale": _no_upscale,
    "stretch": _stretch,
    "fill": _fill,
    "background_color": _background,
    "rotate": _rotate,
    "focal": _focal,
    "grayscale": _grayscale,
    "blur": _blur,
    "sharpen": _sharpen,
    "brightness": _brightness,
    "contrast": _contrast,
    "saturation": _saturation,
    "strip_exif": _without_effect,
    "strip_icc": _without_effect,
}
_IMAGOR: dict[str, Reader] = {
    "expire": _expire,
    "attachment": _attachment,
    "max_frames": _max_frames,
    "orient": _orient,
    "padding": _padding,
    "crop": _crop,
    "strip_metadata": _without_effect,
}
