"""A plain field gets a class of files that purge, which looks like its own. Django's classes stay as they are."""

import copy
import gc
import pickle
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import File
from django.db import models
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.writer import MigrationWriter
from django.db.models.fields.files import FieldFile, FileDescriptor, ImageFieldFile, ImageFileDescriptor
from django.db.models.signals import post_delete
from django.test.utils import isolate_apps

from tests.support.models import Framed, Photo
from tests.support.purged_models import overwriting
from tests.support.purged_site import PurgedSite, ask, blue, red, running_site, shows_red, tables
from thumbs import signals
from thumbs.toolkit.models.purging_fields import PurgingFileField
from thumbs.toolkit.models.purging_files import PurgingFieldFile, is_purging, purging_class


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[PurgedSite]:
    """A site with plain fields and PURGE_ON_MODEL_CHANGES."""
    with running_site(tmp_path, "plain") as site:
        yield site


class Counted(FieldFile):
    """A file class of another app, with a `save` of its own and the stranger name of a method of ours."""

    saved: tuple[str, bool] | None = None
    thumbs = "its own"

    def save(self, name: str, content: "File[Any]", save: bool = True) -> None:
        super().save(f"counted-{name}", content, save)
        self.saved = (name, save)
        self.pk_then = self.instance.pk

    def delete(self, save: bool = True) -> None:
        self.saved = None
        super().delete(save)


class CountedField(models.FileField):
    attr_class = Counted


class Bypassing(FieldFile):
    """It writes by itself, without `FieldFile.save`."""

    def save(self, name: str, content: "File[Any]", save: bool = True) -> None:
        self.name = self.storage.save(name, content)
        setattr(self.instance, self.field.attname, self.name)
        self._committed = True
        if save:
            self.instance.save()


class BypassingField(models.FileField):
    attr_class = Bypassing


class Clumsy(FieldFile):
    """It cannot be extended."""

    def __init_subclass__(cls, **_: object) -> None:
        raise TypeError("final")


class ClumsyField(models.FileField):
    attr_class = Clumsy


def image(model: type[Any] = Photo) -> Any:
    return model._meta.get_field("image")


def test_the_files_of_a_plain_field_are_those_of_djangos_class_too(plain: PurgedSite) -> None:
    photo = Photo(image="a.jpg", cover="b.jpg")
    assert isinstance(photo.image, ImageFieldFile)
    assert isinstance(photo.image, PurgingFieldFile)
    assert not isinstance(photo.cover, ImageFieldFile)
    assert [repr(photo.image), repr(photo.cover)] == ["<ImageFieldFile: a.jpg>", "<FieldFile: b.jpg>"]
    assert (type(photo.image).__module__, type(photo.image).__qualname__) == (
        ImageFieldFile.__module__,
        "ImageFieldFile",
    )
    assert all(getattr(photo.image, name).alters_data for name in ("save", "delete", "open"))


def test_djangos_classes_and_descriptors_are_left_alone(plain: PurgedSite) -> None:
    assert models.FileField.attr_class is FieldFile
    assert models.ImageField.attr_class is ImageFieldFile
    assert FieldFile.save.__module__ == ImageFieldFile.delete.__module__ == "django.db.models.fields.files"
    assert type(vars(Photo)["image"]) is ImageFileDescriptor
    assert type(vars(Photo)["cover"]) is FileDescriptor


def test_a_field_is_as_it_was_after_disconnect(plain: PurgedSite) -> None:
    assert is_purging(image())
    signals.disconnect()
    assert image().attr_class is ImageFieldFile
    assert type(Photo(image="a.jpg").image) is ImageFieldFile
    assert not post_delete.has_listeners(Photo)


def test_connect_changes_nothing_the_second_time(plain: PurgedSite) -> None:
    made = image().attr_class
    signals.connect()
    assert image().attr_class is made
    assert purging_class(made) is made


def test_a_migration_sees_djangos_field(plain: PurgedSite) -> None:
    assert image().deconstruct()[1:] == ("django.db.models.ImageField", [], {"blank": True, "upload_to": ""})
    assert image().clone().attr_class is ImageFieldFile
    assert "thumbs" not in MigrationWriter.serialize(image())[0]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_file_is_pickled_with_and_without_its_instance(plain: PurgedSite, protocol: int) -> None:
    photo = plain.photo.objects.create(image=red(), cover=red("cover.jpg"))
    for restored in (
        pickle.loads(pickle.dumps(photo, protocol)),
        pickle.loads(pickle.dumps(photo.image, protocol)).instance,
        copy.copy(photo),
        copy.deepcopy(photo),
        copy.copy(photo.image).instance,
    ):
        assert restored.image.name == "a.jpg"
        assert restored.image.instance is restored
        assert isinstance(restored.image, PurgingFieldFile)
        assert isinstance(restored.image, ImageFieldFile)
        with restored.image.open() as file:
            assert file.read(2) == b"\xff\xd8"


def test_a_pickled_file_that_is_saved_purges_its_old_name(plain: PurgedSite) -> None:
    photo = plain.photo.objects.create(image=red(), cover=red("cover.jpg"))
    restored = pickle.loads(pickle.dumps((photo.image, photo.cover)))
    plain.warm("a.jpg", "cover.jpg")
    restored[0].save("b.jpg", blue(), save=False)
    restored[1].save("cover.jpg", blue(), save=False)
    assert plain.cached("a.jpg") == ["MISS"]
    assert not shows_red("cover.jpg")


def test_a_pickle_is_read_where_the_setting_is_off(plain: PurgedSite) -> None:
    pickled = pickle.dumps(plain.photo(image="a.jpg"))
    pickled_file = pickle.dumps(plain.photo(image="a.jpg").image)
    signals.disconnect()
    assert type(pickle.loads(pickled).image) is ImageFieldFile
    assert type(pickle.loads(pickled_file)) is ImageFieldFile


@isolate_apps("tests")
def test_a_class_of_another_app_keeps_its_behavior(plain: PurgedSite) -> None:
    class Own(models.Model):
        file = CountedField()

        class Meta:
            app_label = "tests"

    with tables((Own,)):
        assert ask("counted-a.jpg").status_code == 404
        own = Own()
        file: Any = own.file
        file.save("a.jpg", red())
        assert (file.saved, file.pk_then, file.name) == (("a.jpg", True), own.pk, "counted-a.jpg")
        assert file.thumbs == "its own"
        assert shows_red("counted-a.jpg")
        own.file = blue("b.jpg")
        own.save()
        assert own.file.name == "counted-b.jpg"
        file = Own._base_manager.get().file
        assert isinstance(file, Counted)
        file.delete()
        assert ask("counted-b.jpg").status_code == 404
    assert Counted.__mro__ == (Counted, *FieldFile.__mro__)


@isolate_apps("tests")
@pytest.mark.parametrize("remembered", [True, False])
def test_a_file_that_its_class_writes_by_itself_is_purged_with_its_row(plain: PurgedSite, remembered: bool) -> None:
    class Own(models.Model):
        file = BypassingField(storage=overwriting)

        class Meta:
            app_label = "tests"

    with tables((Own,)):
        assert ask("a.jpg").status_code == 404
        own = Own._base_manager.create(file=red())
        assert shows_red("a.jpg")
        own = own if remembered else Own._base_manager.get()
        own.file = blue()
        own.save()
        assert not shows_red("a.jpg")


@isolate_apps("tests")
def test_a_field_that_is_added_to_a_model_purges(tmp_path: Path) -> None:
    with running_site(tmp_path, "purging") as site:

        class Own(models.Model):
            class Meta:
                app_label = "tests"

        Own.add_to_class("file", PurgingFileField())
        with tables((Own,)):
            own = Own._base_manager.create(file=red())
            site.warm("a.jpg")
            own.delete()
            assert site.cached("a.jpg") == ["MISS"]


def test_a_field_that_always_purges_is_left_alone_by_the_setting(tmp_path: Path) -> None:
    with running_site(tmp_path, "purging") as site:
        former = image(site.photo).attr_class
        signals.connect()
        assert image(site.photo).attr_class is former
        signals.disconnect()
        assert image(site.photo).attr_class is former
        assert post_delete.has_listeners(site.photo)
        photo = site.photo.objects.create(cover=red())
        assert shows_red("a.jpg")
        photo.cover.save("a.jpg", blue())
        assert not shows_red("a.jpg")


@isolate_apps("tests")
def test_a_class_that_cannot_be_extended_is_named_and_works(
    plain: PurgedSite, caplog: pytest.LogCaptureFixture
) -> None:
    class Own(models.Model):
        file = ClumsyField()

        class Meta:
            app_label = "tests"

    (message,) = caplog.messages
    assert "tests.Own.file" in message
    with tables((Own,)):
        own = Own._base_manager.create(file=red())
        assert type(own.file) is Clumsy


@isolate_apps("tests")
def test_models_that_are_loaded_later_purge(plain: PurgedSite) -> None:
    class Base(models.Model):
        image = models.ImageField(blank=True)

        class Meta:
            abstract = True
            app_label = "tests"

    class Late(Base):
        class Meta(Base.Meta):
            abstract = False

    class LateChild(Late):
        extra = models.FileField(blank=True)

        class Meta:
            app_label = "tests"

    class LateProxy(LateChild):
        class Meta:
            app_label = "tests"
            proxy = True

    with tables((Late, LateChild)):
        late = LateProxy._base_manager.create(image=red(), extra=red("extra.jpg"))
        plain.warm("a.jpg", "extra.jpg")
        late.image, late.extra = blue("b.jpg"), blue("c.jpg")
        late.save()
        assert plain.cached("a.jpg", "extra.jpg") == ["MISS", "MISS"]
        plain.warm("b.jpg", "c.jpg")
        LateProxy._base_manager.all().delete()
        assert plain.cached("b.jpg", "c.jpg") == ["MISS", "MISS"]


def test_a_migration_that_writes_a_file_purges_it_and_is_not_slowed_down(plain: PurgedSite) -> None:
    state = ProjectState()
    state.add_model(ModelState.from_model(plain.photo))
    before = len(post_delete.receivers)
    historical = state.apps.get_model("tests", plain.photo.__name__)
    assert len(post_delete.receivers) == before
    photo = historical.objects.create(cover=red())
    assert shows_red("a.jpg")
    photo.cover.save("a.jpg", blue())
    assert not shows_red("a.jpg")


def test_models_that_are_gone_are_not_kept(plain: PurgedSite) -> None:
    state = ProjectState()
    state.add_model(ModelState.from_model(plain.photo))
    field = weakref.ref(image(state.apps.get_model("tests", plain.photo.__name__)))
    del state
    gc.collect()
    assert field() is None


def test_a_child_model_shares_the_field_of_its_parent(plain: PurgedSite) -> None:
    assert image(Framed) is image(Photo)
    assert is_purging(image(Framed))
