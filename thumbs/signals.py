"""Purges the thumbnails of a model's file that was replaced or deleted, once that is committed, never at its cost."""

import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial

from django.apps import apps
from django.core.files.storage import Storage
from django.db import transaction
from django.db.models import FileField, Model
from django.db.models.signals import post_delete, post_save, pre_save

from thumbs.errors import BadPath
from thumbs.site.purging import purge
from thumbs.site.served_paths import served_path
from thumbs.wiring.process import configuration

logger = logging.getLogger("thumbs")
# Where a save leaves what it is about to replace, on the instance, until it is done.
_NOTED = "_thumbs_replaced"
_UID = "thumbs.purge"


@dataclass(frozen=True, slots=True)
class _Noted:
    """A file field that is about to be saved: its name in the database, and whether a new file comes with it."""

    field: FileField
    before: str
    uploaded: bool


def connect() -> None:
    """Watch all models that have files, among those that are loaded. To do so again changes nothing.

    Only those: a receiver for every model would slow down each one's saves and deletions.
    """
    for model in apps.get_models(include_auto_created=True):
        if any(_fields(model)):
            pre_save.connect(_before_save, sender=model, dispatch_uid=_UID)
            post_save.connect(_after_save, sender=model, dispatch_uid=_UID)
            post_delete.connect(_after_delete, sender=model, dispatch_uid=_UID)


def disconnect() -> None:
    """Watch none any more."""
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
    # What is not loaded is not saved; of what a fixture loads nothing may be asked.
    fields = [
        field
        for field in _fields(sender)
        if field.attname in instance.__dict__ and (update_fields is None or field.name in update_fields)
    ]
    if raw or not fields:
        return
    try:
        instance.__dict__[_NOTED] = list(_noted(sender, instance, using, fields))
    except Exception:
        logger.exception("what a save of %s replaces is not known, and not purged", sender.__name__)


def _noted(sender: type[Model], instance: Model, using: str, fields: list[FileField]) -> Iterator[_Noted]:
    names = [field.attname for field in fields]
    rows = sender._base_manager.using(using).filter(pk=instance.pk)  # noqa: SLF001
    before = None if instance.pk is None else rows.values_list(*names).first()
    for field, name in zip(fields, before or [""] * len(fields), strict=True):
        file = getattr(instance, field.attname)
        yield _Noted(field, name or "", bool(file) and not file._committed)  # noqa: SLF001 - there is no other sign


def _after_save(instance: Model, using: str, **_: object) -> None:
    for noted in instance.__dict__.pop(_NOTED, ()):
        now = getattr(instance, noted.field.attname).name or ""
        # A storage may give a new file the name of an older one, this row's or another's that is gone.
        names = {noted.before} if noted.before != now else set()
        names |= {now} if noted.uploaded else set()
        _purge_when_committed(noted.field.storage, names, using)


def _after_delete(sender: type[Model], instance: Model, using: str, **_: object) -> None:
    for field in _fields(sender):
        if field.attname in instance.__dict__:
            _purge_when_committed(field.storage, {getattr(instance, field.attname).name or ""}, using)


def _fields(model: type[Model]) -> list[FileField]:
    return [field for field in model._meta.concrete_fields if isinstance(field, FileField)]  # noqa: SLF001


def _purge_when_committed(held_by: Storage, names: set[str], using: str) -> None:
    for name in names - {""}:
        transaction.on_commit(partial(_purge, held_by, name), using=using)


def _purge(held_by: Storage, name: str) -> None:
    try:
        confs = configuration().storages
    except Exception:
        logger.exception("the thumbnails of %s are not purged", name)
        return
    for conf in confs:
        try:
            path = served_path(conf, held_by, name)
            if path is not None:
                purge(conf.name, path)
        except BadPath:
            pass  # no URL can name it, so that there is no thumbnail of it
        except Exception:
            logger.exception("the thumbnails of %s in %s are not purged", name, conf.name)
