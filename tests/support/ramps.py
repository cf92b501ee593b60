"""Pictures whose levels are positions: where each pixel of a thumbnail comes from can be read from it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from PIL import Image

from tests.support.pictures import encoded, turned
from thumbs.image.geometry import Size
from thumbs.image.transforms import Compass, Fit, Focus, SizedCrop, Transform

_LOW, _HIGH = 16, 240
# The length of a ramp, and the distance from its ends or an edge within which a kernel mixes other levels in: in output
# pixels where the picture is reduced, in source pixels where it is enlarged.
_REDUCED, _ENLARGED = (12, 4), (8, 3)
# A lossy WebP has 219 levels of gray.
_COARSE = 1.1
_EXIF_ORIENTATION = 0x0112
_ACROSS = {"w": 0.0, "e": 1.0}
_DOWN = {"n": 0.0, "s": 1.0}


@dataclass(frozen=True)
class Place:
    """One axis: pixel i of the thumbnail is the mean around `start` + (i + 1/2) × `factor` of a source of `length`.

    Only the source from `low` to `high` is shown.
    """

    start: float
    factor: float
    count: int
    length: int
    low: int
    high: int

    @property
    def end(self) -> float:
        return self.start + self.count * self.factor

    @cached_property
    def ramp(self) -> float:
        """The length of a ramp in the source: both ends of what is shown are in the middle of one."""
        length = self.high - self.low
        least = _REDUCED[0] * self.factor if self.factor > 1 else _ENLARGED[0]
        return length / max(1, math.floor(length / least))

    def level(self, position: float) -> float:
        """A triangle wave."""
        return _LOW + (_HIGH - _LOW) * abs((self._phase(position) + 1) % 2 - 1)

    @property
    def slope(self) -> float:
        """Levels for each output pixel."""
        return (_HIGH - _LOW) / self.ramp * self.factor

    def readable(self, *, edges: bool = False) -> Iterator[tuple[int, float]]:
        """The pixels whose level is a measure, and their positions in the source; `edges`: those near an edge."""
        near = _REDUCED[1] * self.factor if self.factor > 1 else _ENLARGED[1]
        for number in range(self.count):
            position = self.start + (number + 0.5) * self.factor
            phase = self._phase(position) % 1
            inside = self.low + near <= position <= self.high - near
            if inside != edges and near <= self.ramp * min(phase, 1 - phase):
                yield number, position

    def _phase(self, position: float) -> float:
        return (position - self.low) / self.ramp + 0.5


def places(source: Size, transform: Transform) -> tuple[Place, Place]:
    """What the documentation says: one factor for both axes unless stretched, centered, and then cut by gravity."""
    crop = transform.crop
    assert not isinstance(crop, SizedCrop)
    left, top, right, bottom = (int(edge) for edge in crop.edges) if crop else (0, 0, *source)
    region = right - left, bottom - top
    target = transform.target
    ratios = [side / whole for side, whole in zip(target, region, strict=True) if side is not None] or [1.0]
    ratio = max(ratios) if transform.fit is Fit.COVER else min(ratios)
    if transform.fit is not Fit.STRETCH or None in target:
        ratios = [ratio, ratio]
    if not transform.upscales:
        ratios = [min(ratio, 1.0) for ratio in ratios]
    made = []
    for axis, start in enumerate((left, top)):
        scaled = max(1, math.floor(region[axis] * ratios[axis] + 0.5))
        side = target[axis]
        count = scaled if side is None or None in target else min(side, scaled)
        factor = 1 / ratios[axis]
        cut = _cut(scaled, count, transform.gravity, axis)
        first = start + region[axis] / 2 + (cut - scaled / 2) * factor
        made.append(Place(first, factor, count, source[axis], start, start + region[axis]))
    return made[0], made[1]


def _cut(scaled: int, count: int, gravity: object, axis: int) -> int:
    if isinstance(gravity, Focus):
        point = (gravity.x, gravity.y)[axis] * scaled
        return max(0, min(scaled - count, math.ceil(point - count / 2 - 0.5)))
    letters = _ACROSS if axis == 0 else _DOWN
    name = gravity.value.replace("center", "") if isinstance(gravity, Compass) else ""
    heads = (name[:1], name[5:6] or name[:1]) if len(name) > 5 else (name[:1], name[:1])
    fraction = next((letters[head] for head in heads if head in letters), 0.5)
    return (scaled - count) // 2 if fraction == 0.5 else round(fraction * (scaled - count))


def ramps(x: Place, y: Place, *, gray: bool = False) -> Image.Image:
    """A picture with ramps from left to right in red, and from top to bottom in green; `gray`: only the first."""
    across, down = (bytes(round(place.level(position + 0.5)) for position in range(place.length)) for place in (x, y))
    size = x.length, y.length
    red = Image.frombytes("L", (x.length, 1), across).resize(size, Image.Resampling.NEAREST)
    green = red if gray else Image.frombytes("L", (1, y.length), down).resize(size, Image.Resampling.NEAREST)
    return Image.merge("RGB", [red, green, red if gray else Image.new("L", size, 128)])


def drawing(x: Place, y: Place) -> bytes:
    """The same as an SVG."""
    gradients = []
    for name, end, place, color in (("a", "x2", x, "{},0,0"), ("b", "y2", y, "0,{},0")):
        zero = "x1='0' y1='0' x2='0' y2='0'".replace(f"{end}='0'", f"{end}='{place.low + place.ramp / 2}'")
        start = zero.replace(f"{end[0]}1='0'", f"{end[0]}1='{place.low - place.ramp / 2}'")
        stops = "".join(
            f"<stop offset='{at}' stop-color='rgb({color.format(value)})'/>" for at, value in ((0, _LOW), (1, _HIGH))
        )
        gradients.append(
            f"<linearGradient id='{name}' gradientUnits='userSpaceOnUse' spreadMethod='reflect' {start}>{stops}"
            "</linearGradient>"
        )
    # Larger than the drawing, so that no edge of it is half covered.
    area = f"x='{-x.length}' y='{-y.length}' width='{3 * x.length}' height='{3 * y.length}'"
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{x.length}' height='{y.length}'>{''.join(gradients)}"
        f"<rect {area} fill='url(#a)'/><rect {area} fill='url(#b)' style='mix-blend-mode: screen'/></svg>"
    ).encode()


_OPTIONS: dict[str, dict[str, object]] = {
    "jpeg": {"quality": 98, "subsampling": 0},
    "webp": {"lossless": True, "method": 0},
    "lossy": {"quality": 100},
    "png": {"compress_level": 1},
    "avif": {"quality": 100, "subsampling": "4:4:4", "speed": 10},
}
_FORMATS = {"transparent": "png", "lossy": "webp"}


def original(kind: str, x: Place, y: Place) -> bytes:
    """A file with ramps. `kind` is a format, `transparent` a PNG with alpha, `lossy` a gray WebP with the first ramp.

    With a number, it is stored with that EXIF orientation.
    """
    if kind == "svg":
        return drawing(x, y)
    name, _, orientation = kind.partition("-")
    image = ramps(x, y, gray=name in ("lossy", "gif"))
    if name == "transparent":
        image.putalpha(255)
    options = dict(_OPTIONS.get(name, {}))
    if orientation:
        exif = Image.Exif()
        exif[_EXIF_ORIENTATION] = int(orientation)
        image, options["exif"] = turned(image, int(orientation)), exif
    return encoded(image.convert("L") if name == "gif" else image, _FORMATS.get(name, name), **options)


def off(image: Image.Image, x: Place, y: Place, *, edges: bool = False, gray: bool = False) -> float:
    """How far the worst pixel of a thumbnail of `ramps` is from its place, in output pixels, but for rounded levels.

    `edges`: of those near an edge of the source, else of all others. `gray`: the picture has the first ramp only.
    """
    rounded = _COARSE if gray else 0.5
    assert image.size == (x.count, y.count)
    red, green = image.convert("RGB").split()[:2]
    # Every row has the same ramps from left to right: their mean has no noise.
    across = red.convert("F").resize((x.count, 1), Image.Resampling.BOX)
    down = green.convert("F").resize((1, y.count), Image.Resampling.BOX)
    worst = 0.0
    for place, line in ((x, across),) if gray else ((x, across), (y, down)):
        levels = [float(value) for value in line.get_flattened_data()]  # type: ignore[arg-type]
        for number, position in place.readable(edges=edges):
            worst = max(worst, (abs(levels[number] - place.level(position)) - rounded) / place.slope)
    return worst
