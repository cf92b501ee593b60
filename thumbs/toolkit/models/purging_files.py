"""Files of models that purge their thumbnails when they are written or deleted, whatever becomes of the row."""

import copyreg
from functools import cache
from types import new_class
from typing import Any, ClassVar, SupportsIndex, cast

from django.core.files.base import File
from django.db import router
from django.db.models.fields.files import FieldFile, FileField, ImageFieldFile

from thumbs.toolkit.models.file_purges import log_once, purge_file, purge_on_commit

_WRITES = frozenset("wax+")


class PurgingFieldFile(FieldFile):
    """A file of a model that purges the names that it writes or deletes, as soon as the storage has done so.

    In a class of its own, name it last (`class AnImageFile(ImageFieldFile, PurgingFieldFile)`): then it stands in the
    place of Django's `FieldFile`, and `save` of the classes before it gets the arguments that its caller gave.
    """

    # Names with a prefix: a class of another app stands before this one.
    # The class that `purging_class` made this one from.
    thumbs_extends: ClassVar[type[FieldFile] | None] = None
    # The name that was purged when it was written; None for a file that this object did not write.
    thumbs_purged_name: str | None = None
    _thumbs_opened_name: str | None = None  # while it is open for writing

    def __init__(self, instance: Any, field: FileField, name: str | None) -> None:
        super().__init__(instance, field, name)
        self._thumbs_first_name = name

    @property
    def thumbs_stored_name(self) -> str:
        """The name of the file before `name` was set; "" for none and for an upload that is not written yet."""
        if not is_stored(self):
            return ""
        return vars(self).get("_thumbs_first_name", self.name) or ""  # absent after unpickling

    def save(self, name: str, content: "File[Any]", save: bool = True) -> None:
        """Write the file and purge its name at once. Its former name is purged when the row is saved or committed."""
        replaced = {self.thumbs_stored_name, (self.name if is_stored(self) else "") or ""}
        super().save(name, content, save=False)
        self._thumbs_first_name = self.thumbs_purged_name = self.name
        purge_file(self.storage, self.name)
        if save:
            self.instance.save()
        else:
            # The row may be written by `bulk_update` or `update`, which send no signal.
            self._purge_replaced(replaced - {"", self.name})

    def delete(self, save: bool = True) -> None:
        """Delete the file and purge its name at once."""
        name = self.name
        if not name:
            return
        super().delete(save=False)
        purge_file(self.storage, name)
        if save:
            self.instance.save()

    def open(self, mode: str = "rb") -> "PurgingFieldFile":  # type: ignore[override]
        """Open the file. One that was opened for writing is purged when it is closed."""
        super().open(mode)
        if is_stored(self) and _WRITES.intersection(mode or ""):
            self._thumbs_opened_name = self.name
        return self

    def close(self) -> None:
        """Close the file, which writes it in some storages."""
        try:
            super().close()
        finally:
            if self._thumbs_opened_name is not None:
                purge_file(self.storage, self._thumbs_opened_name)
                self._thumbs_opened_name = None

    def _purge_replaced(self, names: set[str]) -> None:
        if not names:
            return
        try:
            state = self.instance._state  # noqa: SLF001 - Django's documented `_state`
            using = state.db or router.db_for_write(type(self.instance), instance=self.instance)
        except Exception as error:
            log_once(str(self.field), error, "the database of %s is unknown: its old file is not purged", self.field)
        else:
            purge_on_commit(self.storage, names, using)


class PurgingImageFieldFile(ImageFieldFile, PurgingFieldFile):
    """The same for an `ImageField`."""


def stored_name(value: object) -> str:
    """The name of the stored file that `value` of a file field stands for; "" for none, or for an upload."""
    if isinstance(value, PurgingFieldFile):
        return value.thumbs_stored_name
    if isinstance(value, FieldFile):
        return (value.name if is_stored(value) else "") or ""
    return value if isinstance(value, str) else ""


def is_stored(file: FieldFile) -> bool:
    """Whether `file` is in its storage; False for an upload that is not written yet."""
    return bool(file._committed)  # type: ignore[attr-defined]  # noqa: SLF001 - Django has no public name


def is_purging(field: FileField) -> bool:
    """Whether the files of `field` purge."""
    return isinstance(field.attr_class, type) and issubclass(field.attr_class, PurgingFieldFile)


@cache
def purging_class(base: type[FieldFile]) -> type[PurgingFieldFile]:
    """A subclass of `base` whose files purge. It looks like `base`, and its pickles name the field, not the class."""
    if issubclass(base, PurgingFieldFile):
        return base
    bases = (PurgingFieldFile,) if base is FieldFile else (base, PurgingFieldFile)
    made = cast(type[PurgingFieldFile], new_class(base.__name__, bases))

    def reduce_by_field(self: PurgingFieldFile, protocol: SupportsIndex) -> Any:
        # At least 2: older protocols name the class in another way.
        reduced = super(made, self).__reduce_ex__(max(2, int(protocol)))
        if isinstance(reduced, tuple) and reduced[0] is copyreg.__newobj__ and reduced[1][0] is type(self):  # type: ignore[attr-defined]
            return (_new_file, (self.field, *reduced[1][1:]), *reduced[2:])
        return reduced

    made.__module__, made.__qualname__, made.__doc__ = base.__module__, base.__qualname__, base.__doc__
    made.thumbs_extends = base
    made.__reduce_ex__ = reduce_by_field  # type: ignore[method-assign, assignment]
    return made


def _new_file(field: FileField, *arguments: object) -> FieldFile:
    """An empty file of the class that `field` has in this process: another process may not purge."""
    made: FieldFile = field.attr_class.__new__(field.attr_class, *arguments)
    return made
