"""A focal point is text in one form, read from several, and refused with a sentence that says what is wrong."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import F, Value
from django.forms import Form, modelform_factory

from tests.gallery.models import FocusedPhoto
from tests.support.gallery import gallery_tables
from thumbs.fields import FocalPointField, FocalPointFormField, focus_of

CANONICAL = {
    "0.31,0.62": "0.31,0.62",
    " 0.31 , 0.62 ": "0.31,0.62",
    "0.3100,0.6200": "0.31,0.62",
    "0,1": "0,1",
    "1.0,0.0": "1,0",
    "-0,+1": "0,1",
    ".5,0.": "0.5,0",
    "0.1234,0.9999": "0.1234,0.9999",
    "0.31x0.62": "0.31,0.62",
    "0.333333333x0.6": "0.3333,0.6",
    "1e-05x0.5": "0,0.5",
    "": "",
    "   ": "",
}
WRONG = {
    "0.31": "invalid_focus",
    "0.31,0.62,0.1": "invalid_focus",
    "0,31": "focus_outside",
    "0.31;0.62": "invalid_focus",
    "center": "invalid_focus",
    "nan,0.5": "invalid_focus",
    "infx0": "invalid_focus",
    "1e999x0": "invalid_focus",
    "0.5,٠": "invalid_focus",
    "0.5,0.5\n0.5": "invalid_focus",
    "1.01,0.5": "focus_outside",
    "0.5,-0.1": "focus_outside",
    "2x0": "focus_outside",
    "0.12345,0.5": "focus_decimals",
}
SENTENCES = {
    "invalid_focus": "Enter a focal point as two numbers between 0 and 1",
    "focus_outside": "lies outside the picture",
    "focus_decimals": "has too many decimals: use at most 4",
}


@pytest.fixture
def tables() -> Iterator[None]:
    with gallery_tables():
        yield


def in_the_database(photo: FocusedPhoto) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT focus FROM gallery_focusedphoto WHERE id = %s", [photo.pk])
        return str(cursor.fetchone()[0])


@pytest.mark.parametrize(("text", "canonical"), CANONICAL.items())
def test_text_is_brought_into_one_form(text: str, canonical: str) -> None:
    assert FocalPointField().to_python(text) == canonical
    assert FocalPointFormField(required=False).clean(text) == canonical
    assert focus_of(text) == canonical
    assert focus_of(canonical) == canonical


@pytest.mark.parametrize(("text", "code"), WRONG.items())
def test_what_is_no_focal_point_is_refused_with_a_reason(text: str, code: str) -> None:
    for field in (FocalPointField(), FocalPointFormField()):
        with pytest.raises(ValidationError) as raised:
            field.to_python(text)
        assert raised.value.code == code
        assert SENTENCES[code] in raised.value.messages[0]


@pytest.mark.parametrize("text", [text for text, code in WRONG.items() if code != "focus_decimals"] + [None])
def test_what_a_row_holds_and_is_no_focal_point_counts_as_none(text: str | None) -> None:
    assert focus_of(text) == ""


def test_decimals_that_a_row_holds_are_rounded() -> None:
    assert focus_of("0.123456,0.5") == "0.1235,0.5"


@pytest.mark.parametrize(
    ("value", "text"), [((0.31, 0.62), "0.31,0.62"), ([1, 0], "1,0"), ((1 / 3, 2 / 3), "0.3333,0.6667"), (None, "")]
)
def test_a_pair_of_numbers_can_be_assigned(tables: None, value: Any, text: str) -> None:
    photo = FocusedPhoto(title="a")
    photo.focus = value if value is not None else ""
    photo.save()
    assert photo.focus == text
    assert in_the_database(photo) == text
    assert FocusedPhoto.objects.get(focus=value or "") == photo


@pytest.mark.parametrize("value", [(0.5,), (0.1, 0.2, 0.3), (2, 0), (float("nan"), 0), ("a", "b"), "center"])
def test_what_is_no_focal_point_is_not_saved(tables: None, value: Any) -> None:
    with pytest.raises(ValidationError):
        FocusedPhoto.objects.create(focus=value)
    assert not FocusedPhoto.objects.exists()


def test_the_default_is_none_and_may_be_blank(tables: None) -> None:
    photo = FocusedPhoto.objects.create(title="a")
    assert photo.focus == in_the_database(photo) == ""
    photo.full_clean()


def test_full_clean_refuses_a_wrong_focal_point(tables: None) -> None:
    with pytest.raises(ValidationError, match="lies outside the picture"):
        FocusedPhoto(title="a", focus="3,4").full_clean()


def test_a_column_of_versatile_image_field_is_read_and_written_in_our_form(tables: None) -> None:
    photo = FocusedPhoto.objects.create(title="a")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE gallery_focusedphoto SET focus = '0.31x0.62'")
    photo.refresh_from_db()
    assert photo.focus == "0.31,0.62"
    photo.save()
    assert in_the_database(photo) == "0.31,0.62"


def test_expressions_and_lookups_of_the_database_work(tables: None) -> None:
    photo = FocusedPhoto.objects.create(title="0.1,0.2", focus="0.3,0.4")
    assert FocusedPhoto.objects.filter(focus__startswith="0.3").count() == 1
    assert FocusedPhoto.objects.exclude(focus="").count() == 1
    assert FocusedPhoto.objects.filter(focus__in=["0.30,0.4", ""]).count() == 1
    FocusedPhoto.objects.update(focus=F("title"))
    assert in_the_database(photo) == "0.1,0.2"
    photo.focus = Value("0.5,0.5")
    photo.save()
    assert in_the_database(photo) == "0.5,0.5"


def test_a_form_of_the_model_takes_a_focal_point_and_knows_whether_it_changed(tables: None) -> None:
    form_class = modelform_factory(FocusedPhoto, fields=["title", "focus"])
    photo = FocusedPhoto.objects.create(title="a", focus="0.31,0.62")
    same = form_class({"title": "a", "focus": " 0.310, 0.620 "}, instance=photo)
    assert (same.is_valid(), same.changed_data) == (True, [])
    other = form_class({"title": "a", "focus": "0.5x0.5"}, instance=photo)
    assert other.save().focus == "0.5,0.5"
    wrong = form_class({"title": "a", "focus": "7,7"}, instance=photo)
    assert "lies outside the picture" in str(wrong.errors["focus"])
    blank = form_class({"title": "a", "focus": ""}, instance=photo)
    assert blank.save().focus == ""


def test_a_form_field_of_its_own_has_its_own_messages() -> None:
    class PointForm(Form):
        point = FocalPointFormField(error_messages={"invalid_focus": "Click on the picture."})

    assert PointForm({"point": "center"}).errors["point"] == ["Click on the picture."]
    assert PointForm({"point": "0.5,0.5"}).is_valid()
    assert not PointForm({"point": ""}).is_valid()


def test_a_column_that_may_be_null_keeps_null() -> None:
    field = FocalPointField(null=True)
    assert field.to_python(None) is None
    assert field.get_prep_value(None) is None
