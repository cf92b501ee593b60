"""Codecs of filter arguments: `read_…` parses text into fields of a transform, `write_…` is its inverse.

`read_…` raises ValueError or KeyError for invalid text.
"""

from thumbs.image import colors
from thumbs.image.formats import OUTPUT_NAMES
from thumbs.image.outputs import DATA, JSON
from thumbs.image.transforms import (
    ALL_FRAMES,
    AUTO,
    NO_PADDING,
    ORIGINAL,
    Attention,
    Compass,
    Crop,
    Fit,
    Focus,
    Gravity,
    Padding,
    Transform,
    Trim,
    Watermark,
)
from thumbs.request.scalars import NAME, SECONDS, decimal, decimal_text, matched, whole

Fields = dict[str, object]
_WATERMARK_DEFAULTS = ("center", "100", "0")  # gravity, opacity, scale


def read_format(text: str) -> Fields:
    return {"format": text if text in (AUTO, JSON, ORIGINAL) else OUTPUT_NAMES[text]}


def read_data(text: str) -> Fields:
    parts = text.split(",")
    data = tuple(part for part in DATA if part in parts)
    if len(data) != len(parts):
        raise ValueError("each part of the data once")
    return {"data": data}


def read_fit(text: str) -> Fields:
    name, comma, color = text.partition(",")
    fit = Fit(name)
    if comma and fit is not Fit.FILL:
        raise ValueError("only fill takes a color")
    return {"fit": fit, "fill": colors.parse(color) if comma else None}


def write_fit(transform: Transform) -> str | None:
    if transform.fill is not None:
        return f"{transform.fit},{colors.build(transform.fill)}"
    return None if transform.fit is Fit.COVER else transform.fit


def read_crop(text: str) -> Fields:
    return {"crop": Crop(*_four([whole(part) for part in text.split(",")]))}


def read_pcrop(text: str) -> Fields:
    return {"crop": Crop(*_four([decimal(part) for part in text.split(",")]), percent=True)}


def _four(edges: list[float] | list[int]) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = edges
    return x1, y1, x2, y2


def write_crop(transform: Transform, *, percent: bool) -> str | None:
    crop = transform.crop
    if crop is None or crop.percent is not percent:
        return None
    return ",".join(decimal_text(edge) for edge in crop.edges)


_GRAVITIES: dict[str, Gravity] = {gravity.value: gravity for gravity in (*Compass, *Attention)}


def read_gravity(text: str) -> Fields:
    if "," in text:
        x, y = text.split(",")
        return {"gravity": Focus(decimal(x), decimal(y))}
    return {"gravity": _GRAVITIES[text]}


def write_gravity(transform: Transform) -> str | None:
    gravity = transform.gravity
    if isinstance(gravity, Focus):
        return f"{decimal_text(gravity.x)},{decimal_text(gravity.y)}"
    return None if gravity is Compass.CENTER else gravity


def read_padding(text: str) -> Fields:
    sides = [whole(part) for part in text.split(",")]
    # As in CSS: all four; vertical, horizontal; top, horizontal, bottom; top, right, bottom, left.
    if not 1 <= len(sides) <= 4:
        raise ValueError("one to four sides")
    top, right = sides[0], sides[1 % len(sides)]
    bottom = sides[2] if len(sides) > 2 else top
    left = sides[3] if len(sides) > 3 else right
    return {"padding": Padding(top, right, bottom, left)}


def write_padding(transform: Transform) -> str | None:
    top, right, bottom, left = transform.padding.sides
    if transform.padding == NO_PADDING:
        return None
    if (top, right) == (bottom, left):
        return str(top) if top == right else f"{top},{right}"
    return f"{top},{right},{bottom},{left}"


def read_rotate(text: str) -> Fields:
    return {"rotate": {"90": 90, "180": 180, "270": 270}[text]}


def read_preset(text: str) -> Fields:
    return {"preset": matched(NAME, text)}


def read_expires(text: str) -> Fields:
    return {"expires": int(matched(SECONDS, text))}


def read_trim(text: str) -> Fields:
    tolerance, comma, color = text.partition(",")
    return {"trim": Trim(whole(tolerance), colors.parse(color) if comma else None)}


def write_trim(transform: Transform) -> str | None:
    trim = transform.trim
    if trim is None:
        return None
    return str(trim.tolerance) if trim.color is None else f"{trim.tolerance},{colors.build(trim.color)}"


def read_watermark(text: str) -> Fields:
    name, *rest = text.split(",")
    gravity, opacity, scale = (*rest, *_WATERMARK_DEFAULTS[len(rest) :])
    return {"watermark": Watermark(matched(NAME, name), Compass(gravity), whole(opacity), decimal(scale))}


def write_watermark(transform: Transform) -> str | None:
    watermark = transform.watermark
    if watermark is None:
        return None
    texts = [watermark.gravity, str(watermark.opacity), decimal_text(watermark.scale)]
    while texts and texts[-1] == _WATERMARK_DEFAULTS[len(texts) - 1]:
        texts.pop()
    return ",".join((watermark.name, *texts))


def read_frames(text: str) -> Fields:
    count = {"first": 1, "all": ALL_FRAMES}.get(text)
    if count is None:
        count = whole(text)
        if count < 1:
            raise ValueError("frames are counted from 1")
    return {"frames": count}


def write_frames(transform: Transform) -> str | None:
    if transform.frames == 1:
        return None
    return "all" if transform.frames == ALL_FRAMES else str(transform.frames)
