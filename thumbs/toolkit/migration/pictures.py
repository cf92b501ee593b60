"""django-pictures 1: `{% picture file img_alt="…" ratio="16/9" m=6 l=4 %}`, `{% img_url file "webp" 800 %}`."""

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction

from thumbs.toolkit.migration.editing import expressions
from thumbs.toolkit.migration.editing.edits import Conversion, Unmapped
from thumbs.toolkit.migration.editing.peer import Page
from thumbs.toolkit.migration.editing.site import SiteSettings
from thumbs.toolkit.migration.editing.templates import Token
from thumbs.toolkit.migration.editing.wanted import Wanted, output_format

LIBRARIES = frozenset({"pictures"})
TAGS = frozenset({"picture", "img_url"})
FILTERS: frozenset[str] = frozenset()

# What `pictures/conf.py` has where PICTURES is silent.
DEFAULTS: Mapping[str, object] = {
    "BREAKPOINTS": {"xs": 576, "s": 768, "m": 992, "l": 1200, "xl": 1400},
    "GRID_COLUMNS": 12,
    "CONTAINER_WIDTH": 1200,
    "PIXEL_DENSITIES": [1, 2],
}
_COLUMNS = 12


def convert(page: Page) -> Conversion:
    """Converts every tag with constant columns, ratio and width."""
    done = Conversion()
    for token in page.template.tags("picture", "img_url"):
        if page.owns(token, token.name):
            try:
                words = _picture(page.site, token, done) if token.name == "picture" else _img_url(page.site, token)
                done.edits.append(token.replaced(f"{{% {' '.join(words)} %}}"))
            except Unmapped as error:
                done.left.append(token.remark(str(error)))
    return done


def setting(site: SiteSettings, name: str) -> object:
    return site.pictures.get(name, DEFAULTS[name])


def _arguments(token: Token, names: tuple[str, ...]) -> tuple[str, dict[str, str], list[str]]:
    """The file, the arguments by name, and `as variable`. Positional arguments have these names."""
    bits = list(token.bits[1:])
    ends = bits[-2:] if bits[-2:-1] == ["as"] else []
    bits = bits[: len(bits) - len(ends)]
    plain = [bit for bit in bits if expressions.keyword(bit) is None]
    named = dict(found for bit in bits if (found := expressions.keyword(bit)))
    source = plain.pop(0) if plain else named.pop("field_file", "")
    if not source or len(plain) > len(names):
        raise Unmapped("It names no file: this is not the syntax of django-pictures.")
    return source, {**dict(zip(names, plain, strict=False)), **named}, ends


def _picture(site: SiteSettings, token: Token, done: Conversion) -> Iterator[str]:
    source, named, ends = _arguments(token, ("img_alt", "ratio", "container"))
    alt, ratio = named.pop("img_alt", None), named.pop("ratio", None)
    width = setting(site, "CONTAINER_WIDTH")
    if "container" in named and expressions.value_of(named.pop("container")) not in (None, width):
        raise Unmapped('Mage has one container width, THUMBS["CONTAINER_WIDTH"]: give sizes and widths here.')
    if setting(site, "GRID_COLUMNS") != _COLUMNS:
        raise Unmapped("Mage's grid has twelve columns: give sizes and widths here.")
    words = ["thumb_picture", source]
    if ratio is not None and expressions.value_of(ratio) is not None:
        words.append(f"ratio={ratio}")
    grid = _grid(site, named)
    words.append(f'grid="{grid}"')
    first = next(iter(_breakpoints(site)), "xs")
    if grid.startswith(first) and grid.split()[0] != f"{first}{_COLUMNS}":
        done.notes.append(token.remark(f"Below the breakpoint {first} the picture now has the whole width."))
    if alt is not None:
        words.append(f"alt={alt}")
    return iter([*words, *_attributes(named), *ends])


def _grid(site: SiteSettings, named: dict[str, str]) -> str:
    """The columns by breakpoint, as `m6 l4`. Without any, a picture has the whole width."""
    names = _breakpoints(site)
    columns = []
    for name in names:
        if name in named:
            count = expressions.value_of(named.pop(name))
            if not isinstance(count, int):
                raise Unmapped("The columns are known only when the page is rendered.")
            if not 1 <= count <= _COLUMNS:
                raise Unmapped(f"{name}={count} is no number of columns from 1 to {_COLUMNS}.")
            columns.append(f"{name}{count}")
    return " ".join(columns) or f"{names[0] if names else 'xs'}{_COLUMNS}"


def _breakpoints(site: SiteSettings) -> list[str]:
    breakpoints = setting(site, "BREAKPOINTS")
    return list(breakpoints) if isinstance(breakpoints, Mapping) else []


def _attributes(named: Mapping[str, str]) -> Iterator[str]:
    for name, text in named.items():
        if name.startswith("picture_"):
            raise Unmapped(f"thumb_picture gives attributes to the <img>, and has no {name} for the <picture>.")
        if not name.startswith("img_"):
            raise Unmapped(f"{name} is no argument of django-pictures, and no breakpoint.")
        if name in ("img_src", "img_width", "img_height", "img_srcset"):
            raise Unmapped(f"thumb_picture sets {name.removeprefix('img_')} itself.")
        if (name, expressions.value_of(text)) != ("img_loading", "lazy"):  # what thumb_picture does by itself
            yield f"{name.removeprefix('img_').replace('-', '_')}={text}"


def _img_url(site: SiteSettings, token: Token) -> Iterator[str]:
    source, named, ends = _arguments(token, ("file_type", "width", "ratio"))
    values = {name: expressions.value_of(text) for name, text in named.items()}
    width, kind, ratio = values.get("width"), values.get("file_type"), values.get("ratio")
    if not isinstance(kind, str) or not str(width).isdecimal() or not isinstance(ratio, str | None):
        raise Unmapped("Its width, type or ratio is known only when the page is rendered.")
    made = candidate(site, int(str(width)), ratio).adding(format=output_format(kind))
    return iter(["thumb", source, made.in_template(), *ends])


def candidate(site: SiteSettings, width: int, ratio: str | None) -> Wanted:
    """The file that django-pictures has for a width, in pixels: the next one of its grid."""
    container, columns, densities = (
        setting(site, name) for name in ("CONTAINER_WIDTH", "GRID_COLUMNS", "PIXEL_DENSITIES")
    )
    if not isinstance(container, int) or not isinstance(columns, int) or not isinstance(densities, list | tuple):
        raise Unmapped("PICTURES has no container width, so the widths of its files are not known.")
    widths = {math.floor(container * (n + 1) / columns * density) for n in range(columns) for density in densities}
    chosen = min((w for w in widths if w >= width), default=max(widths))
    if ratio is None:
        return Wanted(f"{chosen}x")
    try:
        height = math.floor(chosen / Fraction(ratio))
    except (ValueError, ZeroDivisionError):
        raise Unmapped(f"{ratio!r} is no ratio.") from None
    return Wanted(f"{chosen}x{height}", {"upscale": "no"})
