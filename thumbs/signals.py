"""The signal `purged`; and the purges of the files of all models, for `PURGE_ON_MODEL_CHANGES`, which fail no save."""

import logging

from django.apps import apps
from django.db.models import FileField, Model
from django.db.models.signals import class_prepared

from thumbs.site.purge_signal import purged
from thumbs.toolkit.models import purging_rows
from thumbs.toolkit.models.file_purges import forget_errors
from thumbs.toolkit.models.purging_files import purging_class

__all__ = ["connect", "disconnect", "purged"]
logger = logging.getLogger("thumbs")

_UID = "thumbs.purge"


def connect() -> None:
    """Have the files of every model purge: those that are loaded, and those that will be. Idempotent."""
    class_prepared.connect(_prepare, dispatch_uid=_UID)
    for model in apps.get_models(include_auto_created=True):
        _prepare(model)


def disconnect() -> None:
    """Leave plain fields as they were before `connect`."""
    class_prepared.disconnect(dispatch_uid=_UID)
    models = apps.get_models(include_auto_created=True)
    for field in (field for model in models for field in _file_fields(model)):
        former = getattr(field.attr_class, "thumbs_extends", None)
        if former is not None:
            field.attr_class = former
    for model in models:
        purging_rows.unwatch(model)
    forget_errors()


def _prepare(sender: type[Model], **_: object) -> None:
    """Give the fields of `sender` a class of files that purge: an attribute of the field, no change of any class."""
    for field in _file_fields(sender):
        try:
            field.attr_class = purging_class(field.attr_class)  # type: ignore[arg-type]
        except Exception:
            logger.exception("the files of %s are not purged: %s cannot be extended", field, field.attr_class)
    purging_rows.watch(sender)


def _file_fields(model: type[Model]) -> list[FileField]:
    return [field for field in model._meta.concrete_fields if isinstance(field, FileField)]  # noqa: SLF001
