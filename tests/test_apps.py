"""The start of the app: secrets of the configuration stay out of logs, and models are watched where that is set."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models.signals import post_delete, post_save, pre_save
from django.test import override_settings

from tests.support.commands import local_storage
from tests.support.models import Note, Photo
from thumbs import signals
from thumbs.observability import redaction


@pytest.fixture(autouse=True)
def _no_other_secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(redaction, "_known", set())
    monkeypatch.setattr(redaction, "_secrets", None)
    yield
    signals.disconnect()


def watched() -> list[bool]:
    return [signal.has_listeners(Photo) for signal in (pre_save, post_save, post_delete)]


@pytest.mark.parametrize("wanted", [True, False])
def test_models_are_watched_only_where_that_is_set(wanted: bool) -> None:
    with override_settings(THUMBS={"STORAGES": [], "PURGE_ON_MODEL_CHANGES": wanted}):
        apps.get_app_config("thumbs").ready()
    assert watched() == [wanted] * 3
    assert not pre_save.has_listeners(Note)


def test_every_secret_is_hidden_from_the_start_on(originals: Path) -> None:
    storages = [
        {**local_storage("new", originals), "signature_secret_key": ["canary-new", "canary-old"]},
        {"name": "s3", "driver": "s3", "bucket": "b", "access_key": "canary-access", "secret_key": "canary-key"},
        {"name": "own", "driver": "a.Storage", "options": {"password": "canary-option", "host": "localhost-1"}},
        {**local_storage("site", originals), "signature_secret_key": "django"},
    ]
    backends = {"default": {"BACKEND": "x", "OPTIONS": {"secret_key": "canary-backend", "bucket_name": "bucket-1"}}}
    caches = {"default": {"BACKEND": "x", "OPTIONS": {"password": "canary-cache"}}}
    with override_settings(
        THUMBS={"STORAGES": storages},
        STORAGES=backends,
        CACHES=caches,
        SECRET_KEY="canary-site",
        SECRET_KEY_FALLBACKS=["canary-fallback"],
    ):
        apps.get_app_config("thumbs").ready()
    names = ("new", "old", "access", "key", "option", "backend", "cache", "site", "fallback")
    for name in names:
        assert redaction.redacted(f"<canary-{name}>") == "<[hidden]>"
    for public in ("django", "localhost-1", "bucket-1", "canary"):
        assert redaction.redacted(f"<{public}>") == f"<{public}>"


def test_a_site_without_a_secret_key_starts() -> None:
    with override_settings(THUMBS={"STORAGES": []}, SECRET_KEY=""):
        apps.get_app_config("thumbs").ready()
    assert redaction.redacted("only for tests") == "only for tests"


def test_a_wrong_configuration_raises_nothing_at_the_start() -> None:
    with override_settings(THUMBS={"STORAGES": "none", "PURGE_ON_MODEL_CHANGES": "yes"}):
        apps.get_app_config("thumbs").ready()
    assert watched() == [False] * 3
