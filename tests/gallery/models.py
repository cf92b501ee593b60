"""Photos as sites have them: with the columns that Django fills in, and with nothing but a file."""

from typing import ClassVar

from django.db import models


class Photo(models.Model):
    """Django fills in `width` and `height` when the file is assigned, as the file has them: before EXIF rotation."""

    title = models.CharField(max_length=100, default="")
    image = models.ImageField(upload_to="photos", width_field="width", height_field="height")
    width = models.PositiveIntegerField(null=True, editable=False)
    height = models.PositiveIntegerField(null=True, editable=False)
    updated = models.DateTimeField(auto_now=True)

    objects: ClassVar[models.Manager["Photo"]] = models.Manager()

    class Meta:
        app_label = "gallery"
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.title or self.image.name or "a photo"


class PlainPhoto(models.Model):
    """A photo that may be blank: `""` or NULL in the database."""

    image = models.ImageField(blank=True, null=True)

    objects: ClassVar[models.Manager["PlainPhoto"]] = models.Manager()

    class Meta:
        app_label = "gallery"
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.image.name or "a blank photo"
