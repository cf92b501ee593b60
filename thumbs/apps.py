"""The app, and the checks that it brings."""

from django.apps import AppConfig


class ThumbsConfig(AppConfig):
    name = "thumbs"
    verbose_name = "Thumbnails"

    def ready(self) -> None:
        from thumbs import checks  # noqa: F401, PLC0415 - registers them
