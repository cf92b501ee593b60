"""Reads the pictures of a model's rows, and corrects the columns with their sizes and placeholders.

Rows are read in batches in the order of the primary key, so that memory is bounded and no query is held open.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models

from thumbs.toolkit.models.fields import ThumbImageField
from thumbs.toolkit.placeholders import upright

_BATCH = 200


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one file. `changes` are the columns that were wrong, each with its old and its new value.

    `failure` says why the file could not be read; None if it was.
    """

    pk: object
    field: str
    name: str
    changes: tuple[tuple[str, object, object], ...] = ()
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A model, and image fields of it that have columns. `using` is the alias of the database."""

    model: type[models.Model]
    fields: tuple[models.ImageField, ...]
    using: str

    @property
    def label(self) -> str:
        """`app.Model`."""
        return self.model._meta.label  # noqa: SLF001 - Django's documented API

    @property
    def spec(self) -> str:
        """The names of the fields, as arguments of the command."""
        return " ".join(f"{self.label}.{field.name}" for field in self.fields)

    def rows(self, *, after: object = None, only_missing: bool = False) -> "models.QuerySet[Any]":
        """The rows with a file, in the order of the primary key; those after a key, and with an empty column."""
        rows = self.model._base_manager.using(self.using).order_by("pk")  # noqa: SLF001
        wanted = models.Q(pk__in=())
        for field in self.fields:
            wanted |= _has_file(field) & _is_missing(field) if only_missing else _has_file(field)
        rows = rows.filter(wanted)
        return rows if after is None else rows.filter(pk__gt=after)

    def correct(
        self, *, after: object = None, only_missing: bool = False, write: bool = True
    ) -> Iterator[tuple[object, list[Result]]]:
        """The key of each row, with a result for each file that was read. Without `write` nothing is changed.

        Updates send no signals, and leave a row alone whose file was replaced meanwhile.
        """
        names = {"pk", *(name for field in self.fields for name in (field.name, *columns_of(field)))}
        while True:
            batch = list(self.rows(after=after, only_missing=only_missing).values(*names)[:_BATCH])
            for row in batch:
                after = row["pk"]
                yield after, [self._correct(row, field, write=write) for field in self._wanted(row, only_missing)]
            if len(batch) < _BATCH:
                return

    def _wanted(self, row: dict[str, Any], only_missing: bool) -> Iterator[models.ImageField]:
        for field in self.fields:
            if row[field.name] and not (only_missing and all(row[column] for column in columns_of(field))):
                yield field

    def _correct(self, row: dict[str, Any], field: models.ImageField, *, write: bool) -> Result:
        name = str(row[field.name])
        try:
            found = read(field, name)
        except FileNotFoundError:
            return Result(row["pk"], field.name, name, failure="is missing")
        except upright.Unreadable as error:
            return Result(row["pk"], field.name, name, failure=str(error))
        except Exception as error:  # a storage raises anything
            return Result(row["pk"], field.name, name, failure=f"cannot be opened: {_one_line(error)}")
        wrong = {column: value for column, value in found.items() if not _equal(row[column], value)}
        if wrong and write:
            same_file = self.model._base_manager.using(self.using).filter(pk=row["pk"], **{field.name: name})  # noqa: SLF001
            same_file.update(**wrong)
        return Result(row["pk"], field.name, name, tuple((column, row[column], wrong[column]) for column in wrong))


def columns_of(field: models.ImageField) -> list[str]:
    """The names of the columns with width, height and placeholder that the field has."""
    arguments = ("width_field", "height_field", "placeholder_field")
    return [name for argument in arguments if (name := getattr(field, argument, None))]


def read(field: models.ImageField, name: str) -> dict[str, object]:
    """The columns of a stored file with the values that they should have.

    Raises `Unreadable` for a broken picture, and what the storage raises for a file that cannot be opened.
    """
    placeholder_field = getattr(field, "placeholder_field", None)
    with field.storage.open(name, "rb") as file:
        found = upright.read(file, placeholder=bool(placeholder_field))
    named = [getattr(field, argument, None) for argument in ("width_field", "height_field")]
    values: dict[str, object] = {column: side for column, side in zip(named, found.size, strict=True) if column}
    if isinstance(field, ThumbImageField) and placeholder_field and found.placeholder:
        values[placeholder_field] = field.placeholder_value(found.placeholder)
    return values


def _has_file(field: models.ImageField) -> models.Q:
    return ~models.Q(**{field.name: ""}) & models.Q(**{f"{field.name}__isnull": False})


def _is_missing(field: models.ImageField) -> models.Q:
    """Whether a column is empty: NULL, 0, or no text or bytes."""
    missing = models.Q(pk__in=())
    for name in columns_of(field):
        column = field.model._meta.get_field(name)  # noqa: SLF001
        empty: object = 0 if isinstance(column, models.IntegerField) else ""
        empty = b"" if isinstance(column, models.BinaryField) else empty
        missing |= models.Q(**{f"{name}__isnull": True}) | models.Q(**{name: empty})
    return missing


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def _equal(stored: object, value: object) -> bool:
    return (bytes(stored) if isinstance(stored, memoryview) else stored) == value
