"""django-versatileimagefield 3: `{{ photo.image.crop.400x400 }}`, `{{ photo.image.thumbnail.100x100.url }}`.

Sizes and crops follow its `versatileimagefield.py`.
"""

import re

from django.template.base import TokenType

from thumbs.toolkit.migration.editing.edits import Conversion, Unmapped
from thumbs.toolkit.migration.editing.peer import Page
from thumbs.toolkit.migration.editing.templates import Token
from thumbs.toolkit.migration.editing.wanted import Wanted, sized

LIBRARIES: frozenset[str] = frozenset()
TAGS: frozenset[str] = frozenset()
FILTERS: frozenset[str] = frozenset()

_STRINGS = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
_SIZED = re.compile(
    r"(?<![\w.])(?P<source>\w+(?:\.\w+)*)\.(?P<sizer>\w+)\.(?P<size>[0-9]+x[0-9]+)(?P<rest>(?:\.\w+)*)(?!\w)"
)
_WHOLE = re.compile(rf"\{{\{{\s*{_SIZED.pattern}\s*\}}\}}")
_FILTERED = re.compile(r"(?<![\w.])\w+(?:\.\w+)*\.filters\.\w+\.(?:url|name|\w+\.[0-9]+x[0-9]+)")
_PPOI = re.compile(r"(?<![\w.])\w+(?:\.\w+)*\.ppoi\b")


def convert(page: Page) -> Conversion:
    """Converts a variable that is a size of a picture and nothing else."""
    done = Conversion()
    for token in page.template.tokens:
        if token.where or token.kind not in (TokenType.BLOCK, TokenType.VAR):
            continue
        text = _STRINGS.sub('""', token.source)
        found = _SIZED.search(text)
        try:
            if found is not None:
                done.edits.append(token.replaced(_converted(token, found["sizer"])))
            elif _FILTERED.search(text):
                raise Unmapped(_NO_FILTERS)
            elif _PPOI.search(text):
                raise Unmapped("The focal point is a field of its own in Mage: read the FocalPointField.")
        except Unmapped as error:
            done.left.append(token.remark(str(error)))
    return done


_NO_FILTERS = "Mage has no filter of VersatileImageField: grayscale, brightness, contrast, blur and others are options."


def wanted(sizer: str, size: str) -> Wanted:
    """The thumbnail of `crop` or `thumbnail`. Raises `Unmapped` for another sizer."""
    width, height = (int(side) for side in size.split("x"))
    if sizer == "crop":
        return sized(width, height, cover=True, upscale=True)
    if sizer == "thumbnail":
        return sized(width, height, cover=False, upscale=False)
    raise Unmapped(f"The sizer {sizer} is the site's own: make a preset of what it does.")


def _converted(token: Token, sizer: str) -> str:
    whole = _WHOLE.fullmatch(token.source)
    if whole is None:
        raise Unmapped("It is part of an expression: give it a name with {% thumb … as name %}, then read name.url.")
    if ".filters." in f".{whole['source']}." or whole["source"].endswith(".filters"):
        raise Unmapped(_NO_FILTERS)
    if whole["rest"] not in ("", ".url"):
        raise Unmapped(f"A thumbnail of Mage has url, width and height, and no {whole['rest'].strip('.')}.")
    return f"{{% thumb {whole['source']} {wanted(sizer, whole['size']).in_template()} %}}"
