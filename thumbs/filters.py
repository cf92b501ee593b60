"""The spelling of every filter: one row each, reading and writing side by side.

A filter that is not in the table does not exist. Pixels are another table, in `render`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from thumbs import colours
from thumbs.arguments import NAME, SECONDS, TOKEN, decimal, decimal_text, matched, signed, whole, yes_or_no
from thumbs.errors import BadFilter
from thumbs.formats import OUTPUT_NAMES
from thumbs.transforms import AUTO, NO_PADDING, Attention, Compass, Crop, Fit, Focus, Gravity, Padding, Transform

Fields = dict[str, object]
DEFAULT_SHARPEN = 0.8  # the sigma of what resizing takes away, about


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter: `read` turns arguments into fields of a transform or raises ValueError, `write` is its inverse.

    `takes` ends the sentence "{name} takes …" of the answer to a bad argument.
    """

    name: str
    takes: str
    read: Callable[[str], Fields]
    write: Callable[[Transform], str | None]
    short: str | None = None


_FILTER = re.compile(r"([a-z_]{1,32})(?:\(([^()/]*)\))?")


def _read_format(text: str) -> Fields:
    return {"format": AUTO if text == AUTO else OUTPUT_NAMES[text]}


def _read_fit(text: str) -> Fields:
    name, comma, colour = text.partition(",")
    fit = Fit(name)
    if comma and fit is not Fit.FILL:
        raise ValueError("only fill takes a colour")
    return {"fit": fit, "fill": colours.parse(colour) if comma else None}


def _write_fit(transform: Transform) -> str | None:
    if transform.fill is not None:
        return f"{transform.fit},{colours.build(transform.fill)}"
    return None if transform.fit is Fit.COVER else transform.fit


def _read_crop(text: str) -> Fields:
    return {"crop": Crop(*_four([whole(part) for part in text.split(",")]))}


def _read_pcrop(text: str) -> Fields:
    return {"crop": Crop(*_four([decimal(part) for part in text.split(",")]), percent=True)}


def _four(edges: list[float] | list[int]) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = edges
    return x1, y1, x2, y2


def _write_crop(transform: Transform, *, percent: bool) -> str | None:
    crop = transform.crop
    if crop is None or crop.percent is not percent:
        return None
    return ",".join(decimal_text(edge) for edge in crop.edges)


_PLACES: dict[str, Gravity] = {place.value: place for place in (*Compass, *Attention)}


def _read_gravity(text: str) -> Fields:
    if "," in text:
        x, y = text.split(",")
        return {"gravity": Focus(decimal(x), decimal(y))}
    return {"gravity": _PLACES[text]}


def _write_gravity(transform: Transform) -> str | None:
    gravity = transform.gravity
    if isinstance(gravity, Focus):
        return f"{decimal_text(gravity.x)},{decimal_text(gravity.y)}"
    return None if gravity is Compass.CENTER else gravity


def _write_upscale(transform: Transform) -> str | None:
    return None if transform.upscale is None else ("yes" if transform.upscale else "no")


def _read_padding(text: str) -> Fields:
    sides = [whole(part) for part in text.split(",")]
    # One to four values as in CSS: all; top and bottom, left and right; top, left and right, bottom; each.
    if not 1 <= len(sides) <= 4:
        raise ValueError("one to four sides")
    top, right = sides[0], sides[1 % len(sides)]
    bottom = sides[2] if len(sides) > 2 else top
    left = sides[3] if len(sides) > 3 else right
    return {"padding": Padding(top, right, bottom, left)}


def _write_padding(transform: Transform) -> str | None:
    top, right, bottom, left = transform.padding.sides
    if transform.padding == NO_PADDING:
        return None
    if (top, right) == (bottom, left):
        return str(top) if top == right else f"{top},{right}"
    return f"{top},{right},{bottom},{left}"


def _read_rotate(text: str) -> Fields:
    return {"rotate": {"90": 90, "180": 180, "270": 270}[text]}


def _switch(name: str, *, short: str | None = None) -> Filter:
    def read(text: str) -> Fields:
        if text:
            raise ValueError("takes nothing")
        return {name: True}

    return Filter(name, "no argument", read, lambda transform: "" if getattr(transform, name) else None, short=short)


def _amount(name: str) -> Filter:
    def write(transform: Transform) -> str | None:
        amount: int = getattr(transform, name)
        return str(amount) if amount else None

    return Filter(name, "a whole number from -100 to 100", lambda text: {name: signed(text)}, write)


def _sigma(name: str, takes: str, default: float | None = None) -> Filter:
    def read(text: str) -> Fields:
        return {name: default if default is not None and not text else decimal(text)}

    def write(transform: Transform) -> str | None:
        sigma: float | None = getattr(transform, name)
        return None if sigma is None else decimal_text(sigma)

    return Filter(name, takes, read, write)


def _read_preset(text: str) -> Fields:
    return {"preset": matched(NAME, text)}


def _read_expires(text: str) -> Fields:
    return {"expires": int(matched(SECONDS, text))}


_ROWS = (
    Filter(
        "format",
        "jpeg, jpg, png, webp, avif, gif or auto",
        _read_format,
        lambda transform: transform.format,
        short="fmt",
    ),
    Filter(
        "quality",
        "a whole number from 1 to 100",
        lambda text: {"quality": whole(text)},
        lambda transform: None if transform.quality is None else str(transform.quality),
        short="q",
    ),
    Filter("fit", "cover, contain, fill, stretch, or fill and a colour: fill,ffcc00", _read_fit, _write_fit),
    Filter(
        "crop",
        "four whole numbers of pixels inside the upright source: left,top,right,bottom",
        _read_crop,
        lambda transform: _write_crop(transform, percent=False),
        short="c",
    ),
    Filter(
        "pcrop",
        "four numbers of percent, 0 to 100: left,top,right,bottom",
        _read_pcrop,
        lambda transform: _write_crop(transform, percent=True),
        short="pc",
    ),
    Filter(
        "gravity",
        "center, a compass direction such as northeast, smart, entropy, or a focal point such as 0.31,0.62",
        _read_gravity,
        _write_gravity,
        short="g",
    ),
    Filter("upscale", "yes or no", lambda text: {"upscale": yes_or_no(text)}, _write_upscale, short="up"),
    Filter(
        "dpr",
        "a number from 1 to 4",
        lambda text: {"dpr": decimal(text)},
        lambda transform: None if transform.dpr == 1 else decimal_text(transform.dpr),
    ),
    Filter(
        "rotate",
        "90, 180 or 270",
        _read_rotate,
        lambda transform: str(transform.rotate) if transform.rotate else None,
        short="r",
    ),
    _switch("flip"),
    _switch("flop"),
    _sigma("blur", "a sigma from 0.3 to 100"),
    _sigma("sharpen", "a sigma from 0.3 to 100, or nothing", default=DEFAULT_SHARPEN),
    _switch("grayscale", short="gray"),
    _amount("brightness"),
    _amount("contrast"),
    _amount("saturation"),
    Filter(
        "padding",
        "one to four whole numbers of pixels up to 5120, as in CSS: top,right,bottom,left",
        _read_padding,
        _write_padding,
        short="pad",
    ),
    Filter(
        "background",
        "a CSS colour name, hex digits such as ffcc00, or transparent",
        lambda text: {"background": colours.parse(text)},
        lambda transform: None if transform.background is None else colours.build(transform.background),
        short="bg",
    ),
    Filter(
        "max_bytes",
        "a whole number of bytes from 1",
        lambda text: {"max_bytes": whole(text)},
        lambda transform: None if transform.max_bytes is None else str(transform.max_bytes),
        short="mb",
    ),
    Filter(
        "version",
        "1 to 64 letters, digits, dots, underscores, tildes or hyphens",
        lambda text: {"version": matched(TOKEN, text)},
        lambda transform: transform.version,
        short="v",
    ),
    # Neither is a part of the transform: `grammar` puts what a preset stands for in its place, and `build_filters`
    # writes when a URL expires.
    Filter("preset", "the name of a preset of this server", _read_preset, lambda _: None, short="p"),
    Filter("expires", "a time in Unix seconds", _read_expires, lambda _: None, short="exp"),
)
FILTERS: dict[str, Filter] = {row.name: row for row in _ROWS}
_BY_SPELLING: dict[str, Filter] = FILTERS | {row.short: row for row in _ROWS if row.short}

_BESIDE = ("preset", "expires")  # what a filter can set that is no field of a transform

_UNKNOWN = f"Unknown filter. The filters are {', '.join(FILTERS)}."
_REPEATED = "A filter may stand only once in a URL."
_BOTH_CROPS = "crop and pcrop do not go together, and each may stand only once."


def parse_filters(text: str) -> Fields:
    """The fields that `name(arguments);name(arguments)…` sets. Raises `BadFilter`, naming the filter of ours."""
    fields: Fields = {}
    for spelled in text.split(";"):
        match = _FILTER.fullmatch(spelled)
        if match is None:
            raise BadFilter
        row = _BY_SPELLING.get(match[1])
        if row is None:
            raise BadFilter(_UNKNOWN)
        changes = _read(row, match[2] or "")
        if not changes.keys().isdisjoint(fields):
            raise BadFilter(_BOTH_CROPS if "crop" in changes else _REPEATED)
        fields |= changes
    return fields


def build_filters(transform: Transform, *, expires: int | None = None) -> str:
    """The canonical spelling, in the order of the table; empty when every field has its default."""
    written = [(row.name, row.write(transform)) for row in _ROWS]
    if expires is not None:
        written.append(("expires", str(expires)))
    return ";".join(
        f"{name}({arguments})" if arguments else name for name, arguments in written if arguments is not None
    )


def _read(row: Filter, arguments: str) -> Fields:
    try:
        changes = row.read(arguments)
        # A field that no transform may hold is a bad argument of this filter.
        Transform(**{name: value for name, value in changes.items() if name not in _BESIDE})  # type: ignore[arg-type]
    except (ValueError, KeyError):
        raise BadFilter(f"{row.name} takes {row.takes}.") from None
    return changes
