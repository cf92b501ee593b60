"""The names of files that rows have in the database: remembered by a field's descriptor, else read with one query."""

from django.db.models import FileField, Model
from django.db.models.fields.files import FieldFile, FileDescriptor, ImageFileDescriptor

from thumbs.toolkit.models.file_purges import log_once
from thumbs.toolkit.models.purging_files import is_stored, stored_name

# The attribute of an instance's state: the name in the row by field, where the instance may lack it. None: unknown.
# A mapping of plain values that is replaced, never changed: states are pickled, and copies of an instance share it.
_NAMES = "thumbs_row_names"


class RememberingDescriptor(FileDescriptor):
    """Remembers the name in the row when another file is assigned, so that a save needs no query for it."""

    def __set__(self, instance: Model, value: object) -> None:
        if not instance._state.adding:  # noqa: SLF001 - in `__init__`, it is True
            try:
                _remember(instance, self.field, value)
            except Exception as error:
                log_once(str(self.field), error, "the file that another replaces in %s is unknown", self.field)
        super().__set__(instance, value)


class RememberingImageDescriptor(RememberingDescriptor, ImageFileDescriptor):
    """The same for an `ImageField`."""


def must_be_asked(instance: Model, field: FileField) -> bool:
    """Whether the database must be asked for the name that `instance` replaces in its row.

    Not for a row that is surely new. Of an instance from the database, only for a plain field, whose descriptor is
    Django's, and for a field that was deferred when it got a file.
    """
    pk = instance.pk
    if None in (pk if isinstance(pk, tuple) else (pk,)):
        return False
    if instance._state.adding:  # noqa: SLF001
        # Django then inserts without an attempt to update.
        return not all(key.has_default() or key.has_db_default() for key in instance._meta.pk_fields)  # noqa: SLF001
    return known(instance, field) is None


def ask(model: type[Model], instance: Model, using: str, fields: list[FileField]) -> dict[str, str]:
    """The names in the row of `instance`, by attribute name, with one query; "" where there is none."""
    names = [field.attname for field in fields]
    if not names:
        return {}
    rows = model._base_manager.using(using).filter(pk=instance.pk)  # noqa: SLF001
    found = rows.values_list(*names).first() or [""] * len(names)
    return {name: value or "" for name, value in zip(names, found, strict=True)}


def known(instance: Model, field: FileField) -> str | None:
    """The name that the row of `instance` has in `field`; "" for none, None where only the database knows it."""
    if instance._state.adding:  # noqa: SLF001
        return ""
    if not remembers(field):
        return None
    names = getattr(instance._state, _NAMES, {})  # noqa: SLF001
    if field.attname in names:
        return names[field.attname]  # type: ignore[no-any-return]
    return stored_name(instance.__dict__.get(field.attname))


def keep(instance: Model, field: FileField, name: str) -> None:
    """The row of `instance` has `name` in `field` from now on."""
    if remembers(field):
        _replace(instance, field, name)


def remembers(field: FileField) -> bool:
    """Whether the field's descriptor remembers names."""
    return issubclass(field.descriptor_class, RememberingDescriptor)


def is_of_row(instance: Model, value: object) -> bool:
    """Whether `value` was just read from the row of `instance`, as `refresh_from_db` does and a deferred field."""
    if not isinstance(value, FieldFile) or not is_stored(value):
        return False
    other = value.instance
    return isinstance(other, type(instance)) and other is not instance and other.pk == instance.pk


def _remember(instance: Model, field: FileField, value: object) -> None:
    """Before `value` is assigned to `field`."""
    if is_of_row(instance, value):
        names = getattr(instance._state, _NAMES, {})  # noqa: SLF001
        others = {attname: name for attname, name in names.items() if attname != field.attname}
        setattr(instance._state, _NAMES, others)  # noqa: SLF001
    elif field.attname not in instance.__dict__:
        _replace(instance, field, None)  # it is deferred
    else:
        _replace(instance, field, known(instance, field))


def _replace(instance: Model, field: FileField, name: str | None) -> None:
    state = instance._state  # noqa: SLF001
    setattr(state, _NAMES, {**getattr(state, _NAMES, {}), field.attname: name})
