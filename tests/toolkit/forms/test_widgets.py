"""The inputs with a picture: what a browser gets, without script and without the admin."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings
from django.utils.datastructures import MultiValueDict
from django.utils.html import escape
from django.utils.translation import override

from tests.gallery.models import FocusedPhoto, PlainPhoto
from tests.support import pictures
from thumbs.fields import FocalPointFormField
from thumbs.toolkit.forms.widgets import FocalPointInput, ThumbImageInput

URL = "/img/uploads/thumbs/480x480/filters:fit(contain)/a.jpg"
PhotoForm = forms.modelform_factory(FocusedPhoto, fields=("image", "focus"))
PNG = pictures.encoded(pictures.quarters(8, 8), "PNG")


@pytest.fixture(autouse=True)
def settings(tmp_path: Path) -> Iterator[None]:
    thumbs = {"STORAGES": [{"name": "uploads", "driver": "django", "alias": "default"}]}
    with override_settings(MEDIA_ROOT=str(tmp_path), THUMBS=thumbs):
        yield


def data_of(html: str) -> dict[str, str]:
    return dict(re.findall(r'data-([a-z]+)="([^"]*)"', html))


def test_the_input_of_a_model_knows_the_picture_and_its_file_input() -> None:
    form = PhotoForm(instance=FocusedPhoto(image="a.jpg", focus="0.31,0.62"), prefix="rows-0")
    html = str(form["focus"])
    data = data_of(html)
    assert (data["src"], data["picture"], data["name"]) == (URL, "image", "focus")
    assert re.search(r'<input type="text" name="rows-0-focus" value="0.31,0.62"[^>]* id="id_rows-0-focus">', html)


def test_no_html_has_a_style_or_a_script_of_its_own() -> None:
    form = PhotoForm(instance=FocusedPhoto(image="a.jpg"))
    form.fields["image"].widget = ThumbImageInput()
    html = f"{form['focus']}{form['image']}{form.media}"
    assert not re.search(r"<style|\bstyle=|\bon\w+=|javascript:|data:|blob:|<script(?! src=)", html)
    assert re.findall(r'<script src="([^"]+)" defer></script>', str(form.media)) == ["thumbs/focal_point.js"]


def test_a_blank_file_has_no_picture_and_a_missing_preview_says_so() -> None:
    blank = data_of(str(PhotoForm(instance=FocusedPhoto())["focus"]))
    assert "src" not in blank
    assert blank["empty"].startswith("Choose a picture")
    refused = data_of(str(PhotoForm(instance=FocusedPhoto(image="../a.jpg"))["focus"]))
    assert "src" not in refused
    assert refused["empty"] == refused["broken"]


def test_after_a_refused_form_the_saved_picture_is_shown_and_not_the_upload() -> None:
    photo = FocusedPhoto(image="a.jpg")
    form = PhotoForm(
        {"focus": "7,7"}, MultiValueDict({"image": [SimpleUploadedFile("new.png", PNG, "image/png")]}), instance=photo
    )
    assert not form.is_valid()
    assert data_of(str(form["focus"]))["src"] == URL
    assert 'value="7,7"' in str(form["focus"])


def test_a_model_form_without_its_file_shows_the_picture_of_the_row() -> None:
    form = forms.modelform_factory(FocusedPhoto, fields=("focus",))(instance=FocusedPhoto(image="a.jpg"))
    assert data_of(str(form["focus"]))["src"] == URL


class PlainForm(forms.Form):
    photo = forms.ImageField(widget=ThumbImageInput)
    focus = FocalPointFormField(picture="photo")
    other = FocalPointFormField(required=False)


def test_a_plain_form_names_the_field_of_its_file() -> None:
    form = PlainForm(initial={"photo": PlainPhoto(image="a.jpg").image})
    assert data_of(str(form["focus"]))["src"] == URL
    assert data_of(str(form["focus"]))["picture"] == "photo"
    assert "src" not in data_of(str(form["other"]))
    assert PlainForm({"focus": "0.31x0.62"}).fields["focus"].clean("0.31x0.62") == "0.31,0.62"


def test_an_initial_value_from_a_query_is_no_picture() -> None:
    assert "src" not in data_of(str(PhotoForm(initial={"image": "secret/a.jpg"})["focus"]))


def test_two_forms_do_not_share_a_picture() -> None:
    with_picture = PhotoForm(instance=FocusedPhoto(image="a.jpg"))
    without = PhotoForm(instance=FocusedPhoto())
    assert "src" in data_of(str(with_picture["focus"]))
    assert "src" not in data_of(str(without["focus"]))


def test_a_widget_of_the_site_stays() -> None:
    form = forms.modelform_factory(FocusedPhoto, fields=("focus",), widgets={"focus": forms.Textarea})()
    assert str(form["focus"]).startswith("<textarea")
    narrow = FocalPointInput({"size": 5, "class": "narrow"}).render("focus", None)
    assert 'size="5"' in narrow
    assert 'class="narrow"' in narrow


def test_a_file_input_shows_the_saved_picture_above_djangos_own() -> None:
    plain = forms.ClearableFileInput().render("image", PlainPhoto(image="a.jpg").image)
    html = ThumbImageInput().render("image", PlainPhoto(image="a.jpg").image)
    assert plain in html
    assert f'<img src="{URL}"' in html
    assert ThumbImageInput().render("image", None) == forms.ClearableFileInput().render("image", None)


def test_names_and_texts_are_escaped() -> None:
    photo = FocusedPhoto(image='a"><script>.jpg', focus='"><script>')
    html = f"{PhotoForm(instance=photo)['focus']}{ThumbImageInput().render('image', photo.image)}"
    assert "<script>" not in html
    assert escape('"><script>') in html


def test_the_texts_follow_the_language_of_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are looked up when the input is drawn, and not when the module is imported."""
    monkeypatch.setattr("thumbs.toolkit.forms.widgets._", lambda text: f"«{text}»")
    with override("de"):
        assert data_of(FocalPointInput().render("focus", None))["clear"] == "«Clear»"
