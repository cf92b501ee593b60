"""What a picture's row knows: the name of its file, the storage, and what the fields beside it hold. Reads no file."""

import contextlib
import datetime
import hashlib
import re
from functools import lru_cache
from typing import NamedTuple, TypeGuard

from thumbs.request.scalars import TOKEN, decimal_text

_FOCUS = re.compile(r"\s*([01](?:\.\d{1,17})?)\s*[,x]\s*([01](?:\.\d{1,17})?)\s*")
_LONGEST_FOCUS = 64  # characters: two numbers have 39, and longer text is not kept in memory
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_NAME_PARTS = 48  # bits of a version that is no token: for one picture, collisions do not matter below millions


class File(NamedTuple):
    """A picture's name, and what its row knows of it. `held_by` is a Django storage, None for a plain name.

    `size` is upright pixels, `focus` in the syntax of URLs, `version` and `placeholder` as the row has them.
    """

    name: str
    held_by: object | None = None
    size: tuple[int, int] | None = None
    focus: str | None = None
    version: object = None
    placeholder: object = None


class _Columns(NamedTuple):
    """The columns beside the file of a field; None where the field names none."""

    width: str | None
    height: str | None
    focus: str | None
    version: str | None
    placeholder: str | None


def file_of(source: object) -> File | None:
    """The file that a template or a view names; None for a blank one, and for one that is not stored.

    Raises TypeError for what is no picture.
    """
    if not source:  # None, "", a blank FieldFile, an undefined variable
        return None
    if isinstance(source, str):
        return File(str(source))
    held_by, name = getattr(source, "storage", None), getattr(source, "name", None)
    if held_by is None or not isinstance(name, str):
        raise TypeError(f"A thumbnail is made of a model's file or a name, not of {type(source).__name__}.")
    if not getattr(source, "_committed", True):  # an upload that was refused: another file may have its name
        return None
    columns, instance = _columns_of(getattr(source, "field", None)), getattr(source, "instance", None)
    if columns is None or instance is None:
        return File(name, held_by)
    return _with_columns(name, held_by, columns, instance.__dict__)


def _with_columns(name: str, held_by: object, columns: _Columns, values: dict[str | None, object]) -> File:
    # Not `getattr`: it would load a deferred column. Nothing is found under None.
    get = values.get
    width_column, height_column, focus_column, version_column, placeholder_column = columns
    width, height = get(width_column), get(height_column)
    focus = get(focus_column)
    return File(
        name,
        held_by,
        (width, height) if _is_side(width) and _is_side(height) else None,
        focus_text(focus) if isinstance(focus, str) and 0 < len(focus) <= _LONGEST_FOCUS else None,
        get(version_column),
        get(placeholder_column),
    )


def _is_side(value: object) -> TypeGuard[int]:
    """Whether a column holds pixels. 0 is the default of many columns: like NULL, it means that none are known."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


_columns: dict[int, tuple[object, _Columns | None]] = {}


def _columns_of(field: object) -> _Columns | None:
    """The columns of a model's field; None for one without any, and for no field."""
    found = _columns.get(id(field))
    if found is None:
        names = [getattr(field, f"{column}_field", None) or None for column in _Columns._fields]
        # The field is kept, so that no other one gets its id.
        found = _columns[id(field)] = (field, _Columns(*names) if any(names) else None)
    return found[1]


@lru_cache(maxsize=1024)
def focus_text(text: str) -> str | None:
    """A focal point (`0.31,0.62`, also `0.31x0.62`) in the syntax of URLs; None where it is none."""
    match = _FOCUS.fullmatch(text)
    if match is None:
        return None
    x, y = (float(part) for part in match.groups())
    return f"{decimal_text(x)},{decimal_text(y)}" if x <= 1 and y <= 1 else None


def version_text(version: object) -> str | None:
    """A version in the syntax of URLs: of a datetime its seconds in base 36, of text that is no token a digest."""
    if version is None:
        return None
    if isinstance(version, datetime.datetime):
        with contextlib.suppress(OverflowError, ValueError, OSError):  # the first or last days, without a time zone
            return _base36(int(version.timestamp()))
    text = str(version)
    if not text:
        return None
    if TOKEN.fullmatch(text):
        return text
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_NAME_PARTS // 8).hexdigest()


def _base36(number: int) -> str:
    sign, number = ("-", -number) if number < 0 else ("", number)
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return sign + (digits or "0")
