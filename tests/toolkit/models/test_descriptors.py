"""A thumbnail as an attribute of a model: read-only, without a query, and checked before the site starts."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core import checks
from django.core.files.base import ContentFile
from django.db import connection, models
from django.template import Context, Template
from django.test import override_settings
from django.test.utils import CaptureQueriesContext, isolate_apps

from tests.gallery.models import FocusedPhoto
from tests.support import pictures
from tests.support.gallery import gallery_tables
from thumbs.fields import ThumbDescriptor
from thumbs.toolkit.models.descriptors import check_descriptors

UPLOADS = {"name": "uploads", "driver": "django", "alias": "default"}
THUMBS: dict[str, Any] = {"STORAGES": [UPLOADS], "PRESETS": {"card": {"size": "400x300"}}}


@pytest.fixture(autouse=True)
def _site(tmp_path: Path) -> Iterator[None]:
    with gallery_tables(), override_settings(MEDIA_ROOT=str(tmp_path), THUMBS=THUMBS):
        yield


def saved() -> FocusedPhoto:
    data = pictures.encoded(pictures.quarters(60, 40), "PNG")
    return FocusedPhoto.objects.create(image=ContentFile(data, "a.png"), focus="0.1,0.2")


def test_it_is_the_thumbnail_of_the_file_with_its_spec_and_options() -> None:
    photo = saved()
    assert photo.card == photo.image.thumb("400x300")
    assert photo.card.url.startswith("/img/uploads/thumbs/400x300/")
    assert (photo.card.width, photo.card.height) == (400, 300)
    assert photo.small == photo.image.thumb("40x", format="png")
    assert (photo.small.width, photo.small.height) == (40, 27)


def test_it_is_used_in_templates_as_the_spec_of_an_image_is() -> None:
    text = Template('<img src="{{ photo.card.url }}" width="{{ photo.card.width }}">').render(
        Context({"photo": saved()})
    )
    assert 'width="400"' in text
    assert "/img/uploads/thumbs/" in text


def test_a_row_without_a_picture_has_a_false_thumbnail() -> None:
    assert not FocusedPhoto().card
    assert FocusedPhoto().card.url == ""


def test_on_the_class_it_is_the_descriptor() -> None:
    assert FocusedPhoto.card is FocusedPhoto.__dict__["card"]
    assert repr(FocusedPhoto.small) == "ThumbDescriptor('image', '40x', format='png')"


def test_it_cannot_be_assigned() -> None:
    photo = saved()
    with pytest.raises(AttributeError, match=r"FocusedPhoto\.card is read-only: it is the thumbnail of image"):
        photo.card = "other"
    with pytest.raises(TypeError, match="card"):
        FocusedPhoto(card="other")
    with pytest.raises(AttributeError):
        del photo.card


def test_it_loads_no_deferred_column_and_logs_that_once(caplog: pytest.LogCaptureFixture) -> None:
    saved()
    saved()
    photos = list(FocusedPhoto.objects.defer("image"))
    with caplog.at_level(logging.WARNING, "thumbs"), CaptureQueriesContext(connection) as queries:
        assert [bool(photo.card) for photo in photos] == [False, False]
    assert len(queries) == 0
    assert caplog.text.count("FocusedPhoto.card: image is deferred: load it with the row") == 1


# ------------------------------------------------------------------------------------------ the check


def problems(**attributes: Any) -> list[checks.CheckMessage]:
    """The messages about a model with an image and a title, and with these descriptors."""
    with isolate_apps("tests.gallery") as registry:
        meta = type("Meta", (), {"app_label": "gallery"})
        fields = {"image": models.ImageField(), "title": models.CharField(max_length=10)}
        type("Picture", (models.Model,), {"__module__": __name__, "Meta": meta, **fields, **attributes})
        assert registry is not None
        return check_descriptors(list(registry.get_app_configs()))


def test_descriptors_of_a_file_field_and_a_spec_that_is_offered_are_right() -> None:
    assert (
        problems(card=ThumbDescriptor("image", "card", quality=70), version=ThumbDescriptor("image", version=7)) == []
    )


def test_a_field_that_does_not_exist_is_an_error_with_the_nearest_name() -> None:
    (error,) = problems(card=ThumbDescriptor("imgae", "card"))
    assert (error.id, error.level) == ("thumbs.E029", checks.ERROR)
    assert error.msg == "Picture.card: ThumbDescriptor('imgae', 'card') names no field of the model."
    assert error.hint == "Did you mean 'image'?"


def test_a_field_without_files_is_an_error() -> None:
    (error,) = problems(card=ThumbDescriptor("title", "card"))
    assert (error.id, error.msg) == ("thumbs.E029", "Picture.card: ThumbDescriptor('title', 'card') names a CharField.")


@pytest.mark.parametrize(
    ("spec", "options", "words"),
    [("crad", {}, "Did you mean 'card'"), ("card", {"qality": 70}, "qality"), ("99999x", {}, "99999x")],
)
def test_a_spec_or_an_option_that_the_storage_does_not_offer_is_an_error(spec: str, options: Any, words: str) -> None:
    (error,) = problems(card=ThumbDescriptor("image", spec, **options))
    assert error.id == "thumbs.E029"
    assert words in error.msg


def test_a_configuration_with_errors_is_left_to_its_own_checks() -> None:
    with override_settings(THUMBS={}):
        assert problems(card=ThumbDescriptor("image", "card")) == []


def test_what_an_abstract_model_or_a_mixin_has_is_checked_where_it_is_used() -> None:
    with isolate_apps("tests.gallery") as registry:

        class Mixin:
            small = ThumbDescriptor("picture", "x40")

        class Base(models.Model):
            card = ThumbDescriptor("imgae", "card")

            class Meta:
                app_label = "gallery"
                abstract = True

        class Picture(Mixin, Base):
            image = models.ImageField()

            class Meta:
                app_label = "gallery"

        class Child(Picture):
            class Meta:
                app_label = "gallery"

        assert registry is not None
        found = check_descriptors(list(registry.get_app_configs()))
    assert [each.msg.split(":")[0] for each in found] == ["Picture.card", "Picture.small"]


def test_it_is_one_of_the_checks_of_models() -> None:
    assert check_descriptors in checks.registry.registry.get_checks()
    assert checks.Tags.models in check_descriptors.tags
