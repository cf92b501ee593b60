"""The Django app: registers the system checks, hides secrets from logs, and connects the signal receivers if set."""

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
        from thumbs.checks import caches, config, isolation, middleware, mounts, private  # noqa: F401, PLC0415 - importing registers them
        from thumbs.observability import redaction  # noqa: PLC0415
        from thumbs.wiring.process import configuration  # noqa: PLC0415

        # A wrong configuration raises nothing here: the checks report it.
        loaded = configuration()
        redaction.hide(_secrets(loaded))
        redaction.clean_ours()
        caches.report_missing_clients(loaded.storages)
        if loaded.document.purge_on_model_changes:
            from thumbs.signals import connect  # noqa: PLC0415 - it imports models, which few sites need here

            connect()


def _secrets(loaded: "Configuration") -> Iterator[str]:
    """Every secret of the configuration, and of the Django settings that it can refer to."""
    from thumbs.observability.redaction import secrets_in  # noqa: PLC0415

    for conf in loaded.storages:
        yield from (secret for secret in conf.signature_secret_key if secret != "django")  # noqa: S105 - a keyword, not a secret
        yield from filter(None, (conf.access_key, conf.secret_key))
        yield from secrets_in(conf.options)
    for aliases in (settings.STORAGES, settings.CACHES):
        yield from secrets_in(aliases)
    with suppress(ImproperlyConfigured):  # SECRET_KEY is empty
        yield from secrets_in([settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS], secret=True)
