"""django-imagekit 6: `{% thumbnail "100x50" file -- alt="…" %}`, `{% generateimage "app:id" source=file %}`.

Sizes and crops follow `imagekit/templatetags/imagekit.py` and `pilkit/processors/resize.py`.
"""

import re
from collections.abc import Iterator, Mapping

from thumbs.toolkit.migration.editing import expressions
from thumbs.toolkit.migration.editing.edits import UNKNOWN_SIZE, Conversion, Edit, Unmapped
from thumbs.toolkit.migration.editing.peer import Page
from thumbs.toolkit.migration.editing.templates import Token, uses
from thumbs.toolkit.migration.editing.wanted import (
    Expression,
    Options,
    Value,
    Wanted,
    output_format,
    preset_name,
    sized,
)

LIBRARIES = frozenset({"imagekit"})
TAGS = frozenset({"thumbnail", "generateimage"})
FILTERS: frozenset[str] = frozenset()

DEFAULT_GENERATOR = "imagekit:thumbnail"
_DIMENSIONS = re.compile(r"\s*([0-9]*)\s*x\s*([0-9]*)\s*")
ANCHORS = {
    "tl": "northwest", "t": "north", "tr": "northeast", "l": "west", "c": "", "r": "east",
    "bl": "southwest", "b": "south", "br": "southeast",
}  # fmt: skip
_SAME = ("url", "width", "height")
_HANDLED = frozenset({"format", "anchor", "crop", "upscale"})


def convert(page: Page) -> Conversion:
    """Converts the tags of the default generator, and those of others to a preset of the generator's name."""
    done = Conversion()
    for token in page.template.tags("thumbnail", "generateimage"):
        if page.owns(token, token.name):
            part = Conversion()
            try:
                part.edits += _tag(page, token, part)
            except Unmapped as error:
                done.left.append(token.remark(str(error)))
            else:
                done.add(part)
    return done


def wanted(dimensions: str, options: Mapping[str, Value | None]) -> Wanted:
    """The thumbnail of imagekit's own generator. Raises `Unmapped`."""
    found = _DIMENSIONS.fullmatch(dimensions)
    if found is None:
        raise Unmapped(f"{dimensions!r} are no dimensions of django-imagekit.")
    for name in options.keys() - _HANDLED:
        raise Unmapped(f"Mage has no equivalent of the option {name}.")
    width, height = (int(side) if side else None for side in found.groups())
    anchor = expressions.constant_text(options.get("anchor"), "The anchor is known only when the page is rendered.")
    crop = options.get("crop")
    if isinstance(crop, Expression):
        raise Unmapped("Whether it crops is known only when the page is rendered.")
    upscale = expressions.truth(options.get("upscale"), "upscale")
    both = bool(width and height)
    cover = bool(anchor) or (both if crop is None else bool(crop))
    if cover and not both:
        raise Unmapped("django-imagekit crops to two sides only.")
    extra: Options = gravity(anchor or ("auto" if crop is None else "c")) if cover else {}
    if (kind := options.get("format")) is not None:
        extra["format"] = output_format(expressions.constant_text(kind, "The format is not constant."))
    return sized(width, height, cover=cover, upscale=upscale, **extra)


def gravity(anchor: str) -> Options:
    """The part that an anchor keeps; `auto` finds it by entropy."""
    if anchor == "auto":
        return {"gravity": "entropy"}
    if anchor not in ANCHORS:
        raise Unmapped(f"{anchor!r} is no anchor of django-imagekit.")
    return {"gravity": ANCHORS[anchor]} if ANCHORS[anchor] else {}


def _tag(page: Page, token: Token, done: Conversion) -> Iterator[Edit]:
    bits = list(token.bits[1:])
    variable = bits[-1] if len(bits) >= 2 and bits[-2] == "as" else None
    bits = bits[:-2] if variable else bits
    attributes = bits[bits.index("--") + 1 :] if "--" in bits else []
    bits = bits[: bits.index("--")] if "--" in bits else bits
    plain = [bit for bit in bits if expressions.keyword(bit) is None]
    named = dict(found for bit in bits if (found := expressions.keyword(bit)))
    srcset = named.pop("srcset", "") if token.name == "thumbnail" else ""
    if token.name == "generateimage":
        source, made = _generated(plain, named, token, done)
    else:
        source, made = _sized(plain, named)
    written = made.in_template(expressions.quote_of(plain))
    if variable is None:
        scales = _scales(page, srcset) if token.name == "thumbnail" else ""
        if scales:
            done.notes.append(token.remark("Converted to a <picture>, whose <img> has the srcset."))
        start = ["thumb_picture" if scales else "thumb_img", source, written, *([scales] if scales else [])]
        text = " ".join([*start, *_attributes(attributes)])
        return iter([token.replaced(f"{{% {text} %}}")])
    if srcset:
        raise Unmapped("django-imagekit takes no srcset beside `as`.")
    if attributes:
        raise Unmapped("django-imagekit takes no attributes beside `as`.")
    _check_uses(page, token, variable, made, done)
    return iter([token.replaced(f"{{% thumb {source} {written} as {variable} %}}")])


def _sized(plain: list[str], named: Mapping[str, str]) -> tuple[str, Wanted]:
    if len(plain) not in (2, 3):
        raise Unmapped("It names no dimensions and no file: this is not the syntax of django-imagekit.")
    dimensions, source = plain[-2:]
    generator = expressions.value_of(plain[0]) if len(plain) == 3 else DEFAULT_GENERATOR
    if generator != DEFAULT_GENERATOR:
        raise Unmapped("The generator is the site's own: make a preset of what it does.")
    text = expressions.value_of(dimensions)
    if not isinstance(text, str):
        raise Unmapped(f"The dimensions {dimensions} are known only when the page is rendered.")
    options = {name: expressions.value_of(value) for name, value in named.items()}
    return source, wanted(text, options)


def _generated(plain: list[str], named: Mapping[str, str], token: Token, done: Conversion) -> tuple[str, Wanted]:
    generator = expressions.value_of(plain[0]) if len(plain) == 1 else None
    if not isinstance(generator, str) or "source" not in named:
        raise Unmapped("The generator, or its source, is known only when the page is rendered.")
    if generator == DEFAULT_GENERATOR:
        return named["source"], _by_keywords(named)
    if len(named) > 1:
        raise Unmapped("The generator takes arguments of its own: make a preset of each kind of picture.")
    name = preset_name(generator)
    done.notes.append(token.remark(f'Converted to the preset "{name}": thumb_migrate --presets prints it.'))
    return named["source"], Wanted(name)


def _by_keywords(named: Mapping[str, str]) -> Wanted:
    """`source=… width=100 height=100`, as the default generator takes them."""
    sides = [expressions.value_of(named.get(side, "None")) for side in ("width", "height")]
    if any(side is not None and not isinstance(side, int) for side in sides):
        raise Unmapped("The size is known only when the page is rendered.")
    rest = {name: value for name, value in named.items() if name not in ("source", "width", "height")}
    options = {name: expressions.value_of(value) for name, value in rest.items()}
    return wanted("x".join(str(side or "") for side in sides), options)


def _scales(page: Page, srcset: str) -> str:
    """The argument for the densities of a srcset; empty without one. The first is always 1."""
    value = expressions.value_of(srcset) if srcset else " ".join(f"{scale:g}" for scale in page.site.srcset)
    if value is None or value == "":
        return ""
    parts = value.split() if isinstance(value, str) else []
    if not parts or not all(re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", part) and 1 <= float(part) <= 4 for part in parts):
        raise Unmapped("Mage has densities from 1 to 4, as constants.")
    return f'densities="{" ".join(["1", *parts])}"'


def _attributes(words: list[str]) -> Iterator[str]:
    for word in words:
        named = expressions.keyword(word)
        if named is None or named[0] in ("width", "height"):
            raise Unmapped(f"{word} is an attribute that thumb_img sets itself.")
        yield f"{named[0].replace('-', '_')}={named[1]}"


def _check_uses(page: Page, token: Token, variable: str, made: Wanted, done: Conversion) -> None:
    after = [other for other in page.template.tokens if other.start >= token.end]
    for use in uses(after, variable):
        if use.path[:1] in (("width",), ("height",)) and not made.is_fixed:
            done.notes.append(token.remark(UNKNOWN_SIZE))
        elif use.path and use.path[0] not in _SAME:
            raise Unmapped(
                f"Line {use.token.line} reads {use.token.source}. A thumbnail of Mage has url, width and height, "
                f"and no {use.path[0]}."
            )
