"""A long test session leaves no threads, child processes, connections or directories behind."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from django.test import override_settings

from tests.support.many_overrides import MEMORY, STORAGE, rendered
from tests.support.waiting import LONG_WAIT_SECONDS
from thumbs.test import override_thumbs


# More rounds than threads may be there at once: one that stayed of each would be too many.
@pytest.mark.parametrize(("isolation", "rounds"), [("off", 250), ("auto", 15)])
def test_many_overrides_leave_no_thread_descriptor_and_child(isolation: str, rounds: int) -> None:
    command = [sys.executable, "-m", "tests.support.many_overrides", isolation, str(rounds)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=LONG_WAIT_SECONDS, check=False)
    assert ended.returncode == 0, ended.stderr
    held = json.loads(ended.stdout)
    assert held["most threads"] < 200
    assert all(held["after"][kind] <= number for kind, number in held["before"].items()), held


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
