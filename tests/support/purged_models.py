"""Models with files, twice: with Django's fields, for `PURGE_ON_MODEL_CHANGES`, and with fields that always purge."""

import uuid
from typing import Any, ClassVar

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage
from django.db import models

from thumbs.toolkit.models.purging_fields import PurgingFileField, PurgingImageField


class OverwritingStorage(FileSystemStorage):
    """A storage in MEDIA_ROOT that gives a new file the name of the old one, as S3 does, without Django's option."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:  # noqa: ARG002
        return name

    def _save(self, name: str, content: "File[Any]") -> str:
        self.delete(name)
        return str(super()._save(name, content))  # type: ignore[misc]


def overwriting() -> FileSystemStorage:
    return OverwritingStorage()


def by_title(instance: models.Model, name: str) -> str:
    return f"{getattr(instance, 'title', '')}/{name}"


class Titled(models.Model):
    title = models.CharField(max_length=100, default="", blank=True)

    objects: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title


class AbstractPlain(Titled):
    image = models.ImageField(blank=True)
    cover = models.FileField(blank=True, storage=overwriting)
    filed = models.FileField(blank=True, upload_to=by_title)
    avatar = models.ImageField(default="default.jpg")

    class Meta(Titled.Meta):
        abstract = True


class AbstractPurging(Titled):
    image = PurgingImageField(blank=True)
    cover = PurgingFileField(blank=True, storage=overwriting)
    filed = PurgingFileField(blank=True, upload_to=by_title)
    avatar = PurgingImageField(default="default.jpg")

    class Meta(Titled.Meta):
        abstract = True


class PlainPhoto(AbstractPlain):
    class Meta:
        app_label = "tests"


class PurgingPhoto(AbstractPurging):
    class Meta:
        app_label = "tests"


class PlainFramed(PlainPhoto):
    frame = models.FileField(blank=True, upload_to="frames")

    class Meta:
        app_label = "tests"


class PurgingFramed(PurgingPhoto):
    frame = PurgingFileField(blank=True, upload_to="frames")

    class Meta:
        app_label = "tests"


class PlainProxy(PlainPhoto):
    class Meta:
        app_label = "tests"
        proxy = True


class PurgingProxy(PurgingPhoto):
    class Meta:
        app_label = "tests"
        proxy = True


class PlainKeyed(AbstractPlain):
    """Its primary key has a default."""

    key = models.UUIDField(primary_key=True, default=uuid.uuid4)

    class Meta:
        app_label = "tests"


class PurgingKeyed(AbstractPurging):
    key = models.UUIDField(primary_key=True, default=uuid.uuid4)

    class Meta:
        app_label = "tests"


FAMILIES: dict[str, tuple[type[Any], type[Any], type[Any], type[Any]]] = {
    "plain": (PlainPhoto, PlainFramed, PlainProxy, PlainKeyed),
    "purging": (PurgingPhoto, PurgingFramed, PurgingProxy, PurgingKeyed),
}
