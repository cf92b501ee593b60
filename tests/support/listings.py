"""What the sources of the listing tests hold, and how they are opened."""

from pathlib import Path

from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, InMemoryStorage, Storage

from tests.support.source_fixtures import DEADLINE, MAX_BYTES
from thumbs.sources.local import LocalSource
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


def local(root: Path, *, follow_symlinks: bool = False) -> LocalSource:
    return LocalSource(str(root), follow_symlinks=follow_symlinks, max_bytes=MAX_BYTES, deadline=DEADLINE)
