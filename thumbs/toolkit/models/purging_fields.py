"""Fields of models whose files purge, without any setting. A subclass may deconstruct to Django's own field."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import FileField, ImageField, Model
from django.db.models.fields.files import FieldFile
from django.db.models.signals import class_prepared

from thumbs.toolkit.models import purging_rows, row_names
from thumbs.toolkit.models.file_purges import call_on_commit, log_once, purge_on_commit
from thumbs.toolkit.models.purging_files import PurgingFieldFile, PurgingImageFieldFile


class PurgingFileField(FileField):
    """A `FileField` that purges both names when a file is written, deleted or replaced in its row.

    It sees `bulk_create`, `bulk_update` (not with the first releases of Django 5.2) and the new name of
    `QuerySet.update` too, which send no signals. A subclass with an `attr_class` or a `descriptor_class` of its own
    derives it from the one here.
    """

    attr_class = PurgingFieldFile
    descriptor_class = row_names.RememberingDescriptor

    def contribute_to_class(self, cls: type[Model], name: str, **kwargs: Any) -> None:  # type: ignore[override]
        """Watch the rows of `cls`, also where the field is added to a class that is complete."""
        super().contribute_to_class(cls, name, **kwargs)
        if not cls._meta.abstract:
            purging_rows.connect(cls)

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        """The name for the database, which is about to write it."""
        prepared = super().get_db_prep_save(value, connection)
        try:
            if isinstance(prepared, str):  # else an expression, or NULL
                _purge_written(self, value, prepared, connection.alias)
        except Exception as error:
            log_once(str(self), error, "the file names that are written to %s are unknown: not purged", self)
        return prepared


class PurgingImageField(PurgingFileField, ImageField):
    """The same for an `ImageField`."""

    attr_class = PurgingImageFieldFile
    descriptor_class = row_names.RememberingImageDescriptor


def _purge_written(field: FileField, value: object, name: str, using: str) -> None:
    if not isinstance(value, FieldFile):  # `QuerySet.update` with a name; the rows and their old names are unknown
        purge_on_commit(field.storage, {name}, using)
    elif not purging_rows.is_being_saved(value.instance):  # one of the `bulk_` methods
        old_name = row_names.known(value.instance, field) or ""
        if old_name != name:
            call_on_commit(purging_rows.calls_after(value.instance, field, value, (old_name, name)), using)


def _watch(sender: type[Model], **_: object) -> None:
    purging_rows.watch(sender)


# Proxies and child models have the fields of others, without a call of `contribute_to_class`.
class_prepared.connect(_watch, dispatch_uid="thumbs.purging_fields")
