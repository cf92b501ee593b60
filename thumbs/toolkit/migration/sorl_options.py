"""The geometry and the options of sorl-thumbnail 13, as its `engines/base.py` and `parsers.py` read them."""

import re
from collections.abc import Mapping

from thumbs.toolkit.migration.editing import expressions
from thumbs.toolkit.migration.editing.edits import Unmapped
from thumbs.toolkit.migration.editing.site import SiteSettings
from thumbs.toolkit.migration.editing.wanted import (
    Options,
    Value,
    Wanted,
    color,
    fraction,
    output_format,
    quality,
    sized,
)

_GEOMETRY = re.compile(r"([0-9]+)?(?:x([0-9]+))?")
_BOX = re.compile(r"\s*[0-9]+\s*(?:,\s*[0-9]+\s*){3}")
_COMPASS = {
    (0, 0): "northwest", (50, 0): "north", (100, 0): "northeast", (0, 50): "west", (50, 50): "",
    (100, 50): "east", (0, 100): "southwest", (50, 100): "south", (100, 100): "southeast",
}  # fmt: skip
_X, _Y = {"left": "0%", "center": "50%", "right": "100%"}, {"top": "0%", "center": "50%", "bottom": "100%"}
_UNKNOWN = frozenset({"rounded", "remove_border"})
DROPPED = {"progressive": "Mage decides how a JPEG is encoded", "flatten": "Mage lays transparency on white for JPEG"}
_HANDLED = frozenset(
    {"crop", "upscale", "padding", "padding_color", "quality", "format", "colorspace", "orientation", "cropbox", "blur"}
    | _UNKNOWN
    | DROPPED.keys()
)


def wanted(geometry: str, options: Mapping[str, Value | None], site: SiteSettings) -> Wanted:
    """The thumbnail of a geometry and options. Raises `Unmapped`."""
    found = _GEOMETRY.fullmatch(geometry)
    if found is None or not geometry:
        raise Unmapped(f"{geometry!r} is no geometry of sorl-thumbnail.")
    width, height = (int(side) if side else None for side in found.groups())
    for name in [name for name in options if name not in _HANDLED or (name in _UNKNOWN and options[name])]:
        raise Unmapped(f"Mage has no equivalent of the option {name}.")
    crop = expressions.constant_text(options.get("crop") or None, "The crop is known only when the page is rendered.")
    cover = crop not in ("", "noop", "False")
    upscale = expressions.truth(options.get("upscale", site.upscale), "upscale")
    extra = _gravity(crop) if cover and width and height else {}
    extra |= _effects(options, site)
    padded = expressions.truth(options.get("padding", site.padding), "padding") and width and height
    if padded and cover and not upscale:
        raise Unmapped("Mage does not pad what it has cropped.")
    made = sized(width, height, cover=cover, upscale=upscale, **extra)
    if padded and not cover:
        text = expressions.constant_text(options.get("padding_color", site.padding_color), "The color is not constant.")
        return Wanted(made.spec, {**made.options, "fit": f"fill,{color(text)}"})
    return made


def _gravity(crop: str) -> Options:
    """The part that a crop keeps: percent of what is cut off, in sorl-thumbnail."""
    if crop == "smart":
        return {"gravity": "entropy"}
    words = crop.split(" ")
    if len(words) == 1:
        words = [_X[crop], "50%"] if crop in _X else ["50%", _Y[crop]] if crop in _Y else [crop, crop]
    if len(words) != 2:
        raise Unmapped(f"{crop!r} is no crop of sorl-thumbnail.")
    texts = _X.get(words[0], words[0]), _Y.get(words[1], words[1])
    if any(re.fullmatch(r"[0-9]+px", text) for text in texts):
        raise Unmapped("Mage has no crop by pixels of the thumbnail.")
    if not all(re.fullmatch(r"[0-9]+%", text) for text in texts):
        raise Unmapped(f"{crop!r} is no crop of sorl-thumbnail.")
    x, y = (min(100, int(text[:-1])) for text in texts)
    named = _COMPASS.get((x, y))
    return ({"gravity": named} if named else {}) if named is not None else {"gravity": f"{fraction(x)},{fraction(y)}"}


def _effects(options: Mapping[str, Value | None], site: SiteSettings) -> Options:
    made: Options = {}
    if not expressions.truth(options.get("orientation", site.orientation), "orientation"):
        raise Unmapped("Mage always turns a picture upright.")
    if (box := options.get("cropbox")) is not None and box is not False:
        text = expressions.constant_text(box, "The cropbox is known only when the page is rendered.")
        if not _BOX.fullmatch(text):
            raise Unmapped(f"{text!r} is no cropbox of sorl-thumbnail.")
        made["crop"] = "".join(text.split())
    if (kind := options.get("format")) is not None:
        made["format"] = output_format(expressions.constant_text(kind, "The format is not constant."))
    if (value := options.get("quality")) is not None:
        made["quality"] = quality(value)
    space = expressions.constant_text(options.get("colorspace", site.colorspace), "The colorspace is not constant.")
    if space == "GRAY":
        made["grayscale"] = True
    elif space not in ("RGB", ""):
        raise Unmapped(f"Mage has no colorspace {space}.")
    if (blur := options.get("blur", site.blur)) and str(blur) != "0":
        made["blur"] = _sigma(blur)
    return made


def _sigma(blur: Value) -> Value:
    text = expressions.constant_text(blur, "The blur is known only when the page is rendered.")
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise Unmapped("A blur is a whole number of pixels, up to 100.")
    return int(text)
