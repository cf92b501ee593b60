"""The focal point of a picture as text: `0.31,0.62`, fractions of width and height from the top left, or `""`.

It has at most four decimals: half a pixel of a picture of 5,000 pixels. `0.31x0.62` of VersatileImageField is read too.
"""

import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from thumbs.toolkit.forms.widgets import FocalPointInput

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    _CharField = models.CharField[Any, Any]
else:  # Django's class takes no parameter
    _CharField = models.CharField

DECIMALS = 4
# `0.1234,0.1234` has 13 characters. VersatileImageField writes up to 20.
MAX_LENGTH = 20
_LONGEST_READ = 64  # characters of text in a row: longer text is not kept in memory
_NUMBER = r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))"
_COMMA = re.compile(rf"\s*{_NUMBER}\s*,\s*{_NUMBER}\s*", re.ASCII)
# Numbers as `str` writes them, with all of their decimals.
_FLOAT = r"([+-]?\d+(?:\.\d+)?(?:e-?\d+)?)"
_VERSATILE = re.compile(rf"\s*{_FLOAT}x{_FLOAT}\s*", re.ASCII)

MESSAGES: dict[str, Any] = {
    "invalid_focus": _("Enter a focal point as two numbers between 0 and 1 with a comma between them: 0.31,0.62."),
    "focus_outside": _("The focal point %(value)s lies outside the picture: both numbers are between 0 and 1."),
    "focus_decimals": _("The focal point %(value)s has too many decimals: use at most 4, as in 0.3125,0.6."),
}


def focus_of(text: str | None) -> str:
    """The focal point in the syntax of URLs, for `gravity=`; `""` for none, and for text that is none.

    What a row holds is read with any number of decimals, and rounded.
    """
    return "" if isinstance(text, str) and len(text) > _LONGEST_READ else _read(text)


@lru_cache(maxsize=1024)
def _read(text: str | None) -> str:
    try:
        return canonical(text, decimals=None)
    except ValidationError:
        return ""


def canonical(value: object, *, decimals: int | None = DECIMALS) -> str:
    """The text of a focal point: of text or of a pair of numbers. `""` for None and for blank text.

    Raises ValidationError with a code of `MESSAGES` where it is none, and for text of more than so many decimals.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return ""
    if isinstance(value, tuple | list):
        return _of_pair(value)
    text = str(value)
    match = _COMMA.fullmatch(text)
    if match is None:
        match = _VERSATILE.fullmatch(text)
        return _checked(text, *map(float, match.groups())) if match is not None else _refused("invalid_focus", text)
    if decimals is not None and any(_decimals(number) > decimals for number in match.groups()):
        return _refused("focus_decimals", text)
    return _checked(text, *map(float, match.groups()))


def _of_pair(value: tuple[Any, ...] | list[Any]) -> str:
    try:
        x, y = map(float, value)
    except OverflowError:  # such a number may have too many digits to be text
        return _refused("invalid_focus", "")
    except (TypeError, ValueError):
        return _refused("invalid_focus", str(value))
    return _checked(f"{x},{y}", x, y)


def _checked(text: str, x: float, y: float) -> str:
    if not (math.isfinite(x) and math.isfinite(y)):
        return _refused("invalid_focus", text)
    if not (0 <= x <= 1 and 0 <= y <= 1):
        return _refused("focus_outside", text)
    return f"{_short(x)},{_short(y)}"


def _short(number: float) -> str:
    # `+ 0.0` makes 0 of -0.
    return f"{number + 0.0:.{DECIMALS}f}".rstrip("0").rstrip(".")


def _decimals(number: str) -> int:
    return len(number.partition(".")[2].rstrip("0"))


def _refused(code: str, text: str) -> str:
    raise ValidationError(MESSAGES[code], code=code, params={"value": text.strip()[:40]})


class FocalPointFormField(forms.CharField):
    """A form field for a focal point. Its cleaned value is the canonical text.

    `picture` is the name of the form's field of the file; in the form of a model, that of the `focus_field`.
    """

    widget = FocalPointInput
    default_error_messages = MESSAGES

    def __init__(self, *, picture: str = "", **kwargs: Any) -> None:
        super().__init__(**{"max_length": MAX_LENGTH, **kwargs})
        if picture and isinstance(self.widget, FocalPointInput):
            self.widget.picture = picture

    def get_bound_field(self, form: forms.BaseForm, field_name: str) -> forms.BoundField:
        if isinstance(self.widget, FocalPointInput):
            self.widget.bind(form, field_name)
        return super().get_bound_field(form, field_name)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return text if text in self.empty_values else _with_messages_of(self, text)


def validate_focal_point(value: object) -> None:
    """Raise ValidationError for what is no focal point."""
    canonical(value)


class FocalPointField(_CharField):
    """A column for the focal point of a picture: `0.31,0.62`, or `""` for the gravity of the preset.

    A pair of numbers may be assigned too. What is saved is the canonical text.
    """

    description = _("Focal point")
    default_error_messages = MESSAGES
    # For serializers of Django REST framework, which take validators of a field and do not call `to_python`.
    default_validators = [validate_focal_point]  # noqa: RUF012 - as Django declares it

    def __init__(self, verbose_name: Any = None, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(verbose_name, name, **{"max_length": MAX_LENGTH, "blank": True, "default": "", **kwargs})

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """All of the defaults, so that a migration stays as it is if one of them changes."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "thumbs.fields.FocalPointField", list(args), {**kwargs, "blank": self.blank}

    def from_db_value(self, value: str | None, _expression: object, _connection: "BaseDatabaseWrapper") -> str | None:
        return value and (focus_of(value) or value)

    def to_python(self, value: Any) -> Any:
        """The canonical text. Raises ValidationError for what is no focal point."""
        return None if value is None else _with_messages_of(self, value)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = super().pre_save(model_instance, add)
        if hasattr(value, "resolve_expression"):
            return value  # the database knows it
        value = self.to_python(value)
        setattr(model_instance, self.attname, value)
        return value

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": FocalPointFormField, **kwargs})


def _with_messages_of(field: Any, value: object) -> str:
    """The canonical text; an error has the message that the field gives for its code."""
    try:
        return canonical(value)
    except ValidationError as error:
        raise ValidationError(field.error_messages[error.code], code=error.code, params=error.params) from None
