"""Codecs of filter arguments: `read_…` parses text into fields of a transform, `write_…` is its inverse.

`read_…` raises ValueError or KeyError for invalid text.
"""

from collections.abc import Sequence

from thumbs.image import colors
from thumbs.image.formats import OUTPUT_NAMES
from thumbs.image.outputs import DATA, JSON
from thumbs.image.transforms import (
    ALL_FRAMES,
    AUTO,
    NO_PADDING,
    ORIGINAL,
    Anchor,
    Attention,
    Compass,
    Crop,
    Fit,
    Focus,
    Gravity,
    Padding,
    SizedCrop,
    Transform,
    Trim,
    Upscale,
    Watermark,
)
from thumbs.request.parameters import CLAMP, FOCUS
from thumbs.request.scalars import NAME, SECONDS, decimal, decimal_text, matched, signed, signed_decimal, whole

Fields = dict[str, object]
_WATERMARK_DEFAULTS = ("center", "100", "0", "0", "0")  # gravity, opacity, scale, offsets
_PIXELS = "px"  # behind each number of a point in pixels


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
    parts = text.split(",")
    if len(parts) > 2 and parts[2].isalpha():
        return {"crop": _sized_crop(*parts)}
    clamp = parts[-1] == CLAMP
    return {"crop": Crop(*_four([whole(part) for part in (parts[:-1] if clamp else parts)]), clamp=clamp)}


def _sized_crop(width: str, height: str, name: str, *numbers: str) -> SizedCrop:
    gravity = _point(numbers) if name == FOCUS else _anchor(name, numbers)
    return SizedCrop(decimal(width), decimal(height), gravity)


def read_pcrop(text: str) -> Fields:
    return {"crop": Crop(*_four([decimal(part) for part in text.split(",")]), percent=True)}


def _four(edges: list[float] | list[int]) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = edges
    return x1, y1, x2, y2


def write_crop(transform: Transform, *, percent: bool) -> str | None:
    crop = transform.crop
    if crop is None or (isinstance(crop, Crop) and crop.percent) is not percent:
        return None
    if isinstance(crop, Crop):
        return ",".join((*map(decimal_text, crop.edges), *([CLAMP] if crop.clamp else [])))
    point = f"{FOCUS}," if isinstance(crop.gravity, Focus) else ""
    return f"{decimal_text(crop.width)},{decimal_text(crop.height)},{point}{_gravity_text(crop.gravity)}"


_ATTENTIONS: dict[str, Attention] = {attention.value: attention for attention in Attention}


def read_gravity(text: str) -> Fields:
    return {"gravity": _ATTENTIONS[text] if text in _ATTENTIONS else _direction(text)}


def read_align(text: str) -> Fields:
    return {"align": _direction(text)}


def _direction(text: str) -> Compass | Focus | Anchor:
    parts = text.split(",")
    return _anchor(parts[0], parts[1:]) if parts[0].isalpha() else _point(parts)


def _anchor(name: str, numbers: Sequence[str]) -> Compass | Anchor:
    if not numbers:
        return Compass(name)
    x, y = numbers
    return Anchor(Compass(name), signed_decimal(x), signed_decimal(y))


def _point(numbers: Sequence[str]) -> Focus:
    x, y = numbers
    if x.endswith(_PIXELS) and y.endswith(_PIXELS):
        return Focus(decimal(x.removesuffix(_PIXELS)), decimal(y.removesuffix(_PIXELS)), pixels=True)
    return Focus(decimal(x), decimal(y))


def _gravity_text(gravity: Gravity) -> str:
    if isinstance(gravity, Focus):
        unit = _PIXELS if gravity.pixels else ""
        return f"{decimal_text(gravity.x)}{unit},{decimal_text(gravity.y)}{unit}"
    if isinstance(gravity, Anchor):
        return f"{gravity.compass},{decimal_text(gravity.x)},{decimal_text(gravity.y)}"
    return str(gravity)


def write_gravity(transform: Transform) -> str | None:
    return None if transform.gravity is Compass.CENTER else _gravity_text(transform.gravity)


def write_align(transform: Transform) -> str | None:
    return None if transform.align is Compass.CENTER else _gravity_text(transform.align)


def read_upscale(text: str) -> Fields:
    return {"upscale": {"yes": True, "no": False, "ratio": Upscale.RATIO}[text]}


def write_upscale(transform: Transform) -> str | None:
    return {None: None, True: "yes", False: "no", Upscale.RATIO: "ratio"}[transform.upscale]


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
    if len(rest) == len(_WATERMARK_DEFAULTS) - 1:
        raise ValueError("two offsets")
    gravity, opacity, scale, x, y = (*rest, *_WATERMARK_DEFAULTS[len(rest) :])
    fields = (Compass(gravity), whole(opacity), decimal(scale), signed(x), signed(y))
    return {"watermark": Watermark(matched(NAME, name), *fields)}


def write_watermark(transform: Transform) -> str | None:
    watermark = transform.watermark
    if watermark is None:
        return None
    offsets = str(watermark.x), str(watermark.y)
    texts = [watermark.gravity, str(watermark.opacity), decimal_text(watermark.scale), *offsets]
    if offsets == ("0", "0"):
        texts = texts[:-2]
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
