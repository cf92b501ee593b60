"""What outlives a request follows `override_settings`: receivers for models, secrets in logs, stores, readiness."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.db.models.signals import pre_save
from django.test import override_settings

from tests.support.commands import local_storage
from tests.support.models import Photo
from tests.support.waiting import eventually
from thumbs import signals, thumb_url
from thumbs.observability import redaction
from thumbs.site import readiness
from thumbs.wiring import process

MEMORY = "thumbs.cache.memory.MemoryCache"


@pytest.fixture(autouse=True)
def _disconnected() -> Iterator[None]:
    yield
    signals.disconnect()


def storages(**keys: object) -> dict[str, Any]:
    return {"STORAGES": [{**local_storage("photos", Path("/")), **keys}]}


def test_a_process_is_rebuilt_at_the_begin_and_at_the_end_of_an_override() -> None:
    with override_settings(THUMBS=storages()):
        outer = process.thumbnailer()
        with override_settings(MEDIA_ROOT="/elsewhere"):
            assert process.thumbnailer() is not outer
        with override_settings(DEBUG=True):
            again = process.thumbnailer()
        assert again is process.thumbnailer()


def test_urls_follow_the_urlconf_and_the_script_name() -> None:
    with override_settings(THUMBS=storages()):
        assert thumb_url("photos", "a.jpg", "9x") == "/img/photos/thumbs/9x/a.jpg"
        before = process.current()
        with override_settings(ROOT_URLCONF="tests.support.models"):
            assert process.current() is not before
        with override_settings(FORCE_SCRIPT_NAME="/app"):
            assert process.current() is not before


def test_models_are_watched_while_an_override_says_so() -> None:
    with override_settings(THUMBS={**storages(), "PURGE_ON_MODEL_CHANGES": True}):
        assert pre_save.has_listeners(Photo)
        with override_settings(THUMBS=storages()):
            assert not pre_save.has_listeners(Photo)
        assert pre_save.has_listeners(Photo)
    assert not pre_save.has_listeners(Photo)


def test_receivers_that_code_has_connected_stay() -> None:
    signals.connect()
    with override_settings(THUMBS=storages()):
        assert pre_save.has_listeners(Photo)
    assert pre_save.has_listeners(Photo)


def test_secrets_of_an_override_are_hidden_as_long_as_it_lasts() -> None:
    with override_settings(THUMBS=storages(signature_secret_key="canary-outer"), SECRET_KEY="canary-site"):
        with override_settings(THUMBS=storages(signature_secret_key="canary-inner")):
            assert redaction.redacted("canary-inner canary-site") == "[hidden] [hidden]"
        assert redaction.redacted("canary-outer canary-inner") == "[hidden] canary-inner"
    assert redaction.redacted("canary-outer canary-site") == "canary-outer canary-site"


def test_a_secret_that_is_hidden_for_good_stays_hidden_after_an_override_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(redaction, "_known", set())
    monkeypatch.setattr(redaction, "_secrets", None)
    with override_settings(SECRET_KEY="canary-site"):
        redaction.hide(["canary-site"])
        assert redaction.redacted("canary-site") == "[hidden]"
    assert redaction.redacted("canary-site") == "[hidden]"


def test_a_memory_cache_has_the_caps_of_the_settings_now() -> None:
    for size in (20_000, 400_000):
        backend = {"BACKEND": MEMORY, "LOCATION": "overridden", "OPTIONS": {"MAX_BYTES": size}}
        with override_settings(CACHES={"default": backend}):
            caches["default"].set("key", b"x" * 100_000)
            assert (caches["default"].get("key") is not None) == (size > 100_000)


def test_readiness_is_that_of_the_storages_now(tmp_path: Path) -> None:
    with override_settings(THUMBS={"STORAGES": [local_storage("photos", tmp_path)]}):
        eventually(lambda: readiness.readiness().storages == {"photos": "reachable"})
    with override_settings(THUMBS={"STORAGES": [local_storage("photos", tmp_path / "missing")]}):
        eventually(lambda: readiness.readiness().storages == {"photos": "unreachable"})
