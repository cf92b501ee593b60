"""The app: the checks that it brings, the secrets that its log leaves out, and the signal handlers if asked for."""

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from thumbs.conf.loading import Configuration


class ThumbsConfig(AppConfig):
    name = "thumbs"
    verbose_name = "Thumbnails"

    def ready(self) -> None:
        from thumbs.checks import config, middleware  # noqa: F401, PLC0415 - registers them
        from thumbs.observability import redaction  # noqa: PLC0415 - registers them
        from thumbs.wiring.process import configuration  # noqa: PLC0415

        # What is wrong with a configuration is for the checks to say.
        read = configuration()
        redaction.hide(_secrets(read))
        redaction.clean_ours()
        if read.document.purge_on_model_changes:
            from thumbs.signals import connect  # noqa: PLC0415 - it needs models, as few sites' thumbnails do

            connect()


def _secrets(read: "Configuration") -> Iterator[str]:
    """Every secret that is written in the configuration, or in the settings that it may use."""
    from thumbs.observability.redaction import secrets_in  # noqa: PLC0415

    for conf in read.storages:
        yield from (secret for secret in conf.signature_secret_key if secret != "django")  # noqa: S105 - not itself one
        yield from filter(None, (conf.access_key, conf.secret_key))
        yield from secrets_in(conf.options)
    for aliases in (settings.STORAGES, settings.CACHES):
        yield from secrets_in(aliases)
    with suppress(ImproperlyConfigured):  # it is empty
        yield from secrets_in([settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS], secret=True)
