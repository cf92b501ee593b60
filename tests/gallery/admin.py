"""The admin of the gallery, as a site writes it without thumbnails."""

from typing import TYPE_CHECKING

from django.contrib import admin

from tests.gallery.models import Photo, PlainPhoto

if TYPE_CHECKING:
    _PhotoAdmin = admin.ModelAdmin[Photo]
    _PlainPhotoAdmin = admin.ModelAdmin[PlainPhoto]
else:  # Django's class takes no parameter
    _PhotoAdmin = _PlainPhotoAdmin = admin.ModelAdmin


@admin.register(Photo)
class PhotoAdmin(_PhotoAdmin):
    list_display = ("title", "image", "updated")


@admin.register(PlainPhoto)
class PlainPhotoAdmin(_PlainPhotoAdmin):
    list_display = ("__str__",)
