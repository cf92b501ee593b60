"""sorl-thumbnail 13: `{% thumbnail file "100x100" crop="center" as im %}…{% empty %}…{% endthumbnail %}`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from thumbs.toolkit.migration.editing import expressions
from thumbs.toolkit.migration.editing.edits import UNKNOWN_SIZE, Conversion, Edit, Unmapped
from thumbs.toolkit.migration.editing.peer import Page
from thumbs.toolkit.migration.editing.site import SiteSettings
from thumbs.toolkit.migration.editing.templates import Token, Use, filters_of, uses
from thumbs.toolkit.migration.editing.wanted import Expression, Value, Wanted
from thumbs.toolkit.migration.sorl_options import DROPPED, wanted

LIBRARIES = frozenset({"thumbnail", "sorl_thumbnail"})
TAGS = frozenset({"thumbnail"})
FILTERS = frozenset(
    {"resolution", "is_portrait", "margin", "background_margin", "markdown_thumbnails", "html_thumbnails"}
)

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
                part.edits.append(token.replaced(f"{{% thumb {_arguments(token, page.site, part)[0]} %}}"))
        except Unmapped as error:
            done.left.append(token.remark(str(error)))
        else:
            done.add(part)
    edited = {(edit.start, edit.end) for edit in done.edits}
    for token in page.template.tokens:
        _leave_filters(page, token, edited, done)
    return done


def _arguments(token: Token, site: SiteSettings, done: Conversion) -> tuple[str, Wanted]:
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
    for name in options.keys() & DROPPED.keys():
        done.notes.append(token.remark(f"Converted without {name}: {DROPPED[name]}."))
    return f"{bits[1]} {made.in_template(expressions.quote_of(bits[2:3]))}", made


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
    arguments, made = _arguments(block.start, page.site, done)
    if not made.is_fixed and any(use.path[:1] and use.path[0] != "url" for use in uses(own, block.variable)):
        done.notes.append(block.start.remark(UNKNOWN_SIZE))
    opened = f"{{% thumb {arguments} as {block.variable} %}}{{% if {block.variable} %}}"
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
