"""The pytest plugin: what a session and the fixtures switch. Whole sessions run in `tests/system`."""

import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings

from thumbs import pytest_plugin
from thumbs.wiring import overrides, process

STORAGE = {
    "name": "photos",
    "driver": "local",
    "root": "/",
    "cache": {"memory": {"enabled": True, "max_size_mb": 4}},
}


@pytest.fixture(autouse=True)
def _as_in_a_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overrides.wishes, "as_configured", False)
    monkeypatch.setattr(overrides.wishes, "session", False)  # this suite may run with our plugin
    monkeypatch.setattr(settings, "THUMBS", {"STORAGES": [STORAGE]})


def names() -> tuple[str, ...]:
    return process.thumbnailer().storages["photos"].layers.names


def generator(fixture: Any) -> Any:
    """The function of a fixture."""
    return fixture.__wrapped__ if hasattr(fixture, "__wrapped__") else fixture._get_wrapped_function()


def session() -> Iterator[None]:
    found: Iterator[None] = generator(pytest_plugin._thumbs_session)()
    return found


def test_layers_are_off_during_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    running = session()
    next(running)
    assert names() == ()
    assert next(running, "ended") == "ended"
    assert names() == ("memory",)


def test_the_fixtures_switch_keys_and_layers_until_the_end_of_a_test() -> None:
    running = generator(pytest_plugin.override_thumbs)()
    override = next(running)
    override(strict=True)
    assert process.current().read.document.strict
    generator(pytest_plugin.thumbs_cache)(override)
    assert names() == ("memory", "disk")
    assert next(running, "ended") == "ended"
    assert (names(), process.current().read.document.strict) == (("memory",), False)


@pytest.mark.parametrize(
    "registry",
    [
        None,
        SimpleNamespace(apps=SimpleNamespace(ready=False)),
        SimpleNamespace(apps=SimpleNamespace(ready=True, is_installed=lambda name: name != "thumbs")),
    ],
)
def test_a_session_without_this_app_is_left_alone(registry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "django.apps", registry)
    running = session()
    next(running)
    assert not overrides.wishes.session
    next(running, None)
