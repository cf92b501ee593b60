"""The old name of a file is remembered where that is possible, and read with one query where not."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.support.purged_site import PurgedSite, blue, red


def selects(call: Any) -> int:
    with CaptureQueriesContext(connection) as captured:
        call()
    return sum(query["sql"].startswith("SELECT") for query in captured)


def test_a_field_of_ours_is_saved_without_a_query(site: PurgedSite) -> None:
    photo = site.photo.objects.create(image=red(), cover=red("cover.jpg"))
    loaded = site.photo.objects.get()
    expected = 0 if site.photo.__name__ == "PurgingPhoto" else 1
    for instance in (photo, loaded):
        assert selects(instance.save) == expected
        instance.image = blue("b.jpg")
        instance.cover = ""
        assert selects(instance.save) == expected  # one for all of its files
        assert selects(lambda each=instance: each.image.save("c.jpg", blue())) == expected
        assert selects(instance.image.delete) == expected


def test_no_row_is_read_that_cannot_be_there(site: PurgedSite) -> None:
    assert selects(site.photo(image=red()).save) == 0
    assert selects(site.keyed(image=red("b.jpg")).save) == 0
    assert selects(lambda: site.photo.objects.create(image=red("c.jpg"))) == 0
    assert selects(lambda: site.framed.objects.create(frame=red("d.jpg"))) == 0
    assert selects(lambda: site.photo.objects.bulk_create([site.photo(image=red("e.jpg"))])) == 0


def test_no_row_is_read_for_a_save_without_files(site: PurgedSite) -> None:
    photo = site.photo.objects.create(image=red())
    assert selects(lambda: photo.save(update_fields=["title"])) == 0
    assert selects(site.photo.objects.only("title").get().save) == 0


@pytest.mark.parametrize("known", [True, False])
def test_a_deferred_file_is_read_once_before_it_is_replaced(site: PurgedSite, known: bool) -> None:
    site.photo.objects.create(image=red())
    photo = site.photo.objects.only("title").get()
    if known:
        assert photo.image.name == "a.jpg"
    photo.image = blue("b.jpg")
    remembered = known and site.photo.__name__ == "PurgingPhoto"
    assert selects(photo.save) == (0 if remembered else 1)
    assert "cover" not in vars(photo)  # other deferred fields stay deferred


def test_a_row_of_an_instance_with_a_key_of_its_own_is_read(site: PurgedSite) -> None:
    photo = site.photo.objects.create(image=red())
    assert selects(site.photo(pk=photo.pk, image=blue("b.jpg")).save) == 1
