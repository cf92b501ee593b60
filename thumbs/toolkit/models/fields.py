"""`ThumbImageField`: an image field with upright sizes and a placeholder, and with thumbnails as methods of its file.

A stored file is opened when its row is created or its name is changed, and never because a row was loaded.
"""

from collections.abc import Collection, Iterable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self, cast, overload

from django.core import checks
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import signals
from django.db.models.fields.files import FieldFile, FileDescriptor, ImageFileDescriptor

from thumbs.toolkit.models import row_names, unsaved_columns
from thumbs.toolkit.models.field_columns import check_columns
from thumbs.toolkit.models.field_files import ThumbImageFieldFile, is_stored
from thumbs.toolkit.models.purging_fields import PurgingImageField
from thumbs.toolkit.placeholders import background as placeholders
from thumbs.toolkit.placeholders import upright

_is_fetching = ContextVar("thumbs_is_fetching", default=False)


class _FillingDescriptor(ImageFileDescriptor):
    """Fills the columns beside the file when another file is assigned, in the place of Django's class."""

    field: "ThumbImageField"

    def __set__(self, instance: models.Model, value: Any) -> None:
        attname, attributes = self.field.attname, instance.__dict__
        is_deferred, before = attname not in attributes, attributes.get(attname)
        is_new = instance._state.adding  # noqa: SLF001 - Django documents it
        is_of_row = not is_new and row_names.is_of_row(instance, value)
        is_loading = is_new or _is_fetching.get() or is_of_row
        # `getattr` makes a file that is assigned one of `instance`.
        source = self.field.row_of(value)
        FileDescriptor.__set__(self, instance, value)
        # Not for what `Model.__init__` assigns: it goes on to assign the columns, and then sends `post_init`. Nor for
        # what the database has in a deferred field.
        if not (is_deferred and is_loading):
            self.field.replace_columns(instance, before, source)
        if is_of_row:
            unsaved_columns.forget(instance, self.field)

    def fetch_many(self, instances: Iterable[models.Model]) -> None:
        """Django 6.1 calls this to load a deferred field with `FETCH_PEERS`. It assigns names."""
        token = _is_fetching.set(True)
        try:
            super().fetch_many(instances)
        finally:
            _is_fetching.reset(token)


class ThumbImageDescriptor(row_names.RememberingImageDescriptor, _FillingDescriptor):
    """Remembers the file name in the row, and fills the columns beside it."""


class ThumbImageField(PurgingImageField):
    """An image field that keeps upright sizes and a placeholder in columns, and knows focal point and version.

    `focus_field` names a column with a focal point, `placeholder_field` one for a ThumbHash (text or bytes), and
    `version_field` one that changes with the file, such as a date. Thumbnails are purged when the file changes. In
    migrations it is Django's `ImageField`.
    """

    attr_class = ThumbImageFieldFile
    descriptor_class = ThumbImageDescriptor
    width_field: str | None
    height_field: str | None

    def __init__(  # noqa: PLR0913 - Django's arguments, and three more
        self,
        verbose_name: Any = None,
        name: str | None = None,
        width_field: str | None = None,
        height_field: str | None = None,
        *,
        focus_field: str | None = None,
        placeholder_field: str | None = None,
        version_field: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(verbose_name, name, width_field, height_field, **kwargs)
        self.focus_field, self.placeholder_field, self.version_field = focus_field, placeholder_field, version_field

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: Any) -> ThumbImageDescriptor: ...
        @overload
        def __get__(self, instance: models.Model, owner: Any) -> ThumbImageFieldFile: ...
        @overload
        def __get__(self, instance: Any, owner: Any) -> Self: ...
        def __get__(self, instance: Any, owner: Any) -> Any: ...

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """As Django's `ImageField`, so that no migration is needed to use this field or to stop using it."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.ImageField", list(args), kwargs

    def clone(self) -> Self:
        """A copy that is not attached to a model. Django makes it of what `deconstruct` gives."""
        _name, _path, args, kwargs = self.deconstruct()
        columns = ("focus_field", "placeholder_field", "version_field")
        named = {column: getattr(self, column) for column in columns}
        made: Any = type(self)
        return cast("Self", made(*args, **kwargs, **named))

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        """Django's checks, and errors for columns that do not exist or cannot hold their value."""
        return [*super().check(**kwargs), *check_columns(self)]

    def contribute_to_class(self, cls: type[models.Model], name: str, **kwargs: Any) -> None:  # type: ignore[override]
        super().contribute_to_class(cls, name, **kwargs)
        if self._columns() and not cls._meta.abstract:
            # Signals of a subclass or a proxy do not reach the receivers of its parent.
            signals.class_prepared.connect(self._connect)

    def update_dimension_fields(self, instance: models.Model, force: bool = False, *_args: Any, **_kwargs: Any) -> None:
        """Fill the columns of a new instance from the file that it was given; with `force`, of any instance.

        A stored file is opened only with `force`: this runs for every row that is loaded.
        """
        value = instance.__dict__.get(self.attname)
        if not force and (value is None or isinstance(value, str)):
            return
        source = self.row_of(value)
        file = self._file(instance) if self.attname in instance.__dict__ else None
        if force:
            self._fill(instance, file.read_upright() if file else None)
        elif not file or not self._is_incomplete(instance):
            return
        elif not is_stored(file):
            self._fill(instance, file.read_upright())
        else:
            self._copy(instance, source)

    def replace_columns(self, instance: models.Model, before: object, source: dict[str, Any]) -> None:
        """Fill the columns after an assignment. `source` are the attributes of the row that the file came from."""
        if not self._columns():
            return
        file = self._file(instance)
        if not file:
            self._fill(instance, None)
        elif not is_stored(file):
            self._fill(instance, file.read_upright())
        elif file.name == str(before or "") and is_stored(before):
            return  # the same file, perhaps from the database again
        elif not self._copy(instance, source):
            self._fill(instance, file.read_upright())

    def row_of(self, value: object) -> dict[str, Any]:
        """The attributes of the row that a file was taken from; empty for no file of this field."""
        return dict(value.instance.__dict__) if isinstance(value, FieldFile) and value.field == self else {}

    def _file(self, instance: models.Model) -> ThumbImageFieldFile:
        file = getattr(instance, self.attname)
        if isinstance(file, ThumbImageFieldFile):
            return file
        # Django keeps the file of a field of another class. What the row will have is its name.
        own = self.attr_class(instance, self, file.name)
        if not is_stored(file):
            own.file, own._committed = file.file, False  # type: ignore[attr-defined]  # noqa: SLF001 - as Django
        return own

    def _connect(self, sender: type[models.Model], **_: object) -> None:
        if issubclass(sender, self.model):
            signals.post_init.connect(self.update_dimension_fields, sender=sender)
            signals.pre_save.connect(self._before_save, sender=sender)
            signals.post_save.connect(self._after_save, sender=sender)

    def _before_save(
        self, instance: models.Model, *, raw: bool = False, update_fields: Collection[str] | None = None, **_: object
    ) -> None:
        """Fill the columns of a new instance whose file was in the storage before."""
        is_new = instance._state.adding  # noqa: SLF001 - Django documents it
        is_saved = update_fields is None or self.name in update_fields
        if raw or not is_new or not is_saved or self.attname not in instance.__dict__:
            return
        file = self._file(instance)
        if file and is_stored(file) and self._is_incomplete(instance):
            self._fill(instance, file.read_upright())
        if update_fields is not None:  # the row is there, of a file that only the database knows
            unsaved_columns.note(instance, self)

    def _after_save(
        self, instance: models.Model, *, using: str, update_fields: Collection[str] | None = None, **_: object
    ) -> None:
        """Save the columns of a new file where `update_fields` name only the file, as `update_or_create` does."""
        unsaved_columns.save(instance, self, self._columns(), using=using, update_fields=update_fields)

    def _columns(self) -> list[str]:
        return [name for name in (self.width_field, self.height_field, self.placeholder_field) if name]

    def _is_incomplete(self, instance: models.Model) -> bool:
        return not all(instance.__dict__.get(column) for column in self._columns())

    def _copy(self, instance: models.Model, source: dict[str, Any]) -> bool:
        """Take the columns of the row `source`, if it has the same file and all of them are loaded; whether it did."""
        columns = self._columns()
        known = source.get(self.attname) == getattr(instance, self.attname) and all(each in source for each in columns)
        if known:
            for column in columns:
                setattr(instance, column, source[column])
            self._note(instance)
        return known

    def _fill(self, instance: models.Model, read: upright.Upright | None) -> None:
        width, height = (None, None) if read is None else read.size
        if self.width_field:
            setattr(instance, self.width_field, width)
        if self.height_field:
            setattr(instance, self.height_field, height)
        if self.placeholder_field:
            setattr(instance, self.placeholder_field, self.placeholder_value(b"" if read is None else read.placeholder))
        self._note(instance)

    def _note(self, instance: models.Model) -> None:
        if not instance._state.adding:  # noqa: SLF001 - a new row is saved in whole
            unsaved_columns.note(instance, self)

    def placeholder_value(self, placeholder: bytes) -> str | bytes | None:
        """A ThumbHash as the column holds it: bytes or base64; None or the empty value for none."""
        try:
            column = self.model._meta.get_field(str(self.placeholder_field))  # noqa: SLF001 - a documented API
        except FieldDoesNotExist:  # an error of `check`
            return placeholders.as_text(placeholder)
        if not placeholder and column.null:
            return None
        return placeholder if isinstance(column, models.BinaryField) else placeholders.as_text(placeholder)
