"""The Django app. A site may install it; its URLs work without."""

from django.apps import AppConfig


class PlaygroundConfig(AppConfig):
    name = "thumbs.playground"
    label = "thumbs_playground"
    verbose_name = "Thumbnail playground"
