"""A file of a model that is written or deleted is purged at once, whatever becomes of its row."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction

from tests.support.purged_site import PurgedSite, ask, blue, red, shows_red
from tests.support.red_and_blue import BLUE

# Each is a way to write BLUE as the cover "a.jpg", whose storage overwrites.


def by_assignment(photo: Any) -> None:
    photo.cover = blue()
    photo.save()


def by_saving_the_file(photo: Any) -> None:
    photo.cover.save("a.jpg", blue())


def by_saving_the_file_alone(photo: Any) -> None:
    photo.cover.save("a.jpg", blue(), save=False)


def by_deleting_it_first(photo: Any) -> None:
    photo.cover.delete(save=False)
    photo.cover = blue()
    photo.save(update_fields=["cover"])


def by_opening_it(photo: Any) -> None:
    with photo.cover.open("wb") as file:
        file.write(BLUE)


def by_opening_it_without_a_block(photo: Any) -> None:
    photo.cover.open("r+b")
    photo.cover.write(BLUE)
    photo.cover.close()


def by_a_new_row(photo: Any) -> None:
    type(photo).objects.create(cover=blue())


def by_bulk_create(photo: Any) -> None:
    type(photo).objects.bulk_create([type(photo)(cover=blue())])


def by_get_or_create(photo: Any) -> None:
    type(photo).objects.get_or_create(title="new", defaults={"cover": blue()})


def by_update_or_create(photo: Any) -> None:
    type(photo).objects.update_or_create(pk=photo.pk, defaults={"cover": blue()})


WAYS = [
    by_assignment,
    by_saving_the_file,
    by_saving_the_file_alone,
    by_deleting_it_first,
    by_opening_it,
    by_opening_it_without_a_block,
    by_a_new_row,
    by_bulk_create,
    by_get_or_create,
    by_update_or_create,
]


@pytest.mark.parametrize("way", WAYS)
def test_a_file_that_is_overwritten_is_shown_as_it_is_now(site: PurgedSite, way: Any) -> None:
    photo = site.photo.objects.create(cover=red())
    assert shows_red("a.jpg")
    way(photo)
    assert not shows_red("a.jpg")


@pytest.mark.parametrize("way", WAYS)
def test_a_file_that_is_overwritten_is_purged_even_if_the_transaction_rolls_back(site: PurgedSite, way: Any) -> None:
    photo = site.photo.objects.create(cover=red())
    assert shows_red("a.jpg")
    with transaction.atomic():
        way(photo)
        assert not shows_red("a.jpg")  # before the end of the transaction too
        transaction.set_rollback(True)
    assert not shows_red("a.jpg")
    assert site.photo.objects.count() == 1


def test_a_file_that_is_overwritten_is_purged_even_if_its_row_cannot_be_saved(site: PurgedSite) -> None:
    photo = site.keyed.objects.create(cover=red())
    assert shows_red("a.jpg")
    photo._state.adding = True
    with pytest.raises(IntegrityError):
        photo.cover.save("a.jpg", blue())
    assert not shows_red("a.jpg")


def test_a_saved_file_is_purged_under_its_old_and_its_new_name(site: PurgedSite) -> None:
    photo = site.photo.objects.create(image=red())
    (site.media / "b.jpg").write_bytes(b"")
    site.warm("a.jpg", "other.jpg")
    assert ask("b.jpg").status_code != 200
    (site.media / "b.jpg").unlink()
    photo.image.save("b.jpg", blue())
    assert site.cached("a.jpg", "other.jpg", "b.jpg") == ["MISS", "HIT", "MISS"]


@pytest.mark.parametrize("saved", ["save", "bulk_update", "update"])
def test_a_file_that_is_saved_before_its_row_is_purged_under_both_names(site: PurgedSite, saved: str) -> None:
    photo = site.photo.objects.create(image=red())
    site.warm("a.jpg")
    photo.image.save("b.jpg", blue(), save=False)
    if saved == "save":
        photo.save()
    elif saved == "bulk_update":
        site.photo.objects.bulk_update([photo], ["image"])
    else:
        site.photo.objects.filter(pk=photo.pk).update(image=photo.image.name)
    assert site.photo.objects.get().image.name == "b.jpg"
    assert site.cached("a.jpg", "b.jpg") == ["MISS", "MISS"]


@pytest.mark.parametrize("save", [True, False])
def test_a_deleted_file_is_gone_at_once(site: PurgedSite, save: bool) -> None:
    photo = site.photo.objects.create(image=red())
    site.warm("a.jpg", "other.jpg")
    with transaction.atomic():
        photo.image.delete(save=save)
        assert ask("a.jpg").status_code == 404
        transaction.set_rollback(True)
    assert ask("a.jpg").status_code == 404
    assert site.cached("other.jpg") == ["HIT"]


def test_a_file_that_is_missing_is_shown_as_soon_as_it_is_uploaded(site: PurgedSite) -> None:
    assert [ask(name).status_code for name in ("a.jpg", "a.jpg", "b.jpg", "c.jpg")] == [404] * 4
    photo = site.photo(title="new")
    photo.image.save("a.jpg", red())
    photo.cover = red("b.jpg")
    photo.save()
    with transaction.atomic():
        photo.cover.save("c.jpg", red(), save=False)
        assert ask("c.jpg").status_code == 200
    assert [ask(name).status_code for name in ("a.jpg", "b.jpg")] == [200] * 2


def test_a_file_that_could_not_be_decoded_is_shown_as_soon_as_it_is_replaced(site: PurgedSite) -> None:
    photo = site.photo.objects.create(cover=ContentFile(b"\xff\xd8 no picture", "a.jpg"))
    assert [ask("a.jpg").status_code for _ in range(2)] == [415] * 2
    photo.cover.save("a.jpg", red())
    assert ask("a.jpg").status_code == 200


def test_a_file_that_moves_with_its_row_is_purged_where_it_was_and_where_it_is(site: PurgedSite) -> None:
    photo = site.photo.objects.create(title="old", filed=red())
    site.warm("old/a.jpg")
    assert ask("new/a.jpg").status_code == 404
    photo.title = "new"
    with photo.filed.open() as file:
        photo.filed.save("a.jpg", ContentFile(file.read()))
    assert photo.filed.name == "new/a.jpg"
    assert site.cached("old/a.jpg", "new/a.jpg") == ["MISS", "MISS"]


def test_a_file_that_is_renamed_on_disk_is_purged_under_both_names(site: PurgedSite) -> None:
    photo = site.photo.objects.create(image=red())
    photo = site.photo.objects.get()
    site.warm("a.jpg")
    assert ask("b.jpg").status_code == 404
    initial = Path(photo.image.path)
    photo.image.name = "b.jpg"
    initial.rename(site.media / "b.jpg")
    photo.save()
    assert [ask(name).status_code for name in ("a.jpg", "b.jpg")] == [404, 200]


def test_a_file_that_is_only_read_purges_nothing(site: PurgedSite) -> None:
    photo = site.photo.objects.create(image=red())
    site.warm("a.jpg")
    with photo.image.open() as file:
        assert file.read(2) == b"\xff\xd8"
    photo.image.close()
    photo.image = blue("upload.jpg")
    photo.image.open("rb")
    photo.image.close()
    assert site.cached("a.jpg") == ["HIT"]


def test_an_upload_purges_no_file_of_its_first_name(site: PurgedSite) -> None:
    site.warm("a.jpg")
    photo = site.photo.objects.create(image=blue())
    assert photo.image.name != "a.jpg"
    assert site.cached("a.jpg", photo.image.name) == ["HIT", "MISS"]
