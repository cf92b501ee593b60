"""The app `albums`, inside the package of the tests."""

from django.apps import AppConfig


class AlbumsConfig(AppConfig):
    name = "tests.albums"
    label = "albums"
    default_auto_field = "django.db.models.BigAutoField"
