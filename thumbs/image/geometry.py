"""Where every pixel goes: sizes, cuts and padding as whole numbers, before anything is decoded."""

import math
from dataclasses import dataclass

from thumbs.errors import BadFilter, SizeOverLimit
from thumbs.image import limits
from thumbs.image.transforms import Attention, Compass, Crop, Fit, Focus, Gravity, Transform

Size = tuple[int, int]
# Percent are decimal, floats are not: 1.1 % of 3,000 pixels comes out as 33.00000000000001.
_INEXACT = 1e-9

# Each direction as the point of the picture that it keeps: fractions of width and height.
_POINTS: dict[Compass, tuple[float, float]] = {
    Compass.NORTHWEST: (0, 0),
    Compass.NORTH: (0.5, 0),
    Compass.NORTHEAST: (1, 0),
    Compass.WEST: (0, 0.5),
    Compass.CENTER: (0.5, 0.5),
    Compass.EAST: (1, 0.5),
    Compass.SOUTHWEST: (0, 1),
    Compass.SOUTH: (0.5, 1),
    Compass.SOUTHEAST: (1, 1),
}


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of whole pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def size(self) -> Size:
        return self.width, self.height


@dataclass(frozen=True, slots=True)
class Layout:
    """The way from the upright source to the thumbnail.

    `region` of the source is scaled to `scaled`; `window` of that is kept (its place, when `attention` is set, is
    found by looking at the pixels); on a canvas of `size` it then lies at `offset`. `output` is what the thumbnail
    measures in the end: turned, and with its padding.
    """

    region: Box
    scaled: Size
    window: Box
    attention: Attention | None
    size: Size
    offset: Size
    output: Size

    @property
    def padded(self) -> bool:
        return self.size != self.window.size

    @property
    def needed(self) -> Box:
        """The part of the source, in its own pixels, that the window shows; all of `region` under `attention`."""
        if self.attention is not None:
            return self.region
        x_scale = self.region.width / self.scaled[0]
        y_scale = self.region.height / self.scaled[1]
        left = math.floor(self.window.left * x_scale)
        top = math.floor(self.window.top * y_scale)
        right = min(self.region.width, math.ceil((self.window.left + self.window.width) * x_scale))
        bottom = min(self.region.height, math.ceil((self.window.top + self.window.height) * y_scale))
        return Box(self.region.left + left, self.region.top + top, right - left, bottom - top)


@dataclass(frozen=True, slots=True)
class OutputLimits:
    """The largest thumbnail that is made: pixels a side, and pixels in all."""

    side: int = limits.MAX_SIDE
    pixels: int = limits.MAX_OUTPUT_PIXELS

    def check(self, size: Size, *, frames: int = 1) -> None:
        """Raise `SizeOverLimit` for a thumbnail of `size`."""
        if max(size) > self.side or size[0] * size[1] * frames > self.pixels:
            raise SizeOverLimit

    def check_layout(self, layout: Layout, *, frames: int = 1) -> None:
        """Raise `SizeOverLimit` for more than may be held in memory: under attention, all that is cut from as well."""
        self.check(layout.size, frames=frames)
        self.check(layout.output, frames=frames)
        if layout.attention is not None and layout.scaled[0] * layout.scaled[1] > self.pixels:
            raise SizeOverLimit

    def check_target(self, transform: Transform) -> None:
        """Raise `SizeOverLimit` for what is known to be too large whatever the source is."""
        width, height = transform.target
        self.check((width or 1, height or 1))


def plan(source: Size, transform: Transform, *, region: Box | None = None) -> Layout:
    """The layout of `transform` on an upright source of `source` pixels; of `region` of it, where that was trimmed.

    Raises `BadFilter` for a crop that does not lie inside the source.
    """
    region = region or cropped(source, transform.crop)
    scaled, window_size = _scaled(region.size, transform)
    attention = transform.gravity if isinstance(transform.gravity, Attention) else None
    window = _window(scaled, window_size, transform.gravity)
    size = _canvas(window_size, transform)
    offset = ((size[0] - window_size[0]) // 2, (size[1] - window_size[1]) // 2)
    attention = attention if window_size != scaled else None
    return Layout(region, scaled, window, attention, size, offset, _output(size, transform))


def cropped(source: Size, crop: Crop | None) -> Box:
    """The part of the upright source that `crop` leaves. Raises `BadFilter` where it does not lie inside."""
    width, height = source
    if crop is None:
        return Box(0, 0, width, height)
    if crop.percent:
        # Outer edges, so that the smallest crop still holds a pixel.
        left, top = (math.floor(edge + _INEXACT) for edge in (crop.x1 * width / 100, crop.y1 * height / 100))
        right, bottom = (math.ceil(edge - _INEXACT) for edge in (crop.x2 * width / 100, crop.y2 * height / 100))
    else:
        left, top, right, bottom = (int(edge) for edge in crop.edges)
    if right > width or bottom > height:
        raise BadFilter("crop must lie inside the upright source.")
    return Box(left, top, right - left, bottom - top)


def _scaled(region: Size, transform: Transform) -> tuple[Size, Size]:
    """What the region is scaled to, and how much of that is kept."""
    width, height = transform.target
    if width is None or height is None:
        scaled = _to_one_side(region, width, height, transform)
        return scaled, scaled
    ratios = (width / region[0], height / region[1])
    if transform.fit is Fit.STRETCH:
        scaled = (width, height) if transform.upscales else (min(width, region[0]), min(height, region[1]))
        return scaled, scaled
    ratio = max(ratios) if transform.fit is Fit.COVER else min(ratios)
    if not transform.upscales:
        ratio = min(ratio, 1)
    scaled = (_rounded(region[0] * ratio), _rounded(region[1] * ratio))
    return scaled, (min(width, scaled[0]), min(height, scaled[1]))


def _to_one_side(region: Size, width: int | None, height: int | None, transform: Transform) -> Size:
    if width is not None:
        ratio = width / region[0]
    elif height is not None:
        ratio = height / region[1]
    else:
        ratio = transform.dpr
    if not transform.upscales:
        ratio = min(ratio, 1)
    return _rounded(region[0] * ratio), _rounded(region[1] * ratio)


def _canvas(window: Size, transform: Transform) -> Size:
    width, height = transform.target
    if transform.fit is Fit.FILL and width is not None and height is not None:
        return width, height
    return window


def _output(size: Size, transform: Transform) -> Size:
    width, height = size if transform.rotate in (0, 180) else size[::-1]
    padding = transform.padding
    return width + padding.left + padding.right, height + padding.top + padding.bottom


def _window(scaled: Size, size: Size, gravity: Gravity) -> Box:
    x, y = (gravity.x, gravity.y) if isinstance(gravity, Focus) else _POINTS.get(gravity, (0.5, 0.5))  # type: ignore[arg-type]
    centred = isinstance(gravity, Focus)
    left = _place(scaled[0], size[0], x, centred=centred)
    top = _place(scaled[1], size[1], y, centred=centred)
    return Box(left, top, *size)


def _place(whole: int, part: int, fraction: float, *, centred: bool) -> int:
    """The start of a window of `part` in `whole`.

    A focal point lies as near to the window's centre as the edges allow; a direction shares out the rest.
    """
    start = fraction * whole - part / 2 if centred else fraction * (whole - part)
    return min(max(math.floor(start + 0.5), 0), whole - part)


def share_out(whole: int, part: int, compass: Compass) -> tuple[int, int]:
    """Where `part` begins in `whole` when `compass` says: as a width, as a height."""
    x, y = _POINTS[compass]
    return _place(whole, part, x, centred=False), _place(whole, part, y, centred=False)


def _rounded(value: float) -> int:
    return max(1, math.floor(value + 0.5))
