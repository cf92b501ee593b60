"""The app `gallery`, inside the package of the tests."""

from django.apps import AppConfig


class GalleryConfig(AppConfig):
    name = "tests.gallery"
    label = "gallery"
    default_auto_field = "django.db.models.BigAutoField"
