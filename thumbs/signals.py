"""Purges the thumbnails of a model's replaced or deleted file after the commit. An error of this fails no save."""

import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial

from django.apps import apps
from django.core.files.storage import Storage
from django.db.models import FileField, Model
from django.db.models.signals import post_delete, post_save, pre_save

from thumbs.errors import BadPath
from thumbs.site.commits import after_commit
from thumbs.site.purging import purge
from thumbs.site.served_paths import served_path
from thumbs.wiring.process import configuration

logger = logging.getLogger("thumbs")
# The attribute of an instance that holds its pending changes between `pre_save` and `post_save`.
_PENDING = "_thumbs_replaced"
_UID = "thumbs.purge"


@dataclass(frozen=True, slots=True)
class _Change:
    """A file field that is about to be saved: its file name in the database, and whether a new file is uploaded."""

    field: FileField
    old_name: str
    uploaded: bool


def connect() -> None:
    """Connect the receivers to every loaded model with a file field. Idempotent.

    Not to other models: a receiver would slow down their saves and deletions.
    """
    for model in apps.get_models(include_auto_created=True):
        if any(_fields(model)):
            pre_save.connect(_before_save, sender=model, dispatch_uid=_UID)
            post_save.connect(_after_save, sender=model, dispatch_uid=_UID)
            post_delete.connect(_after_delete, sender=model, dispatch_uid=_UID)


def disconnect() -> None:
    """Disconnect the receivers from all models."""
    for model in apps.get_models(include_auto_created=True):
        for signal in (pre_save, post_save, post_delete):
            signal.disconnect(sender=model, dispatch_uid=_UID)


def _before_save(
    sender: type[Model],
    instance: Model,
    using: str,
    *,
    raw: bool = False,
    update_fields: Collection[str] | None = None,
    **_: object,
) -> None:
    # A deferred field is not saved. With `raw` (a fixture), receivers must not query the database.
    fields = [
        field
        for field in _fields(sender)
        if field.attname in instance.__dict__ and (update_fields is None or field.name in update_fields)
    ]
    if raw or not fields:
        return
    try:
        instance.__dict__[_PENDING] = list(_changes(sender, instance, using, fields))
    except Exception:
        logger.exception("the files that a save of %s replaces are unknown: not purged", sender.__name__)


def _changes(sender: type[Model], instance: Model, using: str, fields: list[FileField]) -> Iterator[_Change]:
    names = [field.attname for field in fields]
    rows = sender._base_manager.using(using).filter(pk=instance.pk)  # noqa: SLF001
    old_names = None if instance.pk is None else rows.values_list(*names).first()
    for field, old_name in zip(fields, old_names or [""] * len(fields), strict=True):
        file = getattr(instance, field.attname)
        yield _Change(field, old_name or "", bool(file) and not file._committed)  # noqa: SLF001 - no public name


def _after_save(instance: Model, using: str, **_: object) -> None:
    for change in instance.__dict__.pop(_PENDING, ()):
        new_name = getattr(instance, change.field.attname).name or ""
        names = {change.old_name} if change.old_name != new_name else set()
        # A storage may give an uploaded file the name of an older one, of this row or of a deleted row.
        names |= {new_name} if change.uploaded else set()
        _purge_on_commit(change.field.storage, names, using)


def _after_delete(sender: type[Model], instance: Model, using: str, **_: object) -> None:
    for field in _fields(sender):
        if field.attname in instance.__dict__:
            _purge_on_commit(field.storage, {getattr(instance, field.attname).name or ""}, using)


def _fields(model: type[Model]) -> list[FileField]:
    return [field for field in model._meta.concrete_fields if isinstance(field, FileField)]  # noqa: SLF001


def _purge_on_commit(storage: Storage, names: set[str], using: str) -> None:
    for name in names - {""}:
        after_commit(partial(_purge, storage, name), using)


def _purge(storage: Storage, name: str) -> None:
    try:
        confs = configuration().storages
    except Exception:
        logger.exception("the thumbnails of %s are not purged", name)
        return
    for conf in confs:
        try:
            path = served_path(conf, storage, name)
            if path is not None:
                purge(conf.name, path)
        except BadPath:
            pass  # no URL can name this file, so it has no thumbnails
        except Exception:
            logger.exception("the thumbnails of %s in %s are not purged", name, conf.name)
