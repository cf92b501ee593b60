"""Models with files, as a site has them: a picture under the default storage, and one whose name is always the same."""

from typing import ClassVar

from django.core.files.storage import FileSystemStorage
from django.db import models


def overwriting() -> FileSystemStorage:
    """A storage in MEDIA_ROOT that gives a new file the name of the old one."""
    return FileSystemStorage(allow_overwrite=True)


class Photo(models.Model):
    title = models.CharField(max_length=100, default="")
    image = models.ImageField(blank=True)
    cover = models.FileField(blank=True, storage=overwriting)

    objects: ClassVar[models.Manager["Photo"]] = models.Manager()

    class Meta:
        app_label = "tests"

    def __str__(self) -> str:
        return self.title


class Framed(Photo):
    """A photo in a table of its own beside that of `Photo`."""

    frame = models.FileField(blank=True, upload_to="frames")

    objects: ClassVar[models.Manager["Framed"]] = models.Manager()

    class Meta:
        app_label = "tests"


class Note(models.Model):
    """It has no file."""

    text = models.TextField()

    class Meta:
        app_label = "tests"

    def __str__(self) -> str:
        return self.text
