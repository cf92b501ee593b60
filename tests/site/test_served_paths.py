"""Which storages serve a file of a Django storage, and under which path."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage, InMemoryStorage, Storage, default_storage
from django.db import connection, models
from django.test import override_settings
from storages.backends.s3 import S3Storage

from tests.support.commands import disk_cache
from tests.support.models import Framed, Note, Photo
from thumbs import signals
from thumbs.conf.document import StorageConf
from thumbs.conf.keys import read
from thumbs.site.served_paths import served_path


@pytest.fixture
def media(tmp_path: Path) -> Iterator[Path]:
    """MEDIA_ROOT of a site whose uploads are served with a cache, and whose models are watched."""
    root = tmp_path / "media"
    root.mkdir()
    uploads = {"name": "uploads", "driver": "django", "alias": "default"}
    with connection.schema_editor() as editor:
        for model in (Photo, Framed, Note):
            editor.create_model(model)
    try:
        with override_settings(
            MEDIA_ROOT=str(root),
            THUMBS={"STORAGES": [{**uploads, "cache": {"disk": disk_cache(tmp_path / "cache", ttl_seconds=86400)}}]},
        ):
            signals.connect()
            yield root
    finally:
        signals.disconnect()
        with connection.schema_editor() as editor:
            for model in (Note, Framed, Photo):
                editor.delete_model(model)


def conf(**keys: object) -> StorageConf:
    return read(StorageConf, {"name": "s", **keys}, "", [])


def bucket(name: str = "b", **options: object) -> Storage:
    made: Storage = S3Storage(bucket_name=name, access_key="k", secret_key="s", **options)
    return made


S3_CLASS = "storages.backends.s3.S3Storage"


FILES = "django.core.files.storage.FileSystemStorage"


MEMORY = "django.core.files.storage.InMemoryStorage"


@pytest.mark.parametrize(
    ("keys", "held_by", "path"),
    [
        ({"driver": "django", "alias": "default"}, default_storage, "cats/tom.jpg"),
        ({"driver": "django", "alias": "default"}, FileSystemStorage("/elsewhere"), None),
        ({"driver": "local", "root": "/media"}, FileSystemStorage("/media"), "cats/tom.jpg"),
        ({"driver": "local", "root": "/media/cats"}, FileSystemStorage("/media"), "tom.jpg"),
        ({"driver": "local", "root": "/"}, FileSystemStorage("/media"), "media/cats/tom.jpg"),
        ({"driver": "local", "root": "/media/dogs"}, FileSystemStorage("/media"), None),
        ({"driver": "local", "root": "/media"}, InMemoryStorage(location="/media"), None),
        ({"driver": FILES, "options": {"location": "/media"}}, FileSystemStorage("/media"), "cats/tom.jpg"),
        ({"driver": FILES, "options": {"location": "/media"}}, FileSystemStorage("/other"), None),
        ({"driver": MEMORY, "options": {"location": "/m"}}, InMemoryStorage(location="/m"), "cats/tom.jpg"),
        ({"driver": MEMORY, "options": {"location": "/m"}}, InMemoryStorage(location="/n"), None),
        ({"driver": "s3", "bucket": "b"}, bucket(), "cats/tom.jpg"),
        ({"driver": "s3", "bucket": "b"}, bucket(location="media"), "media/cats/tom.jpg"),
        ({"driver": "s3", "bucket": "other"}, bucket(), None),
        ({"driver": "s3", "bucket": "b"}, bucket(endpoint_url="https://s3.example.com"), None),
        (
            {"driver": "s3", "bucket": "b", "base_url": "https://s3.example.com/"},
            bucket(endpoint_url="https://s3.example.com"),
            "cats/tom.jpg",
        ),
        ({"driver": "s3", "bucket": "b"}, FileSystemStorage("/media"), None),
        ({"driver": S3_CLASS, "options": {"bucket_name": "b"}}, bucket(location="media"), "media/cats/tom.jpg"),
        ({"driver": S3_CLASS, "options": {"bucket_name": "b", "location": "cats"}}, bucket(), "tom.jpg"),
        ({"driver": S3_CLASS, "options": {"bucket_name": "b", "location": "dogs"}}, bucket(), None),
        ({"driver": S3_CLASS, "options": {"bucket_name": "c"}}, bucket(), None),
        ({"driver": MEMORY, "options": {}}, FileSystemStorage("/media"), None),
    ],
)
def test_a_file_is_found_in_the_storages_that_serve_it(
    keys: dict[str, object], held_by: Storage, path: str | None
) -> None:
    assert served_path(conf(**keys), held_by, "cats/tom.jpg") == path


def test_a_file_is_found_through_links_between_directories(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert (
        served_path(conf(driver="local", root=str(tmp_path / "link")), FileSystemStorage(tmp_path / "real"), "a") == "a"
    )


def test_the_default_storage_of_a_field_is_its_own_object() -> None:
    field = Photo._meta.get_field("image")
    assert isinstance(field, models.FileField)
    assert served_path(conf(driver="django", alias="default"), field.storage, "a.jpg") == "a.jpg"
