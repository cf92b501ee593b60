"""A long test session leaves no threads, child processes, connections or directories behind."""

import os
import tempfile
import threading
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import override_settings

from tests.support.isolated import render_children
from tests.support.pictures import encoded, quarters
from tests.support.waiting import LONG_WAIT_SECONDS, eventually
from thumbs.http.messages import Request
from thumbs.test import override_thumbs
from thumbs.wiring import process

MEMORY = {"default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
STORAGE = {"name": "uploads", "driver": "django", "alias": "default"}
PICTURE = encoded(quarters(30, 20), "PNG")


@pytest.fixture(autouse=True)
def _warm() -> None:
    """What one render leaves behind for the whole process is there before."""
    with override_settings(STORAGES=MEMORY), override_thumbs(storages=[STORAGE]):
        assert rendered() == 200


def rendered() -> int:
    """The status of a thumbnail that is made of a file that was just saved."""
    default_storage.save("a.png", ContentFile(PICTURE))
    path = b"/uploads/thumbs/9x6/a.png"
    return process.thumbnailer().answer(Request("GET", path, len(path))).status


def threads() -> set[str]:
    return {f"{each.name} {each.native_id}" for each in threading.enumerate()}


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize("isolation", ["off", "auto"])
def test_many_overrides_leave_no_thread_and_no_child(isolation: str) -> None:
    before, open_before = threads(), descriptors()
    most = 0
    for _ in range(1000 if isolation == "off" else 15):
        with override_settings(STORAGES=MEMORY), override_thumbs(storages=[STORAGE], isolation=isolation):
            assert rendered() == 200
            most = max(most, len(threads() - before))
    assert most < 200
    # Others in this process may start a few meanwhile; each override that left one would be more.
    eventually(lambda: len(threads() - before) <= 5, seconds=LONG_WAIT_SECONDS)
    eventually(lambda: not render_children(os.getpid()), seconds=LONG_WAIT_SECONDS)
    eventually(lambda: descriptors() <= open_before + 10, seconds=LONG_WAIT_SECONDS)


def test_the_directories_of_caches_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with override_settings(STORAGES=MEMORY), override_thumbs(storages=[STORAGE], cache=True):
        assert rendered() == 200
        assert {each.name for each in tmp_path.glob("*/*")} == {"uploads", "run"}
    with (
        pytest.raises(ZeroDivisionError),
        override_settings(STORAGES=MEMORY),
        override_thumbs(storages=[STORAGE], cache=True),
    ):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_an_override_that_fails_at_its_start_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with override_settings(THUMBS="no mapping"), pytest.raises(AttributeError):
        override_thumbs(cache=True, mode="dummy").enable()
    assert list(tmp_path.iterdir()) == []
