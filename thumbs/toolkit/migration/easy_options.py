"""The options and aliases of easy-thumbnails 2, as its `processors.py` reads them."""

import re
from collections.abc import Mapping

from thumbs.toolkit.migration.editing import expressions
from thumbs.toolkit.migration.editing.edits import Unmapped
from thumbs.toolkit.migration.editing.site import SiteSettings
from thumbs.toolkit.migration.editing.wanted import (
    Expression,
    Options,
    Value,
    Wanted,
    color,
    different_options,
    fraction,
    preset_name,
    quality,
    sized,
)

_EDGES = re.compile(r"(-?[0-9]+)?,(-?[0-9]+)?")
_TARGET = re.compile(r"([0-9]+)?,([0-9]+)?")
_VERTICAL, _HORIZONTAL = {"0": "north", "-0": "south"}, {"0": "west", "-0": "east"}
_HANDLED = frozenset(
    {"crop", "upscale", "quality", "bw", "sharpen", "autocrop", "replace_alpha", "background", "target", "size"}
)
_WHY = {
    "zoom": "Mage has no zoom: crop a preset with pcrop.",
    "detail": "Mage has no filter for details: sharpen is the nearest.",
}
# Of an alias: what changes no pixel's place, and is Mage's own business.
ENCODING = frozenset({"subsampling", "keep_icc_profile", "progressive", "optimize", "ALIAS", "HIGH_RESOLUTION"})


def known_alias(site: SiteSettings, name: str) -> Mapping[str, Value | None] | None:
    """The options of an alias, None where THUMBNAIL_ALIASES has none.

    Raises `Unmapped` where it has different ones, also by another name that is the same preset.
    """
    found = [aliases[name] for aliases in site.aliases.values() if name in aliases]
    if not found:
        return None
    if any(other != found[0] for other in found):
        raise Unmapped(f"THUMBNAIL_ALIASES has {name!r} with different options: a preset has one meaning everywhere.")
    for aliases in site.aliases.values():
        for other, options in aliases.items():
            if options != found[0] and preset_name(other) == preset_name(name):
                raise Unmapped(f"In THUMBNAIL_ALIASES, {different_options(name, other)}")
    return found[0]  # type: ignore[return-value]


def wanted_of_alias(options: Mapping[str, object], site: SiteSettings) -> Wanted:
    """The thumbnail of the options of an alias, with their `size`. Raises `Unmapped`."""
    size = options.get("size")
    if not isinstance(size, tuple | list) or len(size) != 2:
        raise Unmapped("The alias has no size of two sides.")
    return wanted((int(size[0] or 0), int(size[1] or 0)), _given(options), site)


def _given(options: Mapping[str, object]) -> dict[str, Value | None]:
    """The options of a setting as a tag has them: a sequence is a text with commas. Raises `Unmapped`."""
    given: dict[str, Value | None] = {}
    for name, value in options.items():
        if name in ENCODING or name == "size":
            continue
        if isinstance(value, tuple | list):
            value = ",".join("" if part is None else str(part) for part in value)  # noqa: PLW2901
        if value is not None and not isinstance(value, str | int | float | Expression):
            raise Unmapped(f"The value of {name} has no equivalent.")
        given[name] = value
    return given


def wanted(size: tuple[int, int], options: Mapping[str, Value | None], site: SiteSettings) -> Wanted:
    """The thumbnail of a size in pixels, 0 for a side that follows, and options. Raises `Unmapped`."""
    given = {**_given(site.default_options), **options}
    for name in given.keys() - _HANDLED:
        if given[name] not in (None, False, ""):
            raise Unmapped(_WHY.get(name, f"Mage has no equivalent of the option {name}."))
    crop = given.get("crop")
    if isinstance(crop, Expression):
        raise Unmapped("The crop is known only when the page is rendered.")
    cover = bool(crop)
    if crop == "scale":
        raise Unmapped('Mage has no crop="scale", a picture that is larger than the size in one direction.')
    upscale = expressions.truth(given.get("upscale"), "upscale")
    both = bool(size[0] and size[1])
    extra: Options = _gravity(str(crop), given.get("target")) if cover and both else {}
    extra |= _effects(given)
    made = sized(size[0] or None, size[1] or None, cover=cover, upscale=upscale, **extra)
    background = expressions.constant_text(given.get("background"), "The background is not constant.")
    if background and both:
        if cover and not upscale:
            raise Unmapped("Mage does not pad what it has cropped.")
        if not cover:
            return Wanted(made.spec, {**made.options, "fit": f"fill,{color(background)}"})
    return made


def _gravity(crop: str, target: Value | None) -> Options:
    if crop == "smart":
        return {"gravity": "entropy"}
    if (found := _EDGES.fullmatch(crop)) and any(found.groups()):
        x, y = found.groups()
        if x not in (None, *_HORIZONTAL) or y not in (None, *_VERTICAL):
            raise Unmapped("Mage has no crop at a distance from the edge.")
        return {"gravity": _VERTICAL.get(y or "", "") + _HORIZONTAL.get(x or "", "")}
    if target not in (None, "", False):
        text = expressions.constant_text(target, "The target is known only when the page is rendered.")
        point = _TARGET.fullmatch(text)
        if point is None:
            raise Unmapped(f"{text!r} is no target of easy-thumbnails.")
        percents = [min(100, int(part)) if part else 50 for part in point.groups()]
        if percents != [50, 50]:
            return {"gravity": ",".join(fraction(percent) for percent in percents)}
    return {}


def _effects(given: Mapping[str, Value | None]) -> Options:
    made: Options = {}
    if (value := given.get("quality")) not in (None, ""):
        made["quality"] = quality(value if value is not None else "")
    if expressions.truth(given.get("bw"), "bw"):
        made["grayscale"] = True
    if expressions.truth(given.get("sharpen"), "sharpen"):
        made["sharpen"] = 0.8  # what `sharpen` without an argument is in a URL
    if expressions.truth(given.get("autocrop"), "autocrop"):
        made["trim"] = "0,ffffff"
    if alpha := expressions.constant_text(given.get("replace_alpha") or None, "The color is not constant."):
        made["background"] = color(alpha)
    return made
