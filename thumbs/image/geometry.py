"""Plans a thumbnail in whole pixels before anything is decoded: crop, scale, canvas, padding."""

import math
from dataclasses import dataclass

from thumbs.errors import BadFilter, SizeOverLimit
from thumbs.image import limits
from thumbs.image.gravity import POINTS, Anchor, Attention, Compass, Focus, Gravity, SizedCrop, start
from thumbs.image.spans import Span
from thumbs.image.transforms import Crop, Fit, Transform, Upscale

CROP_OUTSIDE = "crop must lie inside the upright source."

Size = tuple[int, int]
# Floating-point error of a percentage: 1.1 % of 3,000 pixels is computed as 33.00000000000001.
_ROUNDING_ERROR = 1e-9


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

    1. `region` of the source is scaled to the size `scaled`: a scaled pixel is `factors` source pixels wide and high.
       All fits but `stretch` have one factor for both axes, so `scaled` may show a little more or less than `region`,
       by the same amount at both ends.
    2. `window` of the scaled picture is kept. With `attention`, only its size is final: libvips finds its position.
    3. The window is placed at `offset` on a canvas of `size`.
    4. The canvas is rotated and padded, which gives the size `output`.

    `linear`: the region is scaled in linear light.
    """

    region: Box
    scaled: Size
    factors: tuple[float, float]
    window: Box
    attention: Attention | None
    size: Size
    offset: Size
    output: Size
    linear: bool = False

    @property
    def padded(self) -> bool:
        return self.size != self.window.size

    @property
    def spans(self) -> tuple[Span, Span]:
        """The exact part of the source that the window shows, on both axes; with `attention`, all that is scaled."""
        window = Box(0, 0, *self.scaled) if self.attention is not None else self.window
        return (
            _span((self.region.left, self.region.width), self.scaled[0], self.factors[0], (window.left, window.width)),
            _span((self.region.top, self.region.height), self.scaled[1], self.factors[1], (window.top, window.height)),
        )

    @property
    def needed(self) -> Box:
        """The whole source pixels that `spans` touch."""
        (left, width), (top, height) = (span.touched for span in self.spans)
        return Box(left, top, width, height)


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
    target, fit = _target(region.size, transform), _fit(region.size, transform)
    scaled, factors, window_size = _scaled(region.size, target, fit, transform)
    attention = transform.gravity if isinstance(transform.gravity, Attention) else None
    window = _window(scaled, window_size, _in_region(transform.gravity, region))
    size = _canvas(window_size, target, fit)
    offset = _offset(size, window_size, transform)
    attention = attention if window_size != scaled else None
    output = _output(size, transform)
    return Layout(region, scaled, factors, window, attention, size, offset, output, bool(transform.linear))


def crop_box(source: Size, crop: Crop | SizedCrop | None) -> Box:
    """The part of the upright source that `crop` keeps. Raises `BadFilter` when it is not inside the source."""
    width, height = source
    if crop is None:
        return Box(0, 0, width, height)
    if isinstance(crop, SizedCrop):
        left, top, right, bottom = crop.within(source)
    elif crop.percent:
        # Round outwards, so that the smallest crop still has a pixel.
        left, top = (math.floor(edge + _ROUNDING_ERROR) for edge in (crop.x1 * width / 100, crop.y1 * height / 100))
        right, bottom = (math.ceil(edge - _ROUNDING_ERROR) for edge in (crop.x2 * width / 100, crop.y2 * height / 100))
    else:
        left, top, right, bottom = (int(edge) for edge in crop.edges)
    if isinstance(crop, Crop) and crop.clamp and left < width and top < height:
        right, bottom = min(right, width), min(bottom, height)
    if right > width or bottom > height:
        raise BadFilter(CROP_OUTSIDE)
    return Box(left, top, right - left, bottom - top)


_Target = tuple[int | None, int | None]


def _target(region: Size, transform: Transform) -> _Target:
    """The requested sides for this region, after `keep`, `swap` and `upscale(ratio)`."""
    width, height = transform.target
    if transform.keep and (width or height) is not None:
        width, height = width or region[0], height or region[1]
    if width is None or height is None:
        return width, height
    if transform.swap and (width > height) != (region[0] > region[1]):
        width, height = height, width
    if transform.upscale is Upscale.RATIO:
        factor = min(1, region[0] / width, region[1] / height)
        return _rounded(width * factor), _rounded(height * factor)
    return width, height


def _fit(region: Size, transform: Transform) -> Fit:
    """The fit; for `auto`, the one for a source and a target that lie the same way, or not."""
    width, height = transform.target
    if transform.fit is not Fit.AUTO:
        return transform.fit
    same = width is None or height is None or (width >= height) == (region[0] >= region[1])
    return Fit.COVER if same else Fit.CONTAIN


def _scaled(region: Size, target: _Target, fit: Fit, transform: Transform) -> tuple[Size, tuple[float, float], Size]:
    """The size that the region is scaled to, its two factors, and the size of the window in it."""
    width, height = target
    if fit is Fit.STRETCH and width is not None and height is not None:
        scaled = (width, height) if transform.upscales else (min(width, region[0]), min(height, region[1]))
        return scaled, (region[0] / scaled[0], region[1] / scaled[1]), scaled
    ratio = _ratio(region, target, fit, transform)
    if not transform.upscales:
        ratio = min(ratio, 1)
    scaled = (_rounded(region[0] * ratio), _rounded(region[1] * ratio))
    # Less than a pixel of the region is one pixel of the picture.
    factors = (min(1 / ratio, region[0]), min(1 / ratio, region[1]))
    if width is None or height is None or fit is Fit.OUTSIDE:
        return scaled, factors, scaled
    return scaled, factors, (min(width, scaled[0]), min(height, scaled[1]))


def _ratio(region: Size, target: _Target, fit: Fit, transform: Transform) -> float:
    ratios = [side / whole for side, whole in zip(target, region, strict=True) if side is not None]
    if not ratios:
        return transform.dpr
    return max(ratios) if fit in (Fit.COVER, Fit.OUTSIDE) else min(ratios)


def _span(region: tuple[int, int], scaled: int, factor: float, window: tuple[int, int]) -> Span:
    """`region` and `window` are a start and a length."""
    low, length = region
    middle = low + length / 2
    return Span(middle + (window[0] - scaled / 2) * factor, factor, window[1], low, low + length)


def _canvas(window: Size, target: _Target, fit: Fit) -> Size:
    width, height = target
    if fit is Fit.FILL and width is not None and height is not None:
        return width, height
    return window


def _offset(canvas: Size, window: Size, transform: Transform) -> Size:
    """Where the window lies on the canvas. In the center, half a pixel is rounded down."""
    if transform.align == Compass.CENTER:
        return (canvas[0] - window[0]) // 2, (canvas[1] - window[1]) // 2
    return start(canvas, window, transform.align)


def _output(size: Size, transform: Transform) -> Size:
    width, height = size if transform.rotate in (0, 180) else size[::-1]
    padding = transform.padding
    return width + padding.left + padding.right, height + padding.top + padding.bottom


def _in_region(gravity: Gravity, region: Box) -> Gravity:
    """A point in pixels of the source as one of the region: the nearest to it."""
    if not (isinstance(gravity, Focus) and gravity.pixels):
        return gravity
    x = min(max((gravity.x - region.left) / region.width, 0), 1)
    y = min(max((gravity.y - region.top) / region.height, 0), 1)
    return Focus(x, y)


def _window(scaled: Size, size: Size, gravity: Gravity) -> Box:
    return Box(*start(scaled, size, Compass.CENTER if isinstance(gravity, Attention) else gravity), *size)


def aligned(outer: Size, inner: Size, anchor: Anchor) -> tuple[int, int]:
    """Left and top of a picture of the size `inner`, aligned to `anchor` inside one of the size `outer`."""
    if anchor.x or anchor.y:
        return start(outer, inner, anchor)
    x, y = POINTS[anchor.compass]
    return math.floor(x * (outer[0] - inner[0]) + 0.5), math.floor(y * (outer[1] - inner[1]) + 0.5)


def _rounded(value: float) -> int:
    return max(1, math.floor(value + 0.5))
