"""Adopting the image field and leaving it need no migration, and those with a focal point stay as they are."""

from typing import Any

import pytest
from django.apps import apps
from django.db import connection, migrations, models
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.writer import MigrationWriter

from thumbs.fields import FocalPointField, ThumbImageField

PLAIN: dict[str, Any] = {"upload_to": "photos", "width_field": "w", "height_field": "h", "blank": True}
NAMED = {"focus_field": "focus", "placeholder_field": "hash", "version_field": "updated"}


def state_with(image: models.ImageField) -> ProjectState:
    state = ProjectState()
    fields: list[tuple[str, Any]] = [
        ("id", models.BigAutoField(primary_key=True)),
        ("image", image),
        ("w", models.PositiveIntegerField(null=True)),
        ("h", models.PositiveIntegerField(null=True)),
        ("focus", FocalPointField()),
        ("hash", models.CharField(max_length=36)),
        ("updated", models.DateTimeField(auto_now=True)),
    ]
    state.add_model(ModelState("gallery", "Picture", fields))
    return state


def changes(before: ProjectState, after: ProjectState) -> dict[str, Any]:
    detector: Any = MigrationAutodetector(before, after)
    # Not `changes`, which drops those of an app without a migration in the graph.
    found: dict[str, Any] = detector._detect_changes()
    return found


@pytest.mark.parametrize("named", [{}, NAMED])
def test_to_adopt_the_field_and_to_leave_it_needs_no_migration(named: dict[str, str]) -> None:
    plain, ours = state_with(models.ImageField(**PLAIN)), state_with(ThumbImageField(**PLAIN, **named))
    assert changes(plain, ours) == {}
    assert changes(ours, plain) == {}


def test_a_change_of_what_django_knows_is_still_a_migration() -> None:
    plain = state_with(models.ImageField(**PLAIN))
    (migration,) = changes(plain, state_with(ThumbImageField(**{**PLAIN, "upload_to": "other"})))["gallery"]
    (operation,) = migration.operations
    assert isinstance(operation, migrations.AlterField)
    assert MigrationWriter.serialize(operation.field)[0].startswith("models.ImageField(")


def test_the_columns_alone_need_no_migration() -> None:
    ours = state_with(ThumbImageField(**PLAIN, **NAMED))
    assert changes(ours, state_with(ThumbImageField(**PLAIN))) == {}


def test_it_is_written_as_django_field_with_its_arguments_only() -> None:
    field = ThumbImageField("A picture", **PLAIN, **NAMED, max_length=200)
    field.set_attributes_from_name("image")
    plain = models.ImageField("A picture", **PLAIN, max_length=200)
    plain.set_attributes_from_name("image")
    assert field.deconstruct()[1:] == ("django.db.models.ImageField", *plain.deconstruct()[2:])


def test_a_copy_keeps_the_columns() -> None:
    copy = ThumbImageField(**PLAIN, **NAMED).clone()
    assert isinstance(copy, ThumbImageField)
    assert {name: getattr(copy, name) for name in NAMED} == NAMED


def test_a_focal_point_is_written_with_all_of_its_defaults() -> None:
    text, imports = MigrationWriter.serialize(FocalPointField())
    assert text == "thumbs.fields.FocalPointField(blank=True, default='', max_length=20)"
    assert imports == {"import thumbs.fields"}
    for options in ({}, {"blank": False}, {"default": "0.5,0.5"}, {"max_length": 13}, {"null": True}):
        _name, path, args, kwargs = FocalPointField(**options).deconstruct()
        assert path == "thumbs.fields.FocalPointField"
        assert FocalPointField(*args, **kwargs).deconstruct()[2:] == (args, kwargs)


def test_the_migrations_of_the_gallery_are_complete_and_run() -> None:
    loader = MigrationLoader(None)
    autodetector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps))
    assert autodetector.changes(loader.graph, trim_to_apps={"gallery"}) == {}
    executor = MigrationExecutor(connection)
    state = executor.migrate([("gallery", "0002_thumb_fields")])
    assert type(state.apps.get_model("gallery", "FocusedPhoto")._meta.get_field("image")) is models.ImageField
    executor.loader.build_graph()
    executor.migrate([("gallery", None)])
