"""The Django app: registers the checks, hides secrets from logs, connects receivers, follows overrides of settings."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

if TYPE_CHECKING:
    from thumbs.conf.loading import Configuration

# With one of these settings, URLs change. `wiring.overrides.SWITCHING` has all others that something is made of.
_OF_URLS = {"ROOT_URLCONF", "FORCE_SCRIPT_NAME"}
_UID = "thumbs.settings"


class ThumbsConfig(AppConfig):
    name = "thumbs"
    verbose_name = "Thumbnails"
    # Whether the receivers for models are connected because the settings say so.
    watches_models = False

    def ready(self) -> None:
        from thumbs.checks import caches, config, isolation, middleware, mounts, pages, private  # noqa: F401, PLC0415 - importing registers them
        from thumbs.observability import redaction  # noqa: PLC0415
        from thumbs.wiring.overrides import is_overridden  # noqa: PLC0415
        from thumbs.wiring.process import configuration  # noqa: PLC0415

        # A wrong configuration raises nothing here: the checks report it.
        loaded = configuration()
        redaction.hide(_secrets(loaded))
        redaction.clean_ours()
        redaction.enable_ours()
        caches.report_missing_clients(loaded.storages)
        if loaded.document.purge_on_model_changes:
            from thumbs.signals import connect  # noqa: PLC0415 - it imports models, which few sites need here

            connect()
        self.watches_models = loaded.document.purge_on_model_changes and not is_overridden()
        setting_changed.connect(self.rebuild, dispatch_uid=_UID)

    def rebuild(self, *, setting: str, **_: object) -> None:
        """The receiver of `setting_changed`: drop what was made of the setting. It is made again when it is needed."""
        from thumbs.wiring.overrides import SWITCHING  # noqa: PLC0415

        if setting in SWITCHING | _OF_URLS:
            # Django's own receivers, which drop storages and caches, are connected later than `ready` runs. Another
            # thread must not build anything of what they still have.
            setting_changed.disconnect(dispatch_uid=_UID)
            setting_changed.connect(self.rebuild, dispatch_uid=_UID)
            _drop(setting)
            self._follow(setting)

    def _follow(self, setting: str) -> None:
        from thumbs.observability import redaction  # noqa: PLC0415
        from thumbs.wiring.overrides import is_overridden  # noqa: PLC0415
        from thumbs.wiring.process import configuration  # noqa: PLC0415

        if setting not in _OF_URLS | {"MEDIA_ROOT"}:
            redaction.hide_for_now(_secrets(configuration()) if is_overridden() else ())
        if setting == "THUMBS":
            wanted = configuration().document.purge_on_model_changes
            if wanted or self.watches_models:
                from thumbs.signals import connect, disconnect  # noqa: PLC0415

                (connect if wanted else disconnect)()
                self.watches_models = wanted


def _drop(setting: str) -> None:
    from thumbs.wiring import process  # noqa: PLC0415

    process.reset(close=True)
    for module, is_affected in (("thumbs.site.readiness", True), ("thumbs.cache.memory", setting == "CACHES")):
        if is_affected and module in sys.modules:
            sys.modules[module].forget()


def _secrets(loaded: "Configuration") -> Iterator[str]:
    """Every secret of the configuration, and of the Django settings that it can refer to."""
    from thumbs.observability.redaction import secrets_in  # noqa: PLC0415

    for conf in loaded.storages:
        yield from (secret for secret in conf.signature_secret_key if secret != "django")  # noqa: S105 - a keyword, not a secret
        yield from filter(None, (conf.access_key, conf.secret_key))
        yield from secrets_in(conf.options)
    for dialect in loaded.dialects:
        yield from (*dialect.key, *dialect.salt)
    for aliases in (settings.STORAGES, settings.CACHES):
        yield from secrets_in(aliases)
    if loaded.document.playground_token is not None:
        yield loaded.document.playground_token
    with suppress(ImproperlyConfigured):  # SECRET_KEY is empty
        yield from secrets_in([settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS], secret=True)
