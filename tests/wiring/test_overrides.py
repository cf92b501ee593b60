"""Cache layers are off while a test overrides the settings, however it does, and on again afterwards."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import storages as django_storages
from django.core.signals import setting_changed
from django.test import modify_settings, override_settings

from tests.support.commands import disk_cache, local_storage
from thumbs.wiring import overrides, process

CACHE = "django.core.cache.backends.locmem.LocMemCache"


@pytest.fixture(autouse=True)
def _as_in_a_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site with caches. `settings.THUMBS` is set without an override, as a settings module does."""
    monkeypatch.setattr(overrides.wishes, "as_configured", False)
    monkeypatch.setattr(overrides.wishes, "session", False)  # this suite may run with our plugin
    storage = local_storage(
        "photos",
        tmp_path,
        memory={"enabled": True, "max_size_mb": 4},
        disk=disk_cache(tmp_path / "cache"),
        shared={"alias": "default"},
    )
    base = {"STORAGES": [storage], "RUN_DIR": str(tmp_path / "run")}
    monkeypatch.setattr(settings, "THUMBS", base)


def names() -> tuple[str, ...]:
    return process.thumbnailer().storages["photos"].layers.names


ALL = ("memory", "disk", "shared")
OVERRIDES: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "THUMBS": lambda: override_settings(THUMBS={**settings.THUMBS}),
    "STORAGES": lambda: override_settings(STORAGES={**settings.STORAGES}),
    "CACHES": lambda: override_settings(CACHES={"default": {"BACKEND": CACHE}}),
    "MEDIA_ROOT": lambda: override_settings(MEDIA_ROOT="/elsewhere"),
    "SECRET_KEY": lambda: override_settings(SECRET_KEY="another"),
    "SECRET_KEY_FALLBACKS": lambda: override_settings(SECRET_KEY_FALLBACKS=["old"]),
    "modify_settings": lambda: modify_settings(SECRET_KEY_FALLBACKS={"append": "old"}),
}


@pytest.mark.parametrize("name", OVERRIDES)
def test_the_layers_are_off_while_a_setting_is_overridden(name: str) -> None:
    assert names() == ALL
    with OVERRIDES[name]():
        assert names() == ()
        with override_settings(DEBUG=True):
            assert names() == ()
    assert names() == ALL


def test_another_setting_leaves_them_on() -> None:
    with override_settings(DEBUG=True, ROOT_URLCONF="tests.support.site", LANGUAGE_CODE="de"):
        assert names() == ALL


def test_a_deleted_setting_is_overridden() -> None:
    with override_settings():
        del settings.SECRET_KEY_FALLBACKS
        process.reset()
        assert names() == ()


def test_nested_overrides_and_exceptions_leave_nothing_behind() -> None:
    def enter_all() -> None:
        with ExitStack() as stack:
            for make in OVERRIDES.values():
                stack.enter_context(make())
                assert names() == ()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        enter_all()
    assert names() == ALL


def test_a_receiver_that_fails_leaves_the_outer_override_in_force() -> None:
    def fail(**_: object) -> None:
        raise ZeroDivisionError

    with override_settings(MEDIA_ROOT="/elsewhere"):
        setting_changed.connect(fail)
        try:
            with pytest.raises(ZeroDivisionError):
                override_settings(SECRET_KEY="another").enable()
        finally:
            setting_changed.disconnect(fail)
        assert names() == ()
    assert names() == ALL


def test_a_directory_of_a_test_has_a_disk_layer_and_the_innermost_wish_holds(tmp_path: Path) -> None:
    with overrides.layers_in(tmp_path / "own"), override_settings(MEDIA_ROOT="/elsewhere"):
        assert names() == ("memory", "disk")
        assert process.current().read.document.run_dir == str(tmp_path / "own" / "run")
        with overrides.layers_in(None):
            process.reset()
            assert names() == ()
        process.reset()
        assert names() == ("memory", "disk")


def test_an_override_in_a_directory_of_a_test_finds_nothing_of_another_place(tmp_path: Path) -> None:
    storage = {"name": "photos", "driver": "django", "alias": "default", "cache": {"namespace": "given"}}
    found = []
    with overrides.layers_in(tmp_path / "own"), override_settings(THUMBS={"STORAGES": [storage]}):
        for root in ("/one", "/two"):
            with override_settings(MEDIA_ROOT=root):
                found.append(process.current().policies["photos"].namespace)
    assert len({*found, "given"}) == 3


def test_storages_and_signatures_are_those_of_the_settings_now(tmp_path: Path) -> None:
    storage = {"name": "photos", "driver": "django", "alias": "default", "signature_secret_key": "django"}
    memory = {"default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
    with override_settings(THUMBS={"STORAGES": [storage]}):
        signers = [process.current().policies["photos"].signer]
        with override_settings(SECRET_KEY="another", STORAGES=memory):
            signers.append(process.current().policies["photos"].signer)
            source: Any = process.thumbnailer().storages["photos"].source
            assert source._open_storage() is django_storages["default"]
        signers.append(process.current().policies["photos"].signer)
    assert None not in signers
    keys = [signer.secrets for signer in signers if signer is not None]
    assert keys[0] == keys[2] != keys[1]
