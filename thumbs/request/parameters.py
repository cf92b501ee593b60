"""The arguments of filters as a form can ask for them: the kind of each, its bounds and its choices. Data only."""

from collections.abc import Iterable
from dataclasses import dataclass
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

DEFAULT_SHARPEN = 0.8  # sigma; restores about the sharpness that resizing loses


class Kind(StrEnum):
    """What kind of control asks for an argument."""

    RANGE = "range"
    CHOICE = "choice"
    COLOR = "color"
    POINT = "point"
    BOX = "box"
    NAME = "name"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a filter; of `POINT` and `BOX`, the two and four numbers that stand in its place.

    `name` labels it. `choices` are words that it takes, besides its numbers where it is a range or a point. A range
    goes from `least` to `most`, without a bound where that is None, in steps of `step`. `start` is a number that shows
    what the filter does, for a form to begin with. `default` is the text that an absent argument stands for, where it
    is `optional`. `only_with` is the first argument that it may follow, empty for any. `names` says of what a name is
    one: `presets` or `watermarks`. `unit` is that of numbers.
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
    only_with: str = ""
    names: str = ""
    unit: str = ""


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


def color(*, optional: bool = False, only_with: str = "") -> Parameter:
    """A color in hex digits or by its CSS name."""
    return Parameter(Kind.COLOR, "color", optional=optional, only_with=only_with)


def name_of(names: str) -> Parameter:
    """The name of one of the `presets` or `watermarks` of the configuration."""
    return Parameter(Kind.NAME, names=names)


def number_or(choices: Iterable[str], *, least: float) -> Parameter:
    """One of several words, or a whole number."""
    return Parameter(Kind.RANGE, choices=tuple(choices), least=least, start=least)


def point_or(choices: Iterable[str]) -> Parameter:
    """One of several words, or a point of the picture: two fractions, from 0 to 1, from the top left."""
    return Parameter(Kind.POINT, choices=tuple(choices), most=1, step=0.01, start=0.5)


def box(unit: str, most: float | None = None, *, step: float = 1) -> Parameter:
    """Left, top, right and bottom edge of a part of the upright original, in `unit`: `px` or `%`."""
    return Parameter(Kind.BOX, most=most, step=step, unit=unit)


FORMAT = (choice((*(name for name, row in FORMATS.items() if row.output), AUTO, JSON, ORIGINAL)),)
DATA_ABOUT = (choice((*DATA, ",".join(DATA))),)
FIT = (choice(Fit), color(optional=True, only_with=Fit.FILL))
ALIGN = (point_or(Compass),)
GRAVITY = (point_or((*Compass, *Attention)),)
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
)
