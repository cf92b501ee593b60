"""What sources say that they hold: the same for every kind, for any prefix, and nothing from outside."""

from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, InMemoryStorage, Storage
from storages.backends.s3 import S3Storage

from tests.support.bare_storage import Bare
from tests.support.shelves import DEADLINE, KEYS, MAX_BYTES
from thumbs.errors import StorageFailed
from thumbs.sources.listing import Listable, Unlistable
from thumbs.sources.local import LocalSource
from thumbs.sources.s3.source import S3Settings, S3Source
from thumbs.sources.storages.django_storage import StorageSource

NAMES = ["cats/black/ink.jpg", "cats/tiger.jpg", "cats/tom.jpg", "cats-and-dogs.jpg", "dog.jpg", "Bücher/été.jpg"]
PREFIXES = ["", "c", "cats", "cats/", "cats/t", "cats/b", "cats/black/ink.jpg", "dog.jpg", "Bücher/é", "birds/", "x/y"]


class Reading(FileSystemStorage):
    """It reads in a way of its own, so that it is left to list in its own way too."""

    def open(self, name: str, mode: str = "rb") -> "File[bytes]":
        return super().open(name, mode)


def source_of(storage: Storage) -> StorageSource:
    return StorageSource(lambda: storage, max_bytes=MAX_BYTES, deadline=DEADLINE)


def fill(root: Path) -> None:
    for name in NAMES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"data")


def in_memory() -> Storage:
    storage = InMemoryStorage()
    for name in NAMES:
        storage.save(name, ContentFile(b"data"))
    return storage


@pytest.fixture(params=["local", "FileSystemStorage", "a subclass of it", "InMemoryStorage"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Listable:
    fill(tmp_path)
    kinds: dict[str, Callable[[], Listable]] = {
        "local": lambda: local(tmp_path),
        "FileSystemStorage": lambda: source_of(FileSystemStorage(tmp_path)),
        "a subclass of it": lambda: source_of(Reading(tmp_path)),
        "InMemoryStorage": lambda: source_of(in_memory()),
    }
    return kinds[request.param]()


def local(root: Path, *, follow_symlinks: bool = False) -> LocalSource:
    return LocalSource(str(root), follow_symlinks=follow_symlinks, max_bytes=MAX_BYTES, deadline=DEADLINE)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_what_begins_with_a_prefix_is_listed_and_nothing_else(source: Listable, prefix: str) -> None:
    assert sorted(source.paths(prefix)) == sorted(name for name in NAMES if name.startswith(prefix))


@pytest.mark.parametrize("prefix", ["../", "cats/../", "/", "./", "cats//", "\0/"])
def test_no_prefix_leads_anywhere_else(tmp_path: Path, prefix: str) -> None:
    fill(tmp_path)
    (tmp_path.parent / "outside.jpg").touch()
    for root in (tmp_path, tmp_path / "cats"):
        assert list(local(root).paths(prefix)) == []


def test_links_are_listed_as_they_are_read(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    fill(root)
    outside.mkdir()
    (outside / "secret.jpg").touch()
    (root / "out").symlink_to(outside)
    (root / "cats" / "again").symlink_to(root / "cats")
    (root / "loop.jpg").symlink_to("loop.jpg")
    (root / "link.jpg").symlink_to("dog.jpg")
    assert sorted(local(root).paths("")) == sorted([*NAMES, "link.jpg"])
    assert list(local(root).paths("out/")) == []
    assert list(local(root, follow_symlinks=True).paths("out/")) == ["out/secret.jpg"]


def test_names_that_no_url_holds_are_left_out(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "not-\udcff-text.jpg").touch()
    assert sorted(local(tmp_path).paths("")) == sorted(NAMES)


def test_a_root_that_is_gone_is_the_storages_failure(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed):
        list(local(tmp_path / "gone").paths(""))


def test_a_storage_that_cannot_list_says_so() -> None:
    with pytest.raises(Unlistable):
        list(source_of(Bare(a=b"data")).paths(""))


@pytest.fixture(scope="module")
def bucket(s3: str) -> str:
    """A bucket of more than one page, with a folder as consoles make them."""
    client = boto3.client(
        "s3", endpoint_url=s3, aws_access_key_id=KEYS[0], aws_secret_access_key=KEYS[1], region_name="us-east-1"
    )
    client.create_bucket(Bucket="listed")
    for name in [*NAMES, *(f"many/{number:03}.jpg" for number in range(260)), "many/"]:
        client.put_object(Bucket="listed", Key=name, Body=b"")
    client.close()
    return s3


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_bucket_is_listed_by_the_same_rule(bucket: str, prefix: str) -> None:
    settings = S3Settings("listed", access_key=KEYS[0], secret_key=KEYS[1], base_url=bucket)
    source = S3Source(settings, max_bytes=MAX_BYTES, deadline=DEADLINE)
    everything = [*NAMES, *(f"many/{number:03}.jpg" for number in range(260))]
    assert sorted(source.paths(prefix)) == sorted(name for name in everything if name.startswith(prefix))


def test_a_storage_within_a_bucket_lists_the_names_it_reads(bucket: str) -> None:
    storage = S3Storage(
        bucket_name="listed",
        location="many",
        endpoint_url=bucket,
        addressing_style="path",
        access_key=KEYS[0],
        secret_key=KEYS[1],
    )
    assert len(list(source_of(storage).paths(""))) == 260
    assert list(source_of(storage).paths("25")) == [f"25{number}.jpg" for number in range(10)]


def test_a_bucket_that_is_missing_is_the_storages_failure(bucket: str) -> None:
    settings = S3Settings("nowhere", access_key=KEYS[0], secret_key=KEYS[1], base_url=bucket)
    with pytest.raises(StorageFailed):
        list(S3Source(settings, max_bytes=MAX_BYTES, deadline=DEADLINE).paths(""))
