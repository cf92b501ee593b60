"""sorl-thumbnail 13: `{% thumbnail file "100x100" crop="center" as im %}…{% empty %}…{% endthumbnail %}`.

Sizes and crops follow its `engines/base.py` and `parsers.py`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from thumbs.toolkit.migration import expressions
from thumbs.toolkit.migration.edits import Conversion, Edit, Unmapped
from thumbs.toolkit.migration.peer import Page
from thumbs.toolkit.migration.site import SiteSettings
from thumbs.toolkit.migration.templates import Token, Use, filters_of, uses
from thumbs.toolkit.migration.wanted import (
    Expression,
    Options,
    Value,
    Wanted,
    color,
    fraction,
    output_format,
    quality,
    sized,
)

LIBRARIES = frozenset({"thumbnail", "sorl_thumbnail"})
TAGS = frozenset({"thumbnail"})
FILTERS = frozenset(
    {"resolution", "is_portrait", "margin", "background_margin", "markdown_thumbnails", "html_thumbnails"}
)

_GEOMETRY = re.compile(r"([0-9]+)?(?:x([0-9]+))?")
_BOX = re.compile(r"\s*[0-9]+\s*(?:,\s*[0-9]+\s*){3}")
_COMPASS = {
    (0, 0): "northwest", (50, 0): "north", (100, 0): "northeast", (0, 50): "west", (50, 50): "",
    (100, 50): "east", (0, 100): "southwest", (50, 100): "south", (100, 100): "southeast",
}  # fmt: skip
_X, _Y = {"left": "0%", "center": "50%", "right": "100%"}, {"top": "0%", "center": "50%", "bottom": "100%"}
# Of the picture in `as im`: what reads the same in both, and what has another name.
_SAME, _RENAMED = ("url", "width", "height"), {"x": "width", "y": "height"}
_MARGINS = 'Mage has no margins: fit="fill" gives every thumbnail the whole size.'


@dataclass(frozen=True, slots=True)
class _Block:
    """A tag with `as`, its `{% empty %}` and its end."""

    start: Token
    variable: str
    empty: Token | None
    end: Token


def convert(page: Page) -> Conversion:
    """Converts each tag whose size, crop and options have an equivalent, and what its block reads of the picture."""
    done = Conversion()
    blocks = list(_blocks(page))
    by_start = {block.start: block for block in blocks}
    for token in page.template.tags("thumbnail"):
        if not page.owns(token, "thumbnail"):
            continue
        part = Conversion()
        try:
            if token in by_start:
                part.edits += _block(page, by_start[token], blocks, part)
            elif token.bits[-2:-1] == ("as",):
                raise Unmapped("It has no {% endthumbnail %}.")
            else:
                part.edits.append(token.replaced(f"{{% thumb {_arguments(token, page.site, part)} %}}"))
        except Unmapped as error:
            done.left.append(token.remark(str(error)))
        else:
            done.add(part)
    edited = {(edit.start, edit.end) for edit in done.edits}
    for token in page.template.tokens:
        _leave_filters(page, token, edited, done)
    return done


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


_UNKNOWN = frozenset({"rounded", "remove_border"})
_DROPPED = {"progressive": "Mage decides how a JPEG is encoded", "flatten": "Mage lays transparency on white for JPEG"}
_HANDLED = frozenset(
    {"crop", "upscale", "padding", "padding_color", "quality", "format", "colorspace", "orientation", "cropbox", "blur"}
    | _UNKNOWN
    | _DROPPED.keys()
)


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


def _arguments(token: Token, site: SiteSettings, done: Conversion) -> str:
    """What `{% thumb %}` takes in the place of the arguments of this tag, without `as`. Raises `Unmapped`."""
    bits = token.bits[:-2] if token.bits[-2:-1] == ("as",) else token.bits
    if len(bits) < 3:
        raise Unmapped("It names no file and no geometry: this is not the syntax of sorl-thumbnail.")
    if str(expressions.value_of(bits[1])).startswith(("http://", "https://")):
        raise Unmapped("Mage reads files of a storage, and no URL.")
    geometry = expressions.value_of(bits[2])
    if re.fullmatch(r"[0-9]+x[0-9]+", bits[2]):
        raise Unmapped(f"{bits[2]} stands without quotes: this is the syntax of easy-thumbnails.")
    if isinstance(geometry, Expression):
        raise Unmapped(
            f"The geometry {bits[2]} is known only when the page is rendered: where it is always WIDTHxHEIGHT, "
            f'{{% thumb {bits[1]} {bits[2]} %}} does it, with fit="contain" where there is no crop.'
        )
    options: dict[str, Value | None] = {}
    for bit in bits[3:]:
        named = expressions.keyword(bit)
        if named is None:
            raise Unmapped(f"{bit} is no option: this is not the syntax of sorl-thumbnail.")
        if named[0] == "options":
            raise Unmapped("The options are known only when the page is rendered.")
        options[named[0]] = expressions.value_of(named[1])
    made = wanted(str(geometry), options, site)
    for name in options.keys() & _DROPPED.keys():
        done.notes.append(token.remark(f"Converted without {name}: {_DROPPED[name]}."))
    return f"{bits[1]} {made.in_template(expressions.quote_of(bits[2:3]))}"


def _blocks(page: Page) -> Iterator[_Block]:
    """The tags with `as` that have an end. `{% empty %}` may also belong to a `{% for %}`."""
    opened: list[tuple[Token, list[Token]]] = []
    for token in page.template.tags("for", "endfor", "thumbnail", "empty", "endthumbnail"):
        if token.name == "for" or (token.name == "thumbnail" and token.bits[-2:-1] == ("as",)):
            if token.name == "for" or page.owns(token, "thumbnail"):
                opened.append((token, []))
        elif token.name == "empty" and opened:
            opened[-1][1].append(token)
        elif token.name in ("endfor", "endthumbnail") and opened and opened[-1][0].name == token.name[3:]:
            start, empty = opened.pop()
            if start.name == "thumbnail":
                yield _Block(start, start.bits[-1], empty[0] if empty else None, token)


def _block(page: Page, block: _Block, blocks: list[_Block], done: Conversion) -> Iterator[Edit]:
    inner = [other for other in blocks if other.variable == block.variable and _within(other, block)]
    body = page.template.between(block.start, block.empty or block.end)
    own = [token for token in body if not any(other.start.end <= token.start < other.end.start for other in inner)]
    edits = list(_renamed(uses(own, block.variable), done))
    scoped = _leaks(page, block, blocks)
    opened = f"{{% thumb {_arguments(block.start, page.site, done)} as {block.variable} %}}{{% if {block.variable} %}}"
    before = f"{{% with {block.variable}={block.variable} %}}" if scoped else ""
    edits.append(block.start.replaced(before + opened))
    if block.empty is not None:
        edits.append(block.empty.replaced("{% else %}"))
    edits.append(block.end.replaced("{% endif %}{% endwith %}" if scoped else "{% endif %}"))
    return iter(edits)


def _within(inner: _Block, outer: _Block) -> bool:
    return outer.start.end <= inner.start.start and inner.end.end <= outer.end.start


def _leaks(page: Page, block: _Block, blocks: list[_Block]) -> bool:
    """Whether the name is read after the block: sorl-thumbnail takes it back there, `{% thumb %}` does not."""
    same = [other for other in blocks if other.variable == block.variable]
    outside = [
        token
        for token in page.template.tokens
        if not any(other.start.start <= token.start < other.end.end for other in same)
    ]
    nested = any(_within(block, other) for other in same)
    return nested or any(True for _ in uses([*outside, block.start], block.variable))


def _renamed(found: Iterator[Use], done: Conversion) -> Iterator[Edit]:
    """The edits of what a block reads of its picture. Raises `Unmapped` for what Mage's value does not have."""
    for use in found:
        where = f"Line {use.token.line} reads {use.token.source}"
        if use.filter in ("margin", "background_margin"):
            raise Unmapped(f"{where}. {_MARGINS}")
        if use.filter in FILTERS:
            raise Unmapped(f"{where}. Mage has no filter {use.filter}.")
        if use.path and use.path[0] in _RENAMED:
            yield Edit(use.end - len(use.path[-1]), use.end, _RENAMED[use.path[0]])
        elif use.path and use.path[0] not in _SAME:
            raise Unmapped(f"{where}. A thumbnail of Mage has url, width and height, and no {use.path[0]}.")
        elif not use.path and use.token.name in ("include", "with"):
            done.notes.append(use.token.remark("It passes a thumbnail on: Mage's has url, width and height."))
        elif not use.path and use.token.name not in ("if", "elif"):
            raise Unmapped(f"{where}. The text of a thumbnail of Mage is its URL, and was a name.")


def _leave_filters(page: Page, token: Token, edited: set[tuple[int, int]], done: Conversion) -> None:
    if (token.start, token.end) in edited:
        return
    for name in filters_of(token):
        if name in FILTERS and page.owns(token, name):
            done.left.append(token.remark(_MARGINS if "margin" in name else f"Mage has no filter {name}."))
            return
