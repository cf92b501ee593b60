"""Readiness: every storage is probed, a hanging one is not waited for, and a result is reused for five seconds."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from django.test import Client, override_settings

from tests.support.commands import local_storage
from tests.support.waiting import WAIT_SECONDS
from thumbs.conf.codecs import codecs
from thumbs.errors import StorageFailed
from thumbs.pipeline.thumbnailer import Thumbnailer
from thumbs.site import readiness


class Probed:
    """A storage that can be reached, or fails with `error`, or hangs while `gate` is shut."""

    def __init__(self) -> None:
        self.source = self
        self.error: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.probes = 0

    def ready(self) -> None:
        self.probes += 1
        assert self.gate.wait(WAIT_SECONDS)
        if self.error is not None:
            raise self.error


class Probing:
    """A prober of two storages and two queues, with a clock that the test moves."""

    def __init__(self) -> None:
        self.storages = {"photos": Probed(), "films": Probed()}
        self.executors = {"lookup": SimpleNamespace(full=False), "render": SimpleNamespace(full=False)}
        self.now = 1000.0
        self._prober = readiness._Prober()

    def monotonic(self) -> float:
        return self.now

    def reasons(self) -> tuple[str, ...]:
        thumbnailer = SimpleNamespace(storages=self.storages, executors=self.executors)
        found = self._prober.readiness(cast(Thumbnailer, thumbnailer))
        assert (found.ready, found.status) == ((True, 200) if not found.reasons else (False, 503))
        return found.reasons


@pytest.fixture
def probing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Probing]:
    made = Probing()
    monkeypatch.setattr(readiness, "time", made)
    yield made
    for storage in made.storages.values():
        storage.gate.set()


def test_a_process_whose_storages_can_be_reached_is_ready(probing: Probing) -> None:
    assert probing.reasons() == ()
    assert [storage.probes for storage in probing.storages.values()] == [1, 1]


def test_a_storage_that_fails_is_named_and_the_log_has_the_cause(
    probing: Probing, caplog: pytest.LogCaptureFixture
) -> None:
    failure = StorageFailed()
    failure.__cause__ = OSError(5, "Input/output error")
    probing.storages["films"].error = failure
    with caplog.at_level(logging.WARNING, "thumbs"):
        assert probing.reasons() == ("storage films cannot be reached",)
    assert [record.getMessage() for record in caplog.records] == [
        "storage films cannot be reached: OSError(5, 'Input/output error')",
    ]


def test_an_error_without_a_cause_is_logged_itself(probing: Probing, caplog: pytest.LogCaptureFixture) -> None:
    probing.storages["photos"].error = KeyError("x")
    with caplog.at_level(logging.WARNING, "thumbs"):
        assert probing.reasons() == ("storage photos cannot be reached",)
    assert caplog.messages == ["storage photos cannot be reached: KeyError('x')"]


def test_a_full_queue_is_named_before_the_storages(probing: Probing) -> None:
    probing.executors["render"].full = True
    probing.storages["photos"].error = StorageFailed()
    assert probing.reasons() == ("the render queue is full", "storage photos cannot be reached")


def test_a_result_is_reused_for_five_seconds(probing: Probing) -> None:
    assert probing.reasons() == ()
    probing.storages["photos"].error = StorageFailed()
    probing.now += 4.9
    assert probing.reasons() == ()
    probing.now += 0.1
    assert probing.reasons() == ("storage photos cannot be reached",)
    probing.storages["photos"].error = None
    probing.now += 5.0
    assert probing.reasons() == ()
    assert [storage.probes for storage in probing.storages.values()] == [3, 3]


def test_a_storage_that_hangs_is_not_ready_and_is_not_probed_twice_at_once(
    probing: Probing, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(threading.enumerate())

    def hanging() -> int:
        return sum(thread.name == "mage-ready-films" for thread in set(threading.enumerate()) - before)

    monkeypatch.setattr(readiness, "_PROBE_SECONDS", 0.0)
    films = probing.storages["films"]
    films.gate.clear()
    for _ in range(3):
        assert "storage films cannot be reached" in probing.reasons()
        assert hanging() == 1
        probing.now += 5.0
    monkeypatch.setattr(readiness, "_PROBE_SECONDS", WAIT_SECONDS)
    films.gate.set()
    assert probing.reasons() == ()


# ------------------------------------------------------------------------------------------------ under a URL


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], tuple[int, object]]:
    """Status and body that `/ready` answers with for a local storage of `root`."""

    def asked(root: Path) -> tuple[int, object]:
        monkeypatch.setattr(readiness, "_prober", readiness._Prober())
        urls = "mage_project.urls"
        with override_settings(THUMBS={"STORAGES": [local_storage("photos", root)]}, ROOT_URLCONF=urls):
            answer = Client().get("/ready")
        return answer.status_code, json.loads(answer.content)

    return asked


def test_the_page_tells_whether_the_process_is_ready(
    ready: Callable[[Path], tuple[int, object]], originals: Path
) -> None:
    layers = dict.fromkeys(("process", "landlock", "seccomp"), False)
    assert ready(originals) == (
        200,
        {"status": "ready", "reasons": [], "isolation": layers, "codecs": codecs().described()},
    )


def test_the_page_names_the_storage_and_nothing_else(
    ready: Callable[[Path], tuple[int, object]], tmp_path: Path
) -> None:
    status, body = ready(tmp_path / "away")
    assert status == 503
    assert isinstance(body, dict)
    assert body["reasons"] == ["storage photos cannot be reached"]
    assert str(tmp_path) not in json.dumps(body)
