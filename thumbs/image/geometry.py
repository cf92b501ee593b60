"""Plans a thumbnail in whole pixels before anything is decoded: crop, scale, canvas, padding."""

import math
from dataclasses import dataclass

from thumbs.errors import BadFilter, SizeOverLimit
from thumbs.image import limits
from thumbs.image.transforms import Attention, Compass, Crop, Fit, Focus, Gravity, Transform

CROP_OUTSIDE = "crop must lie inside the upright source."

Size = tuple[int, int]
# Floating-point error of a percentage: 1.1 % of 3,000 pixels is computed as 33.00000000000001.
_ROUNDING_ERROR = 1e-9

# The point of the picture that each direction keeps, as fractions of width and height.
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
    """The plan from the upright source to the thumbnail, in order; all values are pixels.

    1. `region` of the source is scaled to the size `scaled`.
    2. `window` of the scaled picture is kept. With `attention`, only its size is final: libvips finds its position.
    3. The window is placed at `offset` on a canvas of `size`.
    4. The canvas is rotated and padded, which gives the size `output`.
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
        """The part of the source, in source pixels, that the window shows; all of `region` with `attention`."""
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
    """The largest thumbnail: pixels per side, and pixels of all frames together."""

    side: int = limits.MAX_SIDE
    pixels: int = limits.MAX_OUTPUT_PIXELS

    def check(self, size: Size, *, frames: int = 1) -> None:
        """Raise `SizeOverLimit` for a thumbnail of `size`."""
        if max(size) > self.side or size[0] * size[1] * frames > self.pixels:
            raise SizeOverLimit

    def check_layout(self, layout: Layout, *, frames: int = 1) -> None:
        """Raise `SizeOverLimit` for a picture too large to hold in memory; with attention, also before the crop."""
        self.check(layout.size, frames=frames)
        self.check(layout.output, frames=frames)
        if layout.attention is not None and layout.scaled[0] * layout.scaled[1] > self.pixels:
            raise SizeOverLimit

    def check_target(self, transform: Transform) -> None:
        """Raise `SizeOverLimit` for a requested size that is too large for any source."""
        width, height = transform.target
        self.check((width or 1, height or 1))


def plan(source: Size, transform: Transform, *, region: Box | None = None) -> Layout:
    """The layout of `transform` for an upright source of the size `source`; `region` is what trimming left of it.

    Raises `BadFilter` for a crop that does not lie inside the source.
    """
    region = region or crop_box(source, transform.crop)
    scaled, window_size = _scaled(region.size, transform)
    attention = transform.gravity if isinstance(transform.gravity, Attention) else None
    window = _window(scaled, window_size, transform.gravity)
    size = _canvas(window_size, transform)
    offset = ((size[0] - window_size[0]) // 2, (size[1] - window_size[1]) // 2)
    attention = attention if window_size != scaled else None
    return Layout(region, scaled, window, attention, size, offset, _output(size, transform))


def crop_box(source: Size, crop: Crop | None) -> Box:
    """The part of the upright source that `crop` keeps. Raises `BadFilter` when it is not inside the source."""
    width, height = source
    if crop is None:
        return Box(0, 0, width, height)
    if crop.percent:
        # Round outwards, so that the smallest crop still has a pixel.
        left, top = (math.floor(edge + _ROUNDING_ERROR) for edge in (crop.x1 * width / 100, crop.y1 * height / 100))
        right, bottom = (math.ceil(edge - _ROUNDING_ERROR) for edge in (crop.x2 * width / 100, crop.y2 * height / 100))
    else:
        left, top, right, bottom = (int(edge) for edge in crop.edges)
    if right > width or bottom > height:
        raise BadFilter(CROP_OUTSIDE)
    return Box(left, top, right - left, bottom - top)


def _scaled(region: Size, transform: Transform) -> tuple[Size, Size]:
    """The size that the region is scaled to, and the size of the window in it."""
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
    centered = isinstance(gravity, Focus)
    left = _start(scaled[0], size[0], x, centered=centered)
    top = _start(scaled[1], size[1], y, centered=centered)
    return Box(left, top, *size)


def _start(whole: int, part: int, fraction: float, *, centered: bool) -> int:
    """Where a window of `part` pixels starts in `whole` pixels.

    `centered`: the window's center is as near to `fraction` as the edges allow. Otherwise `fraction` of the remaining
    pixels comes before the window.
    """
    start = fraction * whole - part / 2 if centered else fraction * (whole - part)
    return min(max(math.floor(start + 0.5), 0), whole - part)


def aligned(outer: Size, inner: Size, compass: Compass) -> tuple[int, int]:
    """Left and top of a picture of the size `inner`, aligned to `compass` inside one of the size `outer`."""
    x, y = _POINTS[compass]
    return _start(outer[0], inner[0], x, centered=False), _start(outer[1], inner[1], y, centered=False)


def _rounded(value: float) -> int:
    return max(1, math.floor(value + 0.5))
