"""The spelling of every filter: one row each, reading and writing side by side.

A filter that is not in the table does not exist. Pixels are another table, in `render`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from thumbs import colours
from thumbs.errors import BadFilter
from thumbs.formats import OUTPUT_NAMES
from thumbs.transforms import AUTO, Attention, Compass, Crop, Fit, Focus, Gravity, Transform

Fields = dict[str, object]


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


# ------------------------------------------------------------------------------------- arguments

_WHOLE = re.compile(r"0|[1-9][0-9]{0,8}")
_DECIMAL = re.compile(r"(?:0|[1-9][0-9]{0,5})(?:\.[0-9]{1,6})?")
_TOKEN = re.compile(r"[A-Za-z0-9._~-]{1,64}")
_SECONDS = re.compile(r"[1-9][0-9]{0,11}")
_FILTER = re.compile(r"([a-z_]{1,32})(?:\(([^()/]*)\))?")


def _matched(pattern: re.Pattern[str], text: str) -> str:
    if pattern.fullmatch(text) is None:
        raise ValueError("not of the form")
    return text


def _whole(text: str) -> int:
    return int(_matched(_WHOLE, text))


def _decimal(text: str) -> float:
    return float(_matched(_DECIMAL, text))


def decimal_text(value: float) -> str:
    """`value` as a URL spells it: at most six decimals, no trailing zeros, never an exponent."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _yes_or_no(text: str) -> bool:
    return {"yes": True, "no": False}[text]


# --------------------------------------------------------------------------------------- filters


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
    return {"crop": Crop(*_four([_whole(part) for part in text.split(",")]))}


def _read_pcrop(text: str) -> Fields:
    return {"crop": Crop(*_four([_decimal(part) for part in text.split(",")]), percent=True)}


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
        return {"gravity": Focus(_decimal(x), _decimal(y))}
    return {"gravity": _PLACES[text]}


def _write_gravity(transform: Transform) -> str | None:
    gravity = transform.gravity
    if isinstance(gravity, Focus):
        return f"{decimal_text(gravity.x)},{decimal_text(gravity.y)}"
    return None if gravity is Compass.CENTER else gravity


def _write_upscale(transform: Transform) -> str | None:
    return None if transform.upscale is None else ("yes" if transform.upscale else "no")


def _read_expires(text: str) -> Fields:
    return {"expires": int(_matched(_SECONDS, text))}


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
        lambda text: {"quality": _whole(text)},
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
    Filter("upscale", "yes or no", lambda text: {"upscale": _yes_or_no(text)}, _write_upscale, short="up"),
    Filter(
        "dpr",
        "a number from 1 to 4",
        lambda text: {"dpr": _decimal(text)},
        lambda transform: None if transform.dpr == 1 else decimal_text(transform.dpr),
    ),
    Filter(
        "version",
        "1 to 64 letters, digits, dots, underscores, tildes or hyphens",
        lambda text: {"version": _matched(_TOKEN, text)},
        lambda transform: transform.version,
        short="v",
    ),
    # Not a part of the transform, so `build_filters` writes it.
    Filter("expires", "a time in Unix seconds", _read_expires, lambda _: None, short="exp"),
)
FILTERS: dict[str, Filter] = {row.name: row for row in _ROWS}
_BY_SPELLING: dict[str, Filter] = FILTERS | {row.short: row for row in _ROWS if row.short}

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
    return ";".join(f"{name}({arguments})" for name, arguments in written if arguments is not None)


def _read(row: Filter, arguments: str) -> Fields:
    try:
        changes = row.read(arguments)
        # A field that no transform may hold is a bad argument of this filter.
        Transform(**{name: value for name, value in changes.items() if name != "expires"})  # type: ignore[arg-type]
    except (ValueError, KeyError):
        raise BadFilter(f"{row.name} takes {row.takes}.") from None
    return changes
