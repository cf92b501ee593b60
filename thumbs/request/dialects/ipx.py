"""URLs of ipx 3, also as Nuxt writes them: modifiers, then the source.

    /{modifiers | _}/{escaped source}      modifier = name[separator value[separator value…]]

Modifiers are joined by `&` or `,`, and a separator is `_`, `:` or `=`. The query is a part of the source. Unknown
modifiers are ignored. What its pair of versions answers with an error is a `BadFilter`.
"""

import re
from typing import Any
from urllib.parse import unquote

from thumbs.errors import BadPath
from thumbs.image.formats import FORMATS, OUTPUT_NAMES
from thumbs.image.transforms import ALL_FRAMES, AUTO
from thumbs.request.dialects.dialect import Asked, Dialect, format_of_source, wrong
from thumbs.request.dialects.ipx_modifiers import MODIFIERS, Modifiers
from thumbs.request.dialects.ipx_result import fields_of

_JOINED = re.compile("[&,]")
_SEPARATOR = re.compile("[_:=]")
_SCHEME = re.compile(r"(https?):/+")
_NO_SOURCE = "After the modifiers comes a source."


def translate(raw: str, dialect: Dialect) -> Asked:
    """What the target `raw` asks for, from its first slash on. Raises `BadRequest`."""
    first, _, escaped = raw[1:].partition("/")
    source = _unquoted(escaped).lstrip("/")
    if not first or not source:
        raise BadPath(_NO_SOURCE)
    source = _SCHEME.sub(r"\1://", source, count=1) if _SCHEME.match(source) else f"/{source}"
    modifiers = Modifiers()
    ignored: set[str] = set()
    if first != "_":
        for spelled in sorted(_JOINED.split(_unquoted(first))):
            name, *values = _SEPARATOR.split(spelled)
            row = MODIFIERS.get(name)
            if row is None:
                ignored.add(name if name.isidentifier() and len(name) <= 32 else "of an invalid name")
                continue
            try:
                row[1](modifiers, [unquote(value) for value in values])
            except (ValueError, KeyError, IndexError):
                wrong(row[0])
    fields = {**fields_of(modifiers), **_file(modifiers, source, dialect)}
    return Asked(source, fields, ignored=sorted(ignored))


def _file(modifiers: Modifiers, source: str, dialect: Dialect) -> dict[str, Any]:
    output = AUTO if modifiers.format == AUTO else OUTPUT_NAMES.get(modifiers.format or "") or dialect.format
    moving = format_of_source(source) == "gif" and (output in (None, "gif") or modifiers.animated)
    may_move = output in (None, AUTO) or FORMATS[output or "gif"].animated
    return {"format": output, "frames": ALL_FRAMES if moving and may_move else 1, "quality": modifiers.quality}


def _unquoted(text: str) -> str:
    """`text` decoded once; a `%` that begins no escape is itself. Raises `BadPath` for what is not UTF-8."""
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise BadPath from None
