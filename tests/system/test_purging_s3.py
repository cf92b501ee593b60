"""Uploads in a bucket, whose storage gives a new file the name of the old one: the new picture is shown at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import transaction

from tests.support.purged_models import FAMILIES
from tests.support.purged_site import PurgedSite, ask, blue, red, running_site, shows_red
from tests.support.source_fixtures import KEYS, Put


@pytest.fixture(params=list(FAMILIES))
def in_a_bucket(
    request: pytest.FixtureRequest, tmp_path: Path, moto: str, bucket: tuple[str, Put]
) -> Iterator[PurgedSite]:
    options = {
        "bucket_name": bucket[0],
        "location": "media",
        "endpoint_url": moto,
        "access_key": KEYS[0],
        "secret_key": KEYS[1],
        "region_name": "us-east-1",
        "addressing_style": "path",
    }
    backend = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    with running_site(tmp_path, request.param, STORAGES={"default": backend}) as site:
        yield site


def test_a_picture_that_is_saved_under_its_own_name_is_shown_as_it_is_now(in_a_bucket: PurgedSite) -> None:
    assert ask("a.jpg").status_code == 404
    photo = in_a_bucket.photo.objects.create(image=red())
    assert shows_red("a.jpg")
    photo.image.save("a.jpg", blue())
    assert photo.image.name == "a.jpg"
    assert not shows_red("a.jpg")
    with transaction.atomic():
        photo.image.save("a.jpg", red(), save=False)
        transaction.set_rollback(True)
    assert shows_red("a.jpg")
    photo.image = blue()
    photo.save()
    assert not shows_red("a.jpg")
    with photo.image.open("wb") as file:
        file.write(red().read())
    assert shows_red("a.jpg")


def test_a_picture_that_is_deleted_is_gone(in_a_bucket: PurgedSite) -> None:
    photo = in_a_bucket.photo.objects.create(image=red())
    assert shows_red("a.jpg")
    photo.image.delete()
    assert ask("a.jpg").status_code == 404
