"""An album with a plain image field, and its slides, each with a focal point."""

from typing import ClassVar

from django.db import models

from thumbs.fields import FocalPointField, ThumbImageField


class Album(models.Model):
    """An album. Its cover is an `ImageField` of Django."""

    title = models.CharField(max_length=100, default="")
    cover = models.ImageField(upload_to="covers", blank=True, help_text="Shown in the list of albums.")

    objects: ClassVar[models.Manager["Album"]] = models.Manager()

    class Meta:
        app_label = "albums"
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.title or "an album"


class Slide(models.Model):
    """A picture of an album, with its focal point."""

    album = models.ForeignKey(Album, on_delete=models.CASCADE, related_name="slides", null=True, blank=True)
    image = ThumbImageField(
        upload_to="slides", width_field="width", height_field="height", focus_field="focus", version_field="version"
    )
    focus = FocalPointField()
    width = models.PositiveIntegerField(null=True, editable=False)
    height = models.PositiveIntegerField(null=True, editable=False)
    version = models.PositiveIntegerField(null=True, editable=False)

    objects: ClassVar[models.Manager["Slide"]] = models.Manager()

    class Meta:
        app_label = "albums"
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"slide {self.pk}"
