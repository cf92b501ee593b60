"""easy-thumbnails 2: `{% thumbnail file 50x50 crop upscale as t %}`, `{{ file|thumbnail_url:"small" }}`, aliases.

Sizes and crops follow its `processors.py`.
"""

import re
from collections.abc import Iterator, Mapping

from django.template.base import TokenType

from thumbs.toolkit.migration.easy_options import known_alias, wanted, wanted_of_alias
from thumbs.toolkit.migration.editing import expressions
from thumbs.toolkit.migration.editing.edits import UNKNOWN_SIZE, Conversion, Edit, Unmapped
from thumbs.toolkit.migration.editing.peer import Page
from thumbs.toolkit.migration.editing.templates import Token, filters_of, uses
from thumbs.toolkit.migration.editing.wanted import Value, Wanted, preset_name

LIBRARIES = frozenset({"thumbnail", "easy_thumbnails_tags"})
TAGS = frozenset({"thumbnail"})
FILTERS = frozenset({"thumbnailer", "thumbnailer_passive", "thumbnail_url", "data_uri"})

_GEOMETRY = re.compile(r"[0-9]+|x[0-9]+|[0-9]+x")
_SIZE = re.compile(r"([0-9]+)x([0-9]+)")
_FILTER_OF_ALIAS = re.compile(
    r"\{\{\s*(?P<source>[\w.]+(?:\|(?!thumbnail_url)[^|}]+)*)\|thumbnail_url:(?P<quote>[\"'])(?P<alias>[^\"']+)(?P=quote)\s*\}\}"
)
_ITEM_OF_ALIAS = re.compile(r"\{\{\s*(?P<source>[\w.]+)\.(?P<alias>\w+)\.(?P<what>url|tag)\s*\}\}")
_WITH_THUMBNAILER = re.compile(r"(?P<name>\w+)=(?P<source>[^\s|]+)\|thumbnailer")
# What a thumbnail of both has, and `tag`, which is `img` here.
_SAME = ("url", "width", "height")
_NO_FILTER = {"thumbnail_url": 'Mage has a tag for it: {% thumb file "preset" as name %}, then name.url.'}
_DROPPED = {
    "subsampling": "Mage decides how a JPEG is encoded",
    "keep_icc_profile": "Mage converts to sRGB where a profile is left out",
    "progressive": "Mage decides how a JPEG is encoded",
}


def convert(page: Page) -> Conversion:
    """Converts tags, the filter of an alias, and the items of a `thumbnailer`."""
    done = Conversion()
    for token in page.template.tags("thumbnail"):
        if page.owns(token, "thumbnail"):
            part = Conversion()
            try:
                part.edits += _tag(page, token, part)
            except Unmapped as error:
                done.left.append(token.remark(str(error)))
            else:
                done.add(part)
    for token in page.template.tags("with"):
        if "thumbnailer" in filters_of(token) and page.owns(token, "thumbnailer"):
            _thumbnailer(page, token, done)
    thumbnailers = set(_thumbnailers(page))
    for token in page.template.tokens:
        _variable(page, token, thumbnailers, done)
    return done


def _thumbnailers(page: Page) -> Iterator[str]:
    """The names that a template gives to thumbnailers, which are no files."""
    for token in page.template.tags("with"):
        if {"thumbnailer", "thumbnailer_passive"} & set(filters_of(token)):
            yield from (bit.partition("=")[0] for bit in token.bits[1:] if "|thumbnailer" in bit and "=" in bit)
            yield from (token.bits[-1:] if token.bits[-2:-1] == ("as",) else ())


def _tag(page: Page, token: Token, done: Conversion) -> Iterator[Edit]:
    bits = list(token.bits)
    variable = bits[-1] if len(bits) > 4 and bits[-2] == "as" else None
    bits = bits[:-2] if variable else bits
    if any(page.owns(end, "thumbnail") for end in page.template.tags("endthumbnail")):
        raise Unmapped("The template has {% endthumbnail %}, which is the syntax of sorl-thumbnail.")
    if len(bits) < 3:
        raise Unmapped("It names no file and no size: this is not the syntax of easy-thumbnails.")
    if bits[-1] == "as" or "as" in bits[3:]:
        raise Unmapped("`as` is an option here: this is not the syntax of easy-thumbnails.")
    made = _wanted_of_tag(page, token, bits, done)
    ends = f" as {variable}" if variable else ""
    edits = [*_renamed(page, token, variable, made, done)] if variable else []
    edits.append(token.replaced(f"{{% thumb {bits[1]} {made.in_template(expressions.quote_of(bits[2:3]))}{ends} %}}"))
    return iter(edits)


def _wanted_of_tag(page: Page, token: Token, bits: list[str], done: Conversion) -> Wanted:
    options: dict[str, Value | None] = {}
    for bit in bits[3:]:
        name, text = expressions.keyword(bit) or (bit, "True")
        if name in _DROPPED:
            done.notes.append(token.remark(f"Converted without {name}: {_DROPPED[name]}."))
        else:
            options[name] = expressions.value_of(text)
    found = _SIZE.fullmatch(bits[2].strip("\"'"))
    if found is not None:
        return wanted((int(found[1]), int(found[2])), options, page.site)
    alias = expressions.value_of(bits[2])
    if not isinstance(alias, str) or not alias:
        raise Unmapped(
            f"The size {bits[2]} is known only when the page is rendered: where it is a text WIDTHxHEIGHT or a preset, "
            f"{{% thumb {bits[1]} {bits[2]} %}} does it."
        )
    if _GEOMETRY.fullmatch(alias):
        raise Unmapped(f"{alias} is no size of easy-thumbnails, which has 100x0 and 0x100 for one side.")
    return _of_alias(page, token, alias, options, done)


def _of_alias(page: Page, token: Token, alias: str, options: Mapping[str, Value | None], done: Conversion) -> Wanted:
    known, name = known_alias(page.site, alias), preset_name(alias)
    if known is None:
        if options:
            raise Unmapped(f"THUMBNAIL_ALIASES has no {alias!r}, whose options these would change.")
        done.notes.append(token.remark(f'Converted to the preset "{name}": THUMBNAIL_ALIASES has none of this name.'))
        return Wanted(name)
    preset = wanted_of_alias(known, page.site)
    return wanted_of_alias({**known, **options}, page.site).beside(name, preset) if options else Wanted(name)


def _renamed(page: Page, token: Token, variable: str, made: Wanted, done: Conversion) -> Iterator[Edit]:
    again = [
        tag.start for tag in page.template.tags("thumbnail") if tag.start > token.start and tag.bits[-1] == variable
    ]
    end = min(again, default=len(page.template.text))
    after = [other for other in page.template.tokens if token.end <= other.start < end]
    for use in uses(after, variable):
        where = f"Line {use.token.line} reads {use.token.source}"
        if use.filter == "data_uri":
            raise Unmapped(f"{where}. Mage makes no data URI of a thumbnail.")
        if use.path[:1] == ("tag",):
            yield Edit(use.end - len(use.path[-1]), use.end, "img")
        elif use.path[:1] in (("width",), ("height",)) and not made.is_fixed:
            done.notes.append(token.remark(UNKNOWN_SIZE))
        elif use.path and use.path[0] not in _SAME:
            raise Unmapped(f"{where}. A thumbnail of Mage has url, width and height, and no {use.path[0]}.")


def _thumbnailer(page: Page, token: Token, done: Conversion) -> None:
    """`{% with photo=person.photo|thumbnailer %}…{{ photo.small.url }}…{% endwith %}`."""
    found = [_WITH_THUMBNAILER.fullmatch(bit) for bit in token.bits[1:]]
    names = [match for match in found if match]
    end = _end_of_with(page, token)
    if len(names) != 1 or filters_of(token).count("thumbnailer") != 1 or end is None:
        return
    name = names[0]["name"]
    edits, left = [token.replaced(token.source.replace("|thumbnailer", "", 1))], []
    for use in uses(page.template.between(token, end), name):
        item = _ITEM_OF_ALIAS.fullmatch(use.token.source)
        if item and item["source"] == name:
            try:
                edits.append(_item(page, use.token, item, done))
            except Unmapped as error:
                left.append(use.token.remark(str(error)))
        elif use.path or use.token.name not in ("if", "elif"):
            left.append(use.token.remark("It reads a thumbnailer, which Mage does not have."))
    if left:
        done.left += left
    else:
        done.edits += edits


def _end_of_with(page: Page, token: Token) -> Token | None:
    depth = 0
    for other in page.template.tags("with", "endwith"):
        if other.start >= token.start:
            depth += 1 if other.name == "with" else -1
            if depth == 0:
                return other
    return None


def _is_item(page: Page, token: Token, item: "re.Match[str]") -> bool:
    return token.kind is TokenType.VAR and not token.where and known_alias(page.site, item["alias"]) is not None


def _item(page: Page, token: Token, item: "re.Match[str]", done: Conversion) -> Edit:
    made = _of_alias(page, token, item["alias"], {}, done)
    tag = "thumb" if item["what"] == "url" else "thumb_img"
    return token.replaced(f"{{% {tag} {item['source']} {made.in_template()} %}}")


def _item_of_any(page: Page, token: Token, item: "re.Match[str]", done: Conversion) -> Edit:
    """As `_item`, of a name that the template does not show to be a file. Raises `Unmapped` where it may be none."""
    edit = _item(page, token, item, done)
    source, alias = item["source"], item["alias"]
    if alias in page.site.file_fields and item["what"] == "url":
        raise Unmapped(
            f"A model has a file field {alias}, so that this may be the URL of an original. Where it is the alias of "
            f"the file {source}, {edit.text} does it."
        )
    done.notes.append(token.remark(f"Converted as the alias {alias} of a file: {source} must be one."))
    return edit


def _variable(page: Page, token: Token, thumbnailers: set[str], done: Conversion) -> None:
    """`{{ file|thumbnail_url:"small" }}` and `{{ file.small.url }}`; other uses of its filters are left alone."""
    if any(edit.start <= token.start and token.end <= edit.end for edit in done.edits):
        return
    used = [name for name in filters_of(token) if name in FILTERS and page.owns(token, name)]
    try:
        found = _FILTER_OF_ALIAS.fullmatch(token.source)
        item = _ITEM_OF_ALIAS.fullmatch(token.source)
        if used and found:
            made = _of_alias(page, token, found["alias"], {}, done)
            done.edits.append(token.replaced(f"{{% thumb {found['source']} {made.in_template(found['quote'])} %}}"))
        elif used:
            raise Unmapped(_NO_FILTER.get(used[0], f"Mage has no filter {used[0]}."))
        elif item and _is_item(page, token, item) and item["source"].split(".")[0] not in thumbnailers:
            done.edits.append(_item_of_any(page, token, item, done))
    except Unmapped as error:
        done.left.append(token.remark(str(error)))
