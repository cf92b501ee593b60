"""`focus_of`: a wagtail image's focal point as the text of a gravity."""

from dataclasses import dataclass

from django.test import override_settings

from thumbs import thumb
from thumbs.request.filters import parse_filters
from thumbs.wagtail import focus_of


@dataclass
class WagtailImage:
    width: int = 1000
    height: int = 500
    focal_point_x: int | None = 310
    focal_point_y: int | None = 310
    focal_point_width: int | None = 40
    focal_point_height: int | None = 20


def test_the_center_of_the_focal_point_is_a_fraction_of_each_side() -> None:
    assert focus_of(WagtailImage()) == "0.31,0.62"
    assert focus_of(WagtailImage(focal_point_x=0, focal_point_y=500)) == "0,1"
    assert focus_of(WagtailImage(width=3)) == "1,0.62"  # outside of the picture
    assert focus_of(WagtailImage(width=301, focal_point_x=100)) == "0.3322,0.62"


def test_the_text_is_one_that_a_gravity_takes() -> None:
    for x in range(0, 1001, 7):
        parse_filters(f"gravity({focus_of(WagtailImage(focal_point_x=x))})")


@override_settings(THUMBS={"STORAGES": [{"name": "photos", "driver": "local", "root": "/srv/photos"}]})
def test_a_thumbnail_of_an_image_without_a_focal_point_has_the_gravity_of_its_spec() -> None:
    none = focus_of(WagtailImage(focal_point_x=None))
    assert thumb("a.jpg", "400x300", gravity=none, storage="photos") == thumb("a.jpg", "400x300", storage="photos")
    with_focus = thumb("a.jpg", "400x300", gravity=focus_of(WagtailImage()), storage="photos")
    assert "gravity(0.31,0.62)" in with_focus.url


def test_an_image_without_a_focal_point_has_none() -> None:
    assert focus_of(WagtailImage(focal_point_x=None)) == ""
    assert focus_of(WagtailImage(focal_point_height=None)) == ""
    assert focus_of(WagtailImage(width=0)) == ""
    assert focus_of(object()) == ""
