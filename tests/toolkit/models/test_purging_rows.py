"""A row that gets, loses or is deleted with a file: its names are purged on commit, and no others."""

import logging
import pickle
from typing import Any

import pytest
from django.core import serializers
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections, transaction
from django.db.models.signals import post_delete, post_save, pre_save
from django.forms import modelform_factory
from django.test.utils import CaptureQueriesContext
from django.utils.datastructures import MultiValueDict

from tests.support.models import Note
from tests.support.purged_site import PurgedSite, ask, blue, red
from tests.support.red_and_blue import BLUE
from thumbs.toolkit.models import purging_rows


def replace_by_upload(photo: Any) -> None:
    photo.image = blue("b.jpg")
    photo.save()


def replace_by_name(photo: Any) -> None:
    photo.image = "b.jpg"
    photo.save()


def replace_with_update_fields(photo: Any) -> None:
    photo.image = blue("b.jpg")
    photo.save(update_fields=["image"])


def replace_by_update_or_create(photo: Any) -> None:
    type(photo).objects.update_or_create(pk=photo.pk, defaults={"image": blue("b.jpg")})


def replace_twice(photo: Any) -> None:
    photo.image = blue("c.jpg")
    photo.image = blue("b.jpg")
    photo.save()


def replace_in_a_copy(photo: Any) -> None:
    copy = pickle.loads(pickle.dumps(photo))
    copy.image = blue("b.jpg")
    copy.save()


def replace_by_a_new_instance(photo: Any) -> None:
    type(photo)(pk=photo.pk, image=blue("b.jpg")).save()


def replace_a_deferred_one(photo: Any) -> None:
    photo = type(photo).objects.defer("image").get()
    photo.image = blue("b.jpg")
    photo.save()


def replace_one_that_was_deferred(photo: Any) -> None:
    photo = type(photo).objects.defer("image").get()
    assert photo.image.name == "a.jpg"
    photo.image = blue("b.jpg")
    photo.save()


def replace_after_a_refresh(photo: Any) -> None:
    photo.image = "c.jpg"
    photo.refresh_from_db()
    photo.image = blue("b.jpg")
    photo.save()


def replace_by_a_form(photo: Any) -> None:
    files: Any = MultiValueDict({"image": [SimpleUploadedFile("b.jpg", BLUE, "image/jpeg")]})
    form = modelform_factory(type(photo), fields=["image"])({}, files, instance=photo)
    assert form.is_valid(), form.errors
    form.save()


REPLACED = [
    replace_by_upload,
    replace_by_name,
    replace_with_update_fields,
    replace_by_update_or_create,
    replace_twice,
    replace_in_a_copy,
    replace_by_a_new_instance,
    replace_a_deferred_one,
    replace_one_that_was_deferred,
    replace_after_a_refresh,
    replace_by_a_form,
]


@pytest.mark.parametrize("replace", REPLACED)
def test_a_file_that_a_row_loses_to_another_is_purged_as_the_other_is(site: PurgedSite, replace: Any) -> None:
    photo = site.photo.objects.create(image=red())
    if replace is replace_by_name:
        (site.media / "b.jpg").write_bytes(b"\xff\xd8 no picture")
        assert ask("b.jpg").status_code == 415
    else:
        assert ask("b.jpg").status_code == 404
    site.warm("a.jpg", "other.jpg")
    replace(photo)
    (site.media / "b.jpg").write_bytes((site.media / "a.jpg").read_bytes())
    assert site.photo.objects.get().image.name == "b.jpg"
    assert site.cached("a.jpg", "b.jpg", "other.jpg") == ["MISS", "MISS", "HIT"]


@pytest.mark.parametrize("replace", [replace_by_upload, replace_by_name, replace_by_update_or_create])
def test_a_row_that_is_rolled_back_purges_none_of_its_old_files(site: PurgedSite, replace: Any) -> None:
    photo = site.photo.objects.create(image=red())
    site.warm("a.jpg")
    with transaction.atomic():
        replace(photo)
        assert site.cached("a.jpg") == ["HIT"]
        transaction.set_rollback(True)
    assert site.cached("a.jpg") == ["HIT"]
    replace(photo)  # the same instance again
    assert site.photo.objects.get().image.name != "a.jpg"
    assert site.cached("a.jpg") == ["MISS"]


def test_a_savepoint_that_is_rolled_back_purges_none_of_its_old_files(site: PurgedSite) -> None:
    photo = site.photo.objects.create(image=red())
    site.warm("a.jpg")
    with transaction.atomic():
        with transaction.atomic():
            photo.image.save("b.jpg", blue())
            transaction.set_rollback(True)
        photo = site.photo.objects.get()
        photo.title = "new"
        photo.save()
    assert site.cached("a.jpg") == ["HIT"]


def test_a_row_is_purged_when_its_own_database_commits(site: PurgedSite) -> None:
    photo = site.photo.objects.using("other").create(image=red())
    site.warm("a.jpg")
    with transaction.atomic(), transaction.atomic(using="other"):
        photo.image = "b.jpg"
        photo.save(using="other")
        transaction.set_rollback(True)  # that of `default`
        assert site.cached("a.jpg") == ["HIT"]
    assert site.cached("a.jpg") == ["MISS"]
    site.warm("b.jpg")
    site.photo.objects.using("other").all().delete()
    assert site.cached("b.jpg") == ["MISS"]


def test_a_site_that_commits_by_itself_saves_and_purges(site: PurgedSite, caplog: pytest.LogCaptureFixture) -> None:
    photo = site.photo.objects.create(image=red())
    site.warm("a.jpg")
    connection.set_autocommit(False)
    try:
        photo.image = "b.jpg"
        photo.save()
        connection.commit()
    finally:
        connection.set_autocommit(True)
    assert site.cached("a.jpg") == ["MISS"]
    assert caplog.records == []


def test_a_file_that_is_cleared_in_a_form_is_purged(site: PurgedSite) -> None:
    photo = site.photo.objects.create(image=red())
    site.warm("a.jpg")
    form = modelform_factory(site.photo, fields=["image"])({"image-clear": "on"}, MultiValueDict(), instance=photo)
    assert form.is_valid()
    form.save()
    assert site.photo.objects.get().image.name == ""
    assert site.cached("a.jpg") == ["MISS"]


@pytest.mark.parametrize("way", ["instance", "queryset", "proxy", "unsaved change"])
def test_the_files_of_a_deleted_row_are_purged(site: PurgedSite, way: str) -> None:
    photo = site.photo.objects.create(image=red(), cover=red("cover.jpg"))
    site.warm("a.jpg", "cover.jpg", "other.jpg")
    if way == "queryset":
        site.photo.objects.all().delete()
    elif way == "proxy":
        site.proxy.objects.get().delete()
    else:
        photo.title = "new" if way == "unsaved change" else ""
        photo.delete()
    assert site.cached("a.jpg", "cover.jpg", "other.jpg") == ["MISS", "MISS", "HIT"]


def test_the_files_of_a_child_model_are_purged_with_those_of_its_parent(site: PurgedSite) -> None:
    framed = site.framed.objects.create(image=red(), frame=red("gold.jpg"))
    site.warm("a.jpg", "frames/gold.jpg")
    framed.image, framed.frame = blue("b.jpg"), blue("silver.jpg")
    framed.save()
    assert site.cached("a.jpg", "frames/gold.jpg") == ["MISS", "MISS"]
    site.warm("b.jpg", "frames/silver.jpg")
    framed.delete()
    assert site.cached("b.jpg", "frames/silver.jpg") == ["MISS", "MISS"]


def test_a_parent_that_is_kept_keeps_its_thumbnails(site: PurgedSite) -> None:
    framed = site.framed.objects.create(image=red(), frame=red("gold.jpg"))
    site.warm("a.jpg", "frames/gold.jpg")
    framed.delete(keep_parents=True)
    assert site.cached("a.jpg", "frames/gold.jpg") == ["HIT", "MISS"]


def test_a_parent_that_is_deleted_takes_its_childs_files_along(site: PurgedSite) -> None:
    framed = site.framed.objects.create(image=red(), frame=red("gold.jpg"))
    site.warm("a.jpg", "frames/gold.jpg")
    site.photo.objects.get(pk=framed.pk).delete()
    assert site.cached("a.jpg", "frames/gold.jpg") == ["MISS", "MISS"]


def test_a_proxy_purges_as_its_model_does(site: PurgedSite) -> None:
    site.photo.objects.create(image=red())
    site.warm("a.jpg")
    proxy = site.proxy.objects.get()
    proxy.image = blue("b.jpg")
    proxy.save()
    assert site.cached("a.jpg") == ["MISS"]


def test_a_save_that_leaves_the_file_alone_purges_nothing(site: PurgedSite) -> None:
    photo = site.photo.objects.create(image=red())
    site.warm("a.jpg")
    photo.title = "new"
    photo.save()
    site.photo.objects.get().save()
    site.photo.objects.defer("image").get().save()
    photo.image = "elsewhere.jpg"
    photo.save(update_fields=["title"])
    site.photo.objects.bulk_update([site.photo.objects.get()], ["image"])
    site.photo.objects.update(title="newer")
    site.photo.objects.only("title").get().delete()  # its name is deferred: not known, and not loaded
    assert site.cached("a.jpg") == ["HIT"]


def test_a_default_file_is_purged_by_none_of_the_rows_that_have_it(site: PurgedSite) -> None:
    site.warm("default.jpg")
    photo = site.photo.objects.create()
    photo.avatar = red("own.jpg")
    photo.save()
    site.warm("own.jpg")
    photo.avatar = "default.jpg"
    photo.save()
    photo.delete()
    assert site.cached("default.jpg", "own.jpg") == ["HIT", "MISS"]


def test_a_default_file_that_is_overwritten_is_purged(site: PurgedSite) -> None:
    site.warm("default.jpg")
    with site.photo.objects.create().avatar.open("wb") as file:
        file.write(BLUE)
    assert site.cached("default.jpg") == ["MISS"]


def test_a_row_that_is_refreshed_has_the_file_of_its_row(site: PurgedSite) -> None:
    photo = site.photo.objects.create()
    photo.image = "unsaved.jpg"
    site.photo.objects.update(image="a.jpg")
    site.warm("a.jpg")
    photo.refresh_from_db()
    photo.image = "b.jpg"
    photo.save()
    assert site.cached("a.jpg") == ["MISS"]


def test_a_save_has_one_callback(site: PurgedSite) -> None:
    photo = site.photo.objects.create(image=red(), cover=red("cover.jpg"))
    with transaction.atomic():
        photo.image, photo.cover = blue("b.jpg"), ""
        photo.save()
        # Of the image, and of the cover, which has another storage.
        assert len(connection.run_on_commit) == 1


def test_the_bulk_methods_of_our_fields_purge_as_a_save_does(site: PurgedSite) -> None:
    """They send no signals. Of a plain field, only files that are written are seen."""
    ours = site.photo.__name__ == "PurgingPhoto"
    seen = "MISS" if ours else "HIT"
    photo, other = site.photo.objects.bulk_create([site.photo(image=red()), site.photo(image="named.jpg")])
    site.warm("a.jpg", "named.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg")
    site.photo.objects.bulk_create([site.photo(image="b.jpg")])
    assert site.cached("b.jpg") == [seen]
    photo.image = "c.jpg"
    prepared: list[object] = []
    field = site.photo._meta.get_field("image")
    prepare = field.get_db_prep_save

    def recorded(*arguments: Any, **options: Any) -> Any:
        prepared.extend(value for value in arguments[:1] if not hasattr(value, "as_sql"))
        return prepare(*arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(field, "get_db_prep_save", recorded)
        site.photo.objects.bulk_update([photo, other], ["image"])
    # The first releases of Django 5.2 prepare these values as those of a query: the field sees their expression only.
    updated = seen if prepared else "HIT"
    assert site.cached("a.jpg", "c.jpg", "named.jpg") == [updated, updated, "HIT"]
    site.photo.objects.filter(pk=other.pk).update(image="d.jpg")
    assert site.cached("d.jpg", "named.jpg", "e.jpg") == [seen, "HIT", "HIT"]  # the old name is not known
    with transaction.atomic():
        site.photo.objects.update(image="e.jpg")
        transaction.set_rollback(True)
    assert site.cached("e.jpg") == ["HIT"]


def test_a_file_without_a_row_can_be_assigned(site: PurgedSite) -> None:
    photo = site.photo.objects.create(image=red())
    photo.image = type(photo.image)(None, site.photo._meta.get_field("image"), "b.jpg")
    photo.save()
    assert site.photo.objects.get().image.name == "b.jpg"


def test_a_receiver_that_saves_the_row_again_hides_no_change(site: PurgedSite) -> None:
    photo = site.photo.objects.create(image=red())
    site.warm("a.jpg")

    def save_again(instance: Any, **_: object) -> None:
        if not instance.title:
            instance.title = "by a receiver"
            instance.save()

    photo.image = blue("b.jpg")
    receivers = post_save.receivers
    post_save.receivers = []
    post_save.sender_receivers_cache.clear()
    post_save.connect(save_again, sender=site.photo)  # before ours
    post_save.receivers += receivers
    try:
        photo.save()
    finally:
        post_save.disconnect(save_again, sender=site.photo)
    assert site.cached("a.jpg") == ["MISS"]


def test_a_fixture_purges_the_names_that_it_brings_without_a_query(site: PurgedSite) -> None:
    photo = site.photo.objects.create(image=red())
    site.warm("a.jpg", "b.jpg")
    photo.image = "b.jpg"
    (loaded,) = serializers.deserialize("json", serializers.serialize("json", [photo]))
    with CaptureQueriesContext(connection) as captured:
        loaded.save()
    assert [query["sql"].split()[0] for query in captured] == ["UPDATE"]
    assert site.cached("a.jpg", "b.jpg") == ["HIT", "MISS"]


def test_only_models_with_files_are_watched(site: PurgedSite) -> None:
    for signal in (pre_save, post_save, post_delete):
        assert all(signal.has_listeners(model) for model in (site.photo, site.framed, site.proxy, site.keyed))
        assert not signal.has_listeners(Note)  # for deletions, Django would load every row


@pytest.mark.parametrize("call", ["_changes", "calls_after"])
def test_a_save_goes_on_where_purging_fails_and_that_is_logged_once(
    site: PurgedSite, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    photo = site.photo.objects.create(image=red())

    def fail(*_: object, **__: object) -> object:
        raise RuntimeError("no such table")

    with monkeypatch.context() as broken, caplog.at_level(logging.ERROR, "thumbs"):
        broken.setattr(purging_rows, call, fail)
        for name in ("b.jpg", "c.jpg"):
            photo.image = blue(name)
            photo.save()
    assert caplog.messages == [f"the files that a save of {site.photo.__name__} replaces are unknown: not purged"]
    assert site.photo.objects.get().image.name == "c.jpg"


@pytest.mark.parametrize("name", ["default", "other"])
def test_no_database_is_connected_to_for_a_file_alone(site: PurgedSite, name: str) -> None:
    photo = site.photo(pk=1, image="a.jpg")
    photo._state.db, photo._state.adding = name, False
    with CaptureQueriesContext(connections[name]) as captured:
        photo.image.save("b.jpg", blue(), save=False)
    assert len(captured) == 0
