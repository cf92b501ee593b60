"""The columns beside an image field: what each holds, and a system check that they exist and can hold it."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from django.core import checks
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from thumbs.image.placeholders.thumbhash import MAX_BYTES
from thumbs.problems import nearest
from thumbs.toolkit.placeholders.background import TEXT_LENGTH

if TYPE_CHECKING:
    from django.db.models.fields.files import FileField

UNKNOWN_FIELD = "thumbs.E027"
WRONG_FIELD = "thumbs.E028"


def _is_text(field: Any) -> bool:
    return isinstance(field, models.CharField | models.TextField)


def _holds_placeholder(field: Any) -> bool:
    shortest = TEXT_LENGTH if _is_text(field) else MAX_BYTES
    enough = field.max_length is None or field.max_length >= shortest
    return enough and (_is_text(field) or isinstance(field, models.BinaryField))


def _holds_version(field: Any) -> bool:
    field = getattr(field, "output_field", field)  # of a generated column
    return _is_text(field) or isinstance(field, models.DateField | models.IntegerField | models.UUIDField)


def _is_whole(field: Any) -> bool:
    return isinstance(field, models.IntegerField)


class Column(NamedTuple):
    """An argument of an image field that names another field; which kinds of fields are `usable`, in words too."""

    argument: str
    usable: Callable[[Any], bool]
    kinds: str


COLUMNS = (
    Column("width_field", _is_whole, "a whole number, such as a PositiveIntegerField"),
    Column("height_field", _is_whole, "a whole number, such as a PositiveIntegerField"),
    Column("focus_field", _is_text, "text, such as a FocalPointField"),
    Column(
        "placeholder_field",
        _holds_placeholder,
        f"text of at least {TEXT_LENGTH} characters, or a BinaryField of at least {MAX_BYTES} bytes",
    ),
    Column("version_field", _holds_version, "a date, a whole number, text or a UUID, such as a DateTimeField"),
)


def check_columns(field: "FileField") -> Iterator[checks.CheckMessage]:
    """An error for each field that `field` names and that its model has not, or that cannot hold its value."""
    for column in COLUMNS:
        name = getattr(field, column.argument, None)
        if not name:
            continue
        where = f"{field.model.__name__}.{field.name}: {column.argument}"
        try:
            named = field.model._meta.get_field(name)  # noqa: SLF001 - Django's documented API
        except FieldDoesNotExist:
            sentence = f"{where} is {name!r}, and the model has no such field."
            yield checks.Error(sentence, hint=nearest(name, _names(field.model)), obj=field, id=UNKNOWN_FIELD)
            continue
        if not column.usable(named):
            sentence = f"{where} is {name!r}, a {type(named).__name__}."
            yield checks.Error(sentence, hint=f"It must be {column.kinds}.", obj=field, id=WRONG_FIELD)


def _names(model: type[models.Model]) -> list[str]:
    return [field.name for field in model._meta.concrete_fields]  # noqa: SLF001
