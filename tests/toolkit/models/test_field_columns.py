"""A column that an image field names must exist and be able to hold its value: a system check says which and why."""

from typing import Any

import pytest
from django.core import checks
from django.db import models
from django.test.utils import isolate_apps

from thumbs.fields import FocalPointField, ThumbImageField


def model_of(**options: Any) -> type[models.Model]:
    """A model with an image field of these options, and with a field of every kind."""

    class Picture(models.Model):
        image = ThumbImageField(**options)
        width = models.PositiveIntegerField(null=True)
        small = models.PositiveSmallIntegerField(null=True)
        height = models.BigIntegerField(null=True)
        focus = FocalPointField()
        text = models.TextField()
        short = models.CharField(max_length=35)
        long = models.CharField(max_length=36)
        blob = models.BinaryField()
        small_blob = models.BinaryField(max_length=24)
        updated = models.DateTimeField(auto_now=True)
        day = models.DateField(null=True)
        token = models.UUIDField(null=True)
        ratio = models.FloatField(null=True)
        other = models.ImageField(blank=True)
        parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True)

        class Meta:
            app_label = "gallery"

    return Picture


def messages(**options: Any) -> list[checks.CheckMessage]:
    with isolate_apps("tests.gallery"):
        return list(model_of(**options).check())


@pytest.mark.parametrize(
    ("column", "names"),
    [
        ("width_field", ["width", "small", "height"]),
        ("height_field", ["width", "small", "height"]),
        ("focus_field", ["focus", "text", "short", "long"]),
        ("placeholder_field", ["text", "long", "blob"]),
        ("version_field", ["updated", "day", "width", "height", "text", "long", "token"]),
    ],
)
def test_fields_that_can_hold_the_value_are_usable(column: str, names: list[str]) -> None:
    for name in names:
        assert messages(**{column: name}) == []


@pytest.mark.parametrize(
    ("column", "names"),
    [
        ("width_field", ["text", "ratio", "updated", "parent", "other"]),
        ("height_field", ["focus", "blob", "image"]),
        ("focus_field", ["width", "updated", "blob", "other"]),
        ("placeholder_field", ["short", "small_blob", "width", "focus", "other"]),
        ("version_field", ["blob", "ratio", "other", "parent", "image"]),
    ],
)
def test_fields_that_cannot_hold_the_value_are_errors(column: str, names: list[str]) -> None:
    for name in names:
        (error,) = messages(**{column: name})
        assert (error.id, error.level) == ("thumbs.E028", checks.ERROR)
        assert error.msg.startswith(f"Picture.image: {column} is {name!r}, a ")
        assert error.hint is not None
        assert error.hint.startswith("It must be ")


@pytest.mark.parametrize("column", ["width_field", "height_field", "focus_field", "placeholder_field", "version_field"])
def test_a_field_that_does_not_exist_is_an_error_with_the_nearest_name(column: str) -> None:
    (error,) = messages(**{column: "updatd"})
    assert (error.id, error.level) == ("thumbs.E027", checks.ERROR)
    assert error.msg == f"Picture.image: {column} is 'updatd', and the model has no such field."
    assert error.hint == "Did you mean 'updated'?"
    (error,) = messages(**{column: "zzz"})
    assert str(error.hint).startswith("Known here: blob, ")


def test_every_wrong_column_is_named() -> None:
    found = messages(width_field="widht", focus_field="width", version_field="nothing")
    assert [each.id for each in found] == ["thumbs.E027", "thumbs.E028", "thumbs.E027"]


def test_an_instance_of_a_model_with_wrong_columns_can_be_made() -> None:
    with isolate_apps("tests.gallery"):
        assert model_of(placeholder_field="nothing", width_field="widht")().pk is None


def test_django_checks_of_its_image_field_are_made_too() -> None:
    (error,) = messages(upload_to="/photos")
    assert error.id == "fields.E202"
