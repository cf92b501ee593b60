"""Purges the names of files that rows of a model get, lose or are deleted with, when the transaction commits."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial, wraps

from django.db.models import FileField, Model
from django.db.models.signals import post_delete, post_save, pre_save

from thumbs.toolkit.models import row_names
from thumbs.toolkit.models.file_purges import Call, call_on_commit, log_once, purge_files, purge_on_commit
from thumbs.toolkit.models.purging_files import PurgingFieldFile, is_purging, is_stored, stored_name

_UID = "thumbs.purge"
# The attribute of an instance's state that holds its pending changes between `pre_save` and `post_save`.
_PENDING = "thumbs_pending"
_UNKNOWN = "the files that a save of %s replaces are unknown: not purged"
_HISTORICAL = "__fake__"  # the module of the models that migrations make


@dataclass(frozen=True, slots=True)
class _Change:
    """A file field that is about to be saved: the name in the row, and the instance's file."""

    field: FileField
    old_name: str
    file: object
    uploaded: bool


def watch(model: type[Model]) -> None:
    """Connect the receivers to `model` if it has a file that purges. Idempotent.

    Not to other models: a receiver would slow down their saves and deletions.
    """
    if any(_files(model)):
        connect(model)


def connect(model: type[Model]) -> None:
    """Connect the receivers to `model`, unless it is of a migration: its deletions would then load every row."""
    if model.__module__ != _HISTORICAL:
        for signal, receiver in ((pre_save, _before_save), (post_save, _after_save), (post_delete, _after_delete)):
            signal.connect(receiver, sender=model, dispatch_uid=_UID)


def unwatch(model: type[Model]) -> None:
    """Disconnect the receivers from `model` unless it has a file that purges."""
    if not any(_files(model)):
        for signal in (pre_save, post_save, post_delete):
            signal.disconnect(sender=model, dispatch_uid=_UID)


def is_being_saved(instance: Model) -> bool:
    """Whether `post_save` will purge what this save changes."""
    return hasattr(instance._state, _PENDING)  # noqa: SLF001 - Django's documented `_state`


def calls_after(instance: Model, field: FileField, file: object, names: tuple[str, str]) -> Iterator[Call]:
    """What must be called when a row's new file is committed. `names` are the old name and the new one.

    The name that `file` purged when it was written is not purged again.
    """
    written = file.thumbs_purged_name if isinstance(file, PurgingFieldFile) else None
    purged = _owned(field, {name for name in names if name != written})
    if purged:
        yield partial(purge_files, getattr(file, "storage", field.storage), purged)
    if row_names.remembers(field) and row_names.known(instance, field) != names[1]:
        yield partial(row_names.keep, instance, field, names[1])


def _never_raises(message: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A failure of the receiver fails no save and no deletion. It is logged once per model, as `message`."""

    def decorated(receiver: Callable[..., None]) -> Callable[..., None]:
        @wraps(receiver)
        def call(sender: type[Model], **arguments: object) -> None:
            try:
                receiver(sender, **arguments)
            except Exception as error:
                log_once(f"{message} {sender._meta.label}", error, message, sender.__name__)  # noqa: SLF001

        return call

    return decorated


@_never_raises(_UNKNOWN)
def _before_save(
    sender: type[Model],
    instance: Model,
    using: str,
    *,
    raw: bool = False,
    update_fields: Collection[str] | None = None,
    **_: object,
) -> None:
    # A deferred field is not saved.
    fields = [
        field
        for field in _files(sender)
        if field.attname in instance.__dict__ and (update_fields is None or field.name in update_fields)
    ]
    if not fields:
        return
    state = instance._state  # noqa: SLF001
    # A receiver of the site may save the instance again before `_after_save` is called for the first save.
    pending = getattr(state, _PENDING, ())
    setattr(state, _PENDING, (*pending, *_changes(sender, instance, using, fields=fields, raw=raw)))


def _changes(
    sender: type[Model], instance: Model, using: str, *, fields: list[FileField], raw: bool
) -> Iterator[_Change]:
    # With `raw` (a fixture), receivers must not query the database.
    asked = [] if raw else [field for field in fields if row_names.must_be_asked(instance, field)]
    old_names = row_names.ask(sender, instance, using, asked)
    for field in fields:
        old_name = old_names[field.attname] if field in asked else row_names.known(instance, field) or ""
        file = getattr(instance, field.attname)
        yield _Change(field, old_name, file, bool(file) and not is_stored(file))


@_never_raises(_UNKNOWN)
def _after_save(_: type[Model], *, instance: Model, using: str, **__: object) -> None:
    calls: list[Call] = []
    for change in instance._state.__dict__.pop(_PENDING, ()):  # noqa: SLF001
        new_name = getattr(instance, change.field.attname).name or ""
        if change.old_name != new_name or change.uploaded:
            calls += calls_after(instance, change.field, change.file, (change.old_name, new_name))
    call_on_commit(calls, using)


@_never_raises("the thumbnails of a deleted %s are not purged")
def _after_delete(sender: type[Model], instance: Model, using: str, **_: object) -> None:
    model = sender._meta.concrete_model or sender  # noqa: SLF001
    # The files of a parent model are purged when its row is deleted.
    for field in _files(model):
        if field in model._meta.local_fields and field.attname in instance.__dict__:  # noqa: SLF001
            file = getattr(instance, field.attname)
            names = _owned(field, {row_names.known(instance, field) or "", stored_name(file)})
            purge_on_commit(file.storage, names, using)


def _owned(field: FileField, names: set[str]) -> set[str]:
    """Without the name that `field` gives to rows without a file: its thumbnails are those of many rows."""
    return names - {"", *(default for default in (field.default, field.db_default) if isinstance(default, str))}


def _files(model: type[Model]) -> list[FileField]:
    fields = model._meta.concrete_fields  # noqa: SLF001
    return [field for field in fields if isinstance(field, FileField) and is_purging(field)]
