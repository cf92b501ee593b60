"""Which models and image fields the arguments of `thumb_dimensions` name."""

from collections.abc import Iterable, Iterator, Sequence

from django.apps import AppConfig, apps
from django.core.management.base import CommandError
from django.db import models

from thumbs.management.dimensions import Target, columns_of
from thumbs.problems import nearest


def targets(names: Sequence[str], *, using: str) -> list[Target]:
    """A target for each model that `names` name: as `app`, `app.Model` or `app.Model.field`; all models for none.

    Raises CommandError for a name that is wrong, with the nearest one, and for a field without columns.
    """
    chosen: dict[type[models.Model], dict[str, models.ImageField]] = {}
    configs = list(apps.get_app_configs())
    for model, field in _all(configs) if not names else (pair for name in names for pair in _named(name, configs)):
        chosen.setdefault(model, {})[field.name] = field
    return [Target(model, tuple(fields.values()), using) for model, fields in chosen.items()]


def _all(configs: Iterable[AppConfig]) -> Iterator[tuple[type[models.Model], models.ImageField]]:
    for config in configs:
        for model in config.get_models():
            if model._meta.managed and not model._meta.proxy:  # noqa: SLF001
                # Fields of a parent with a table of its own are corrected there.
                local = model._meta.local_concrete_fields  # noqa: SLF001
                yield from (
                    (model, field) for field in local if isinstance(field, models.ImageField) and columns_of(field)
                )


def _named(name: str, configs: list[AppConfig]) -> Iterator[tuple[type[models.Model], models.ImageField]]:
    label, _, rest = name.partition(".")
    config = {each.label: each for each in configs}.get(label)
    if config is None:
        raise CommandError(f"No app is called {label!r}. {nearest(label, [each.label for each in configs])}")
    if not rest:
        yield from _all([config])
        return
    model_name, _, field_name = rest.partition(".")
    models_by_name = {each.__name__: each for each in config.get_models()}
    lower = {each.lower(): model for each, model in models_by_name.items()}
    model = lower.get(model_name.lower())
    if model is None:
        raise CommandError(f"{label} has no model {model_name!r}. {nearest(model_name, models_by_name)}")
    for field in _fields(model, field_name):
        yield model, field


def _fields(model: type[models.Model], name: str) -> list[models.ImageField]:
    """The image field `name` of the model, or all that have columns; those of its parents too."""
    label = model._meta.label  # noqa: SLF001
    fields = {field.name: field for field in model._meta.concrete_fields}  # noqa: SLF001
    images = {each: field for each, field in fields.items() if isinstance(field, models.ImageField)}
    if not images:
        raise CommandError(f"{label} has no image field.")
    if name and name not in images:
        kind = f"is a {type(fields[name]).__name__}" if name in fields else "does not exist"
        raise CommandError(f"{label}.{name} {kind}: name an image field. {nearest(name, images)}")
    chosen = [images[name]] if name else [field for field in images.values() if columns_of(field)]
    if not chosen or not columns_of(chosen[0]):
        where = f"{label}.{name or ', '.join(images)}"
        raise CommandError(f"{where} has no width_field, height_field or placeholder_field: there is nothing to fill.")
    return chosen
