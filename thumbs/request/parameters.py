"""The arguments of filters as a form can ask for them: the kind of each, its bounds and its choices. Data only."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from thumbs.image.formats import FORMATS
from thumbs.image.limits import MAX_SIDE
from thumbs.image.outputs import DATA, JSON
from thumbs.image.transforms import (
    AUTO,
    MAX_SHARPEN_SIGMA,
    MAX_SIGMA,
    MIN_SIGMA,
    ORIGINAL,
    Attention,
    Compass,
    Fit,
    Upscale,
)

CLAMP = "clamp"  # of a crop: what lies outside of the source is cut off
FOCUS = "focus"  # of a crop by its size: the word before a point
DEFAULT_SHARPEN = 0.8  # sigma; restores about the sharpness that resizing loses


class Kind(StrEnum):
    """What kind of control asks for an argument."""

    RANGE = "range"
    CHOICE = "choice"
    COLOR = "color"
    POINT = "point"
    BOX = "box"
    OFFSETS = "offsets"
    NAME = "name"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a filter; of `BOX` the four, of `POINT` and `OFFSETS` the two numbers that stand in its place.

    `name` labels it. `choices` are words that it takes, besides its numbers where it is a range or a point. A range
    goes from `least` to `most`, without a bound where that is None, in steps of `step`, of any size where that is 0.
    `start` is a number that shows what the filter does, for a form to begin with. `default` is the text that an absent
    argument stands for, where it is `optional`. `only_with` are the words before it that it may follow, empty for any.
    `names` says of what a name is one: `presets` or `watermarks`. `unit` is that of numbers. A point in `pixels` too
    has `px` behind each number then, and `before` is a word that stands before the numbers of a point. A point
    `on_canvas` is none of the original.

    Of a filter that can be given in several ways, `way` names the one that it belongs to. All of a way are together.
    """

    kind: Kind = Kind.TEXT
    name: str = ""
    choices: tuple[str, ...] = ()
    least: float = 0
    most: float | None = None
    step: float = 1
    start: float = 0
    default: str = ""
    optional: bool = False
    only_with: tuple[str, ...] = ()
    names: str = ""
    unit: str = ""
    pixels: bool = False
    before: str = ""
    on_canvas: bool = False
    way: str = ""


ANY_TEXT = (Parameter(),)


def number(
    start: float, least: float, most: float | None = None, *, step: float = 1, name: str = "", unit: str = ""
) -> Parameter:
    """A number that has to be given."""
    return Parameter(Kind.RANGE, name, least=least, most=most, step=step, start=start, unit=unit)


def optional_number(default: float, most: float, *, least: float = 0, step: float = 1, name: str = "") -> Parameter:
    """A number that may be left out at the end."""
    return Parameter(
        Kind.RANGE, name, least=least, most=most, step=step, start=default, default=f"{default:g}", optional=True
    )


def choice(choices: Iterable[str], *, name: str = "") -> Parameter:
    """One of several words."""
    return Parameter(Kind.CHOICE, name, tuple(dict.fromkeys(choices)))


def optional_choice(default: str, choices: Iterable[str], *, name: str = "") -> Parameter:
    """One of several words, which may be left out at the end."""
    return Parameter(Kind.CHOICE, name, tuple(dict.fromkeys(choices)), default=default, optional=True)


def color(*, optional: bool = False, only_with: Iterable[str] = ()) -> Parameter:
    """A color in hex digits or by its CSS name."""
    return Parameter(Kind.COLOR, "color", optional=optional, only_with=tuple(only_with))


def name_of(names: str) -> Parameter:
    """The name of one of the `presets` or `watermarks` of the configuration."""
    return Parameter(Kind.NAME, names=names)


def number_or(choices: Iterable[str], *, least: float) -> Parameter:
    """One of several words, or a whole number."""
    return Parameter(Kind.RANGE, choices=tuple(choices), least=least, start=least)


def point_or(choices: Iterable[str], *, name: str = "", pixels: bool = False, before: str = "") -> Parameter:
    """One of several words, or a point of the picture: two fractions, from 0 to 1, from the top left.

    With `pixels`, also two numbers of pixels of the source, each with `px` behind it.
    """
    return Parameter(Kind.POINT, name, tuple(choices), most=1, step=0.01, start=0.5, pixels=pixels, before=before)


def offsets(*, only_with: Iterable[str] = (), step: float = 1) -> Parameter:
    """How far something is moved from a side or a corner, inwards: two numbers, which may be left out together."""
    return Parameter(
        Kind.OFFSETS, "offsets", step=step, default="0,0", optional=True, only_with=tuple(only_with), unit="px"
    )


def ways(**parameters: Iterable[Parameter]) -> tuple[Parameter, ...]:
    """The parameters of a filter that can be given in several ways, by the name of each."""
    return tuple(replace(each, way=way.replace("_", " ")) for way, found in parameters.items() for each in found)


def box(unit: str, most: float | None = None, *, step: float = 1) -> Parameter:
    """Left, top, right and bottom edge of a part of the upright original, in `unit`: `px` or `%`."""
    return Parameter(Kind.BOX, most=most, step=step, unit=unit)


FORMAT = (choice((*(name for name, row in FORMATS.items() if row.output), AUTO, JSON, ORIGINAL)),)
DATA_ABOUT = (choice((*DATA, ",".join(DATA))),)
FIT = (choice(Fit), color(optional=True, only_with=[Fit.FILL]))
# An offset, as a side of a crop by its size, is a whole number of pixels, or below 1 a share of the side.
_OFFSETS = offsets(only_with=Compass, step=0)
ALIGN = (replace(point_or(Compass), on_canvas=True), _OFFSETS)
GRAVITY = (point_or((*Compass, *Attention), pixels=True), _OFFSETS)
CROP = ways(
    edges=(box("px"), optional_choice("", ("", CLAMP), name="what lies outside")),
    size_and_gravity=(
        number(200, 0, step=0, name="width", unit="px"),
        number(200, 0, step=0, name="height", unit="px"),
        point_or(Compass, name="gravity", pixels=True, before=FOCUS),
        _OFFSETS,
    ),
)
UPSCALE = (choice(("yes", "no", Upscale.RATIO)),)
TRIM = (number(10, 0, 255, name="tolerance"), color(optional=True))
BLUR = number(3, MIN_SIGMA, MAX_SIGMA, step=0.1, unit="px")
SHARPEN = optional_number(DEFAULT_SHARPEN, MAX_SHARPEN_SIGMA, least=MIN_SIGMA, step=0.1)
PADDING = tuple(number(16, 0, MAX_SIDE, name=side, unit="px") for side in ("top", "right", "bottom", "left"))
WATERMARK = (
    name_of("watermarks"),
    optional_choice(Compass.CENTER, Compass, name="place"),
    optional_number(100, 100, name="opacity"),
    optional_number(0, 1, step=0.01, name="scale"),
    offsets(),
)
