"""`ThumbDescriptor`: a thumbnail as a read-only attribute of a model."""

import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self, overload

from django.apps import AppConfig, apps
from django.core import checks
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from thumbs.problems import nearest

if TYPE_CHECKING:
    from thumbs.toolkit.thumb import Thumb

logger = logging.getLogger("thumbs")

WRONG_DESCRIPTOR = "thumbs.E029"


class ThumbDescriptor:
    """`card = ThumbDescriptor("image", "400x300")` in a model: `photo.card.url` is that of `photo.image.thumb(…)`.

    `field` names a file field of the model; `spec` and `options` are those of `thumbs.thumb`. On the class it is the
    descriptor itself. It loads no deferred column: without its file there is no thumbnail, and the log says so.
    """

    def __init__(self, field: str, spec: str = "x", **options: Any) -> None:
        self.field, self.spec, self.options = field, spec, options
        self.name = ""
        self._logged = False

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: Any = None) -> Self: ...
    @overload
    def __get__(self, instance: models.Model, owner: Any = None) -> "Thumb": ...
    def __get__(self, instance: models.Model | None, owner: Any = None) -> "Self | Thumb":
        if instance is None:
            return self
        from thumbs.toolkit.thumb import thumb  # noqa: PLC0415 - models are loaded before most else

        is_loaded = self.field in instance.__dict__
        if not is_loaded and not self._logged:
            self._logged = True
            logger.warning("%s.%s: %s is deferred: load it with the row", *self._where(instance), self.field)
        return thumb(getattr(instance, self.field) if is_loaded else None, self.spec, **self.options)

    def __set__(self, instance: models.Model, value: object) -> None:
        raise AttributeError(f"{'.'.join(self._where(instance))} is read-only: it is the thumbnail of {self.field}.")

    def _where(self, instance: models.Model) -> tuple[str, str]:
        return type(instance).__name__, self.name

    def __repr__(self) -> str:
        options = "".join(f", {name}={value!r}" for name, value in self.options.items())
        return f"ThumbDescriptor({self.field!r}, {self.spec!r}{options})"


@checks.register(checks.Tags.models)
def check_descriptors(app_configs: Sequence[AppConfig] | None = None, **_: object) -> list[checks.CheckMessage]:
    """An error for each descriptor whose field does not exist, or is no file field."""
    configs = apps.get_app_configs() if app_configs is None else app_configs
    return [message for config in configs for model in config.get_models() for message in _problems(model)]


def _problems(model: type[models.Model]) -> Iterator[checks.CheckMessage]:
    meta = model._meta  # noqa: SLF001 - Django's documented API
    for name, descriptor in _descriptors(model).items():
        where = f"{model.__name__}.{name}: {descriptor!r}"
        try:
            field = meta.get_field(descriptor.field)
        except FieldDoesNotExist:
            known = [each.name for each in meta.concrete_fields if isinstance(each, models.FileField)]
            hint = nearest(descriptor.field, known) if known else "The model has no file field."
            yield checks.Error(f"{where} names no field of the model.", hint=hint, obj=model, id=WRONG_DESCRIPTOR)
            continue
        if not isinstance(field, models.FileField):
            sentence, hint = f"{where} names a {type(field).__name__}.", "It must be a FileField or an ImageField."
            yield checks.Error(sentence, hint=hint, obj=model, id=WRONG_DESCRIPTOR)
            continue
        mistake = _mistake(descriptor, field)
        if mistake:
            yield checks.Error(f"{where}: {mistake}", obj=model, id=WRONG_DESCRIPTOR)


def _descriptors(model: type[models.Model]) -> dict[str, ThumbDescriptor]:
    """The descriptors by name, but for those that a base with a table of its own has too."""
    found = {name: each for base in reversed(model.__mro__) for name, each in vars(base).items()}
    tables = [base for base in model.__mro__[1:] if not getattr(getattr(base, "_meta", None), "abstract", True)]
    return {
        name: each
        for name, each in found.items()
        if isinstance(each, ThumbDescriptor) and all(getattr(base, name, None) is not each for base in tables)
    }


def _mistake(descriptor: ThumbDescriptor, field: models.FileField) -> str:
    """What is wrong with the spec and the options in the storage of `field`; empty for nothing, or without THUMBS."""
    from thumbs.toolkit.errors import WrongSpec  # noqa: PLC0415 - they read the settings
    from thumbs.toolkit.thumb import thumb  # noqa: PLC0415

    file_class: Any = field.attr_class
    try:
        # A file of no row.
        thumb(file_class(None, field, "picture.jpg"), descriptor.spec, **descriptor.options)
    except WrongSpec as error:
        return str(error)
    except Exception:
        return ""  # other checks report it: no include, a wrong configuration
    return ""
