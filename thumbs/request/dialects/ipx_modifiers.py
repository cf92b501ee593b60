"""The modifiers of ipx. A reader raises ValueError or the like where ipx or its sharp answers with an error."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from thumbs.image.transforms import Attention, Color, Compass, Gravity
from thumbs.request.dialects.dialect import unsupported
from thumbs.request.dialects.scalars import color, number, positive, whole

FITS = ("cover", "contain", "fill", "inside", "outside")
_SIZE = re.compile(r"([0-9]{0,9})(?:x([0-9]{0,9}))?")
_POSITIONS: dict[str, Gravity] = {
    **{compass.value: compass for compass in Compass},
    "centre": Compass.CENTER,
    "top": Compass.NORTH,
    "right top": Compass.NORTHEAST,
    "right": Compass.EAST,
    "right bottom": Compass.SOUTHEAST,
    "bottom": Compass.SOUTH,
    "left bottom": Compass.SOUTHWEST,
    "left": Compass.WEST,
    "left top": Compass.NORTHWEST,
    "entropy": Attention.ENTROPY,
    "attention": Attention.SMART,
}


@dataclass(slots=True)
class Modifiers:
    """What the modifiers of a URL say together. A size of two sides is `size`, of one `width` or `height`.

    Of several sizes, the last one counts.
    """

    width: int | None = None
    height: int | None = None
    size: tuple[int, int] | None = None
    fit: str = "cover"
    position: Gravity = Compass.CENTER
    background: Color | None = None
    enlarge: bool = False
    extract: tuple[int, int, int, int] | None = None  # left, top, width, height
    extend: tuple[int, int, int, int] = (0, 0, 0, 0)  # top, right, bottom, left
    rotate: int = 0
    flip: bool = False
    flop: bool = False
    grayscale: bool = False
    flatten: bool = False
    blur: float = 0
    sharpen: float = 0
    quality: int | None = None
    format: str | None = None
    animated: bool = False
    turned_last: bool = False  # after the resize: modifiers run in the order of their names


Values = Sequence[str]
Reader = Callable[[Modifiers, Values], None]


def _side(values: Values) -> int:
    side = int(positive(values[0]))
    if side < 1:
        raise ValueError("a side is at least 1")
    return side


def _width(modifiers: Modifiers, values: Values) -> None:
    modifiers.width, modifiers.height, modifiers.size = _side(values), None, None


def _height(modifiers: Modifiers, values: Values) -> None:
    modifiers.height = _side(values)


def _resize(modifiers: Modifiers, values: Values) -> None:
    match = _SIZE.fullmatch(values[0])
    if match is None:
        raise ValueError("not a size")
    width, height = (int(side or 0) for side in match.groups())
    if width:
        modifiers.width = modifiers.height = None
        modifiers.size = (width, height or width)


def _fit(modifiers: Modifiers, values: Values) -> None:
    modifiers.fit = {name: name for name in FITS}[values[0]]


def _position(modifiers: Modifiers, values: Values) -> None:
    modifiers.position = _POSITIONS[values[0]]


def _background(modifiers: Modifiers, values: Values) -> None:
    modifiers.background = color(values[0])


def _enlarge(modifiers: Modifiers, _: Values) -> None:
    modifiers.enlarge = True


def _extract(modifiers: Modifiers, values: Values) -> None:
    left, top, width, height = map(whole, values[:4])
    if not (width and height):
        raise ValueError("an empty part")
    modifiers.extract = (left, top, width, height)


def _extend(modifiers: Modifiers, values: Values) -> None:
    top, right, bottom, left = (whole(each) if each else 0 for each in (*values[:4], *[""] * (4 - len(values[:4]))))
    modifiers.extend = (top, right, bottom, left)


def _rotate(modifiers: Modifiers, values: Values) -> None:
    angle = number(values[0])
    if angle % 90:
        unsupported("rotate with other angles than 90, 180 and 270")
    modifiers.rotate = int(angle) % 360
    modifiers.turned_last = bool(modifiers.size or modifiers.height)


def _flip(modifiers: Modifiers, _: Values) -> None:
    modifiers.flip = True


def _flop(modifiers: Modifiers, _: Values) -> None:
    modifiers.flop = True


def _grayscale(modifiers: Modifiers, _: Values) -> None:
    modifiers.grayscale = True


def _flatten(modifiers: Modifiers, _: Values) -> None:
    modifiers.flatten = True


def _blur(modifiers: Modifiers, values: Values) -> None:
    modifiers.blur = _sigma(values, 0.3, 1000)


def _sharpen(modifiers: Modifiers, values: Values) -> None:
    modifiers.sharpen = _sigma(values, 0.01, 10_000)


def _sigma(values: Values, least: float, most: float) -> float:
    sigma = number(values[0])
    if not least <= sigma <= most:
        raise ValueError("a sigma that sharp does not take")
    return sigma


def _quality(modifiers: Modifiers, values: Values) -> None:
    quality = whole(values[0])
    if not 1 <= quality <= 100:
        raise ValueError("a quality is 1-100")
    modifiers.quality = quality


def _format(modifiers: Modifiers, values: Values) -> None:
    if values[0] in ("tiff", "heif", "jp2", "jxl"):
        unsupported("formats other than jpeg, png, webp, avif and gif")
    modifiers.format = values[0]


def _animated(modifiers: Modifiers, _: Values) -> None:
    modifiers.animated = True


def _kernel(_: Modifiers, values: Values) -> None:
    if values[:1] not in (["cubic"], ["mitchell"], ["lanczos2"], ["lanczos3"]):
        unsupported("kernel")


def _without_counterpart(name: str) -> Reader:
    def read(_: Modifiers, __: Values) -> None:
        unsupported(name)

    return read


_OTHERS = ("median", "gamma", "threshold", "tint", "modulate", "trim", "negate", "normalize")
# By every name: the long one, and the reader.
MODIFIERS: dict[str, tuple[str, Reader]] = {
    name: (names[0], read)
    for names, read in (
        (("width", "w"), _width),
        (("height", "h"), _height),
        (("resize", "s"), _resize),
        (("fit",), _fit),
        (("position", "pos"), _position),
        (("background", "b"), _background),
        (("enlarge",), _enlarge),
        (("extract", "crop"), _extract),
        (("extend",), _extend),
        (("rotate",), _rotate),
        (("flip",), _flip),
        (("flop",), _flop),
        (("grayscale",), _grayscale),
        (("flatten",), _flatten),
        (("blur",), _blur),
        (("sharpen",), _sharpen),
        (("quality", "q"), _quality),
        (("format", "f"), _format),
        (("animated", "a"), _animated),
        (("kernel",), _kernel),
        *(((name,), _without_counterpart(name)) for name in _OTHERS),
    )
    for name in names
}
