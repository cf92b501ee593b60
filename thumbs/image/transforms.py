"""What to make of an original: frozen values that cannot be invalid."""

import math
from dataclasses import dataclass
from enum import StrEnum

from thumbs.image.formats import OUTPUT_NAMES
from thumbs.image.gravity import Anchor as Anchor  # noqa: PLC0414 - values of a transform are imported from here
from thumbs.image.gravity import Attention as Attention  # noqa: PLC0414
from thumbs.image.gravity import Compass as Compass  # noqa: PLC0414
from thumbs.image.gravity import Focus as Focus  # noqa: PLC0414
from thumbs.image.gravity import Gravity as Gravity  # noqa: PLC0414
from thumbs.image.gravity import SizedCrop as SizedCrop  # noqa: PLC0414
from thumbs.image.limits import MAX_SIDE
from thumbs.image.outputs import DATA, JSON

AUTO = "auto"
ORIGINAL = "original"  # the stored bytes


def _require(condition: bool, sentence: str) -> None:
    if not condition:
        raise ValueError(sentence)


class Fit(StrEnum):
    """How a picture fills the requested size."""

    COVER = "cover"
    CONTAIN = "contain"
    FILL = "fill"
    STRETCH = "stretch"
    OUTSIDE = "outside"
    AUTO = "auto"


class Upscale(StrEnum):
    """What becomes of a target that is larger than the source, besides yes and no."""

    RATIO = "ratio"


@dataclass(frozen=True, slots=True)
class Crop:
    """A rectangle of the upright source, right and bottom edges excluded, in pixels or in percent of its sides.

    With `clamp`, what lies outside of the source is cut off; else it is an error.
    """

    x1: float
    y1: float
    x2: float
    y2: float
    percent: bool = False
    clamp: bool = False

    def __post_init__(self) -> None:
        _require(0 <= self.x1 < self.x2 and 0 <= self.y1 < self.y2, "a crop has two edges in order on each axis")
        _require(not self.percent or (self.x2 <= 100 and self.y2 <= 100), "percent end at 100")
        _require(self.percent or all(float(edge).is_integer() for edge in self.edges), "pixels are whole")

    @property
    def edges(self) -> tuple[float, float, float, float]:
        return (self.x1, self.y1, self.x2, self.y2)


@dataclass(frozen=True, slots=True)
class Color:
    """8-bit sRGB with alpha; 255 is opaque."""

    red: int
    green: int
    blue: int
    alpha: int = 255

    def __post_init__(self) -> None:
        _require(all(0 <= value <= 255 for value in self.values), "a color's values are 0–255")

    @property
    def values(self) -> tuple[int, int, int, int]:
        return (self.red, self.green, self.blue, self.alpha)


TRANSPARENT = Color(0, 0, 0, 0)
WHITE = Color(255, 255, 255)


@dataclass(frozen=True, slots=True)
class Padding:
    """Pixels added outside each side, in CSS order."""

    top: int
    right: int
    bottom: int
    left: int

    def __post_init__(self) -> None:
        _require(all(0 <= side <= MAX_SIDE for side in self.sides), f"padding is 0–{MAX_SIDE} pixels")

    @property
    def sides(self) -> tuple[int, int, int, int]:
        return (self.top, self.right, self.bottom, self.left)


NO_PADDING = Padding(0, 0, 0, 0)
ALL_FRAMES = 0


@dataclass(frozen=True, slots=True)
class Trim:
    """Cut off margins that differ from `color` by no more than `tolerance` levels in any channel.

    Without a color, the top left pixel gives it.
    """

    tolerance: int
    color: Color | None = None

    def __post_init__(self) -> None:
        _require(0 <= self.tolerance <= 255, "tolerance is 0–255")


@dataclass(frozen=True, slots=True)
class Watermark:
    """A picture of the operator, composited over the thumbnail.

    `opacity` is in percent. `scale` is the largest fraction of each side of the thumbnail that it fills; 0 keeps the
    watermark's own size. `x` and `y` move it by pixels, as those of `Anchor` do.
    """

    name: str
    gravity: Compass = Compass.CENTER
    opacity: int = 100
    scale: float = 0
    x: int = 0
    y: int = 0

    def __post_init__(self) -> None:
        _require(0 <= self.opacity <= 100, "opacity is 0–100")
        _require(0 <= self.scale <= 1, "a scale is 0–1")


MIN_SIGMA, MAX_SIGMA = 0.3, 100.0
MAX_SHARPEN_SIGMA = 10.0  # libvips takes no more


@dataclass(frozen=True, slots=True)
class Transform:
    """What to make of an original.

    `width` and `height` are pixels before `dpr`; a None follows from the source's ratio. `format`, `quality`, `upscale`
    and `linear` (resize in linear light) are None where the URL does not set them; `request.resolve` fills the defaults
    in. `rotate` is degrees clockwise, `flip` mirrors top to bottom, `flop` left to right. `blur` and `sharpen` are
    sigmas in output pixels. `frames` is the number of frames of an animation to keep, `ALL_FRAMES` for all. `version`
    is the caller's token for a version of the source; it changes nothing but the cache key and the cache headers.
    `data` is what of `DATA` the format `JSON` adds, in that order. `align` is where the picture lies on the canvas of
    `fit(fill)`. With `swap`, the sides are exchanged for a source that lies the other way. With `keep`, a side that is
    None is as long as the source's.
    """

    width: int | None = None
    height: int | None = None
    format: str | None = None
    quality: int | None = None
    fit: Fit = Fit.COVER
    fill: Color | None = None
    crop: Crop | SizedCrop | None = None
    gravity: Gravity = Compass.CENTER
    upscale: bool | Upscale | None = None
    linear: bool | None = None
    dpr: float = 1
    trim: Trim | None = None
    rotate: int = 0
    flip: bool = False
    flop: bool = False
    blur: float | None = None
    sharpen: float | None = None
    grayscale: bool = False
    brightness: int = 0
    contrast: int = 0
    saturation: int = 0
    background: Color | None = None
    padding: Padding = NO_PADDING
    watermark: Watermark | None = None
    frames: int = 1
    max_bytes: int | None = None
    version: str | None = None
    data: tuple[str, ...] = ()
    align: Compass | Focus | Anchor = Compass.CENTER
    swap: bool = False
    keep: bool = False

    def __post_init__(self) -> None:
        _require(self.rotate in (0, 90, 180, 270), "rotate is 90, 180 or 270")
        for sigma, most in ((self.blur, MAX_SIGMA), (self.sharpen, MAX_SHARPEN_SIGMA)):
            _require(sigma is None or MIN_SIGMA <= sigma <= most, f"sigma is {MIN_SIGMA:g}–{most:g}")
        amounts = (self.brightness, self.contrast, self.saturation)
        _require(all(-100 <= amount <= 100 for amount in amounts), "amounts are -100 to 100")
        _require(self.frames >= 0, "frames are counted from 1")
        _require(self.max_bytes is None or self.max_bytes >= 1, "max_bytes is at least 1")
        _require(all(side is None or side >= 1 for side in (self.width, self.height)), "a side is at least 1")
        outputs = (None, AUTO, JSON, ORIGINAL, *OUTPUT_NAMES.values())
        _require(self.format in outputs, "no such format")
        _require(self.data == tuple(part for part in DATA if part in self.data), "no such data")
        _require(self.quality is None or 1 <= self.quality <= 100, "quality is 1–100")
        _require(self.fill is None or self.fit is Fit.FILL, "only fit(fill) takes a color")
        _require(math.isfinite(self.dpr) and 1 <= self.dpr <= 4, "dpr is 1–4")
        _require(not (isinstance(self.align, Focus) and self.align.pixels), "a canvas has no pixels of the source")

    @property
    def target(self) -> tuple[int | None, int | None]:
        """The requested sides in output pixels: multiplied by `dpr`, rounded half up, at least 1."""
        return self._scaled(self.width), self._scaled(self.height)

    def _scaled(self, side: int | None) -> int | None:
        return None if side is None else max(1, math.floor(side * self.dpr + 0.5))

    @property
    def upscales(self) -> bool:
        """Whether a source smaller than the target is enlarged (the `upscale` filter)."""
        if self.upscale is not None:
            return self.upscale is True
        return self.fit in (Fit.COVER, Fit.STRETCH) and self.width is not None and self.height is not None
