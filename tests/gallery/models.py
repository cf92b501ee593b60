"""Photos as sites have them: with the columns that Django fills in, and with nothing but a file."""

from typing import ClassVar

from django.db import models

from thumbs.fields import FocalPointField, ThumbDescriptor, ThumbImageField


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


class FocusedPhoto(models.Model):
    """A photo with all that a row can hold of its file. Some of its columns are declared before the file."""

    placeholder = models.CharField(max_length=36, default="", blank=True, editable=False)
    width = models.PositiveIntegerField(null=True, editable=False)
    title = models.CharField(max_length=100, default="")
    image = ThumbImageField(
        upload_to="focused",
        blank=True,
        width_field="width",
        height_field="height",
        focus_field="focus",
        placeholder_field="placeholder",
        version_field="updated",
    )
    height = models.PositiveIntegerField(null=True, editable=False)
    focus = FocalPointField()
    updated = models.DateTimeField(auto_now=True)

    card = ThumbDescriptor("image", "400x300")
    small = ThumbDescriptor("image", "40x", format="png")

    objects: ClassVar[models.Manager["FocusedPhoto"]] = models.Manager()

    class Meta:
        app_label = "gallery"
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.title or self.image.name or "a photo"


class BareThumbPhoto(models.Model):
    """A photo whose row holds nothing of its file but a placeholder in bytes."""

    image = ThumbImageField(null=True, blank=True, placeholder_field="placeholder")
    placeholder = models.BinaryField(max_length=25, null=True)

    objects: ClassVar[models.Manager["BareThumbPhoto"]] = models.Manager()

    class Meta:
        app_label = "gallery"
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.image.name or "a blank photo"
