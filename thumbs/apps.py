"""The app: the checks that it brings, and the signal handlers where they were asked for."""

from django.apps import AppConfig


class ThumbsConfig(AppConfig):
    name = "thumbs"
    verbose_name = "Thumbnails"

    def ready(self) -> None:
        from thumbs import checks  # noqa: F401, PLC0415 - registers them
        from thumbs.wiring import configuration  # noqa: PLC0415

        # What is wrong with a configuration is for the checks to say.
        if configuration().document.purge_on_model_changes:
            from thumbs.signals import connect  # noqa: PLC0415 - it needs models, as few sites' thumbnails do

            connect()
