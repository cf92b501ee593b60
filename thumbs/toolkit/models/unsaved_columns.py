"""The columns beside the file of an instance that its row lacks, and their update after a save of only the file."""

from collections.abc import Collection, Iterable
from functools import partial

from django.db import models

from thumbs.toolkit.models.file_purges import call_on_commit

# The attribute of an instance's state with a token for each file field whose columns the row lacks. A mapping that is
# replaced, never changed: states are pickled, and copies of an instance share it.
_UNSAVED = "thumbs_unsaved_columns"


def note(instance: models.Model, field: models.FileField) -> None:
    """The columns of `field` were filled."""
    setattr(instance._state, _UNSAVED, {**_tokens(instance), field.attname: object()})  # noqa: SLF001 - as documented


def forget(instance: models.Model, field: models.FileField) -> None:
    """The row has the columns of `field` as they are."""
    tokens = _tokens(instance)
    if field.attname in tokens:
        others = {attname: token for attname, token in tokens.items() if attname != field.attname}
        setattr(instance._state, _UNSAVED, others)  # noqa: SLF001


def save(
    instance: models.Model,
    field: models.FileField,
    columns: Iterable[str],
    *,
    using: str,
    update_fields: Collection[str] | None,
) -> None:
    """Update those of `columns` that a save of `update_fields` left out, though it saved `field` with a new file.

    Without new columns it makes no query, and none where the save included them all (None: all fields).
    """
    token = _tokens(instance).get(field.attname)
    if token is None or (update_fields is not None and field.name not in update_fields):
        return
    values = {} if update_fields is None else _values(instance, set(columns), update_fields)
    if values:
        type(instance)._base_manager.using(using).filter(pk=instance.pk).update(**values)  # noqa: SLF001
    # Until then the row may get its old columns back.
    call_on_commit([partial(_forget_token, instance, field, token)], using)


def _values(instance: models.Model, names: set[str], update_fields: Collection[str]) -> dict[str, object]:
    return {
        column.name: instance.__dict__[column.attname]
        for column in instance._meta.concrete_fields  # noqa: SLF001
        if column.name in names
        and column.attname in instance.__dict__
        and not column.generated
        and not {column.name, column.attname} & set(update_fields)
    }


def _forget_token(instance: models.Model, field: models.FileField, token: object) -> None:
    if _tokens(instance).get(field.attname) is token:  # else they were filled again
        forget(instance, field)


def _tokens(instance: models.Model) -> dict[str, object]:
    return getattr(instance._state, _UNSAVED, {})  # noqa: SLF001
