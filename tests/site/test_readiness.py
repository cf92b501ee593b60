"""Readiness is about this process: storages and caches that fail or hang are details, and are never waited for."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings

from tests.support.commands import local_storage
from tests.support.fake_child import fake_site
from tests.support.fake_pipeline import FakeSource
from tests.support.waiting import WAIT_SECONDS, eventually
from thumbs.cache.layers import Layers
from thumbs.conf.codecs import codecs
from thumbs.errors import RendererUnavailable, StorageFailed
from thumbs.image.transforms import Transform
from thumbs.pipeline.ports import Storage
from thumbs.pipeline.thumbnailer import Thumbnailer
from thumbs.render.isolation.wire import Call, Work
from thumbs.render.values import RenderLimits
from thumbs.site import readiness
from thumbs.sources import health
from thumbs.sources.health import StorageHealth
from thumbs.wiring import process
from thumbs.wiring.rendering import Isolation


class Probed(FakeSource):
    """A storage that can be reached, or fails with `error`, or hangs while `gate` is shut."""

    def __init__(self) -> None:
        super().__init__()
        self.error: Exception | None = None
        self.hanging = threading.Event()
        self.hanging.set()

    def ready(self) -> None:
        assert self.hanging.wait(WAIT_SECONDS)
        if self.error is not None:
            raise self.error


class Probing:
    """A prober of `count` storages, which are probed twice a second."""

    def __init__(self, count: int) -> None:
        self.sources = {f"photos-{number}": Probed() for number in range(count)}
        policy: Any = type("Policy", (), {"private": False})()
        renderer: Any = None
        storages = {
            name: Storage(policy, source, Layers(), renderer, health=StorageHealth(name, source))
            for name, source in self.sources.items()
        }
        self.thumbs = Thumbnailer(storages, {})
        self.prober = readiness._Prober()

    def found(self) -> readiness.Readiness:
        return self.prober.readiness(self.thumbs)


@pytest.fixture
def probing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], Probing]]:
    monkeypatch.setattr(readiness, "_LOOK_SECONDS", 0.05)
    monkeypatch.setattr(health, "INTERVAL_SECONDS", 0.1)
    monkeypatch.setattr(health, "_SLOW_SECONDS", 0.2)
    made: list[Probing] = []

    def make(count: int) -> Probing:
        made.append(Probing(count))
        return made[-1]

    yield make
    for each in made:
        each.prober.forget()
        for source in each.sources.values():
            source.hanging.set()


def test_the_first_answer_waits_for_no_probe(
    probing: Callable[[int], Probing], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_SLOW_SECONDS", WAIT_SECONDS)
    many = probing(200)
    for source in many.sources.values():
        source.hanging.clear()
    found = many.found()  # with any wait for a probe, it would never return
    assert (found.ready, found.status) == (True, 200)
    assert set(found.storages.values()) == {"unknown"}


def test_a_storage_that_fails_or_hangs_is_a_detail_and_leaves_the_others_alone(
    probing: Callable[[int], Probing],
) -> None:
    three = probing(3)
    _, failing, hanging = three.sources.values()
    failing.error = StorageFailed()
    hanging.hanging.clear()
    wanted = {"photos-0": "reachable", "photos-1": "unreachable", "photos-2": "unreachable"}
    eventually(lambda: three.found().storages == wanted)
    assert three.found().ready
    failing.error = None
    hanging.hanging.set()
    eventually(lambda: set(three.found().storages.values()) == {"reachable"})


def test_a_hanging_storage_is_probed_by_one_thread(probing: Callable[[int], Probing]) -> None:
    one = probing(1)
    one.sources["photos-0"].hanging.clear()
    before = set(threading.enumerate())
    eventually(lambda: one.found().storages == {"photos-0": "unreachable"})
    threads = [each.name for each in set(threading.enumerate()) - before]
    assert threads.count("mage-probe-photos-0") == 1


def test_the_thread_that_probes_ends_with_its_thumbnailer(probing: Callable[[int], Probing]) -> None:
    before = set(threading.enumerate())
    one = probing(1)
    one.found()
    one.thumbs = Thumbnailer({}, {})

    def ended() -> bool:
        return "mage-probes" not in {each.name for each in set(threading.enumerate()) - before}

    one.prober.forget()
    eventually(ended)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_storages_are_probed_again_after_an_error_has_ended_the_thread_that_does_so(
    probing: Callable[[int], Probing], monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = [MemoryError()]

    def probe_all(storages: Mapping[str, Storage]) -> None:
        if errors:
            raise errors.pop()
        real(storages)

    real = readiness.probe_all
    monkeypatch.setattr(readiness, "probe_all", probe_all)
    one = probing(1)
    eventually(lambda: one.found().storages == {"photos-0": "reachable"})
    assert not errors


def test_a_process_that_stops_is_not_ready(probing: Callable[[int], Probing], monkeypatch: pytest.MonkeyPatch) -> None:
    one = probing(1)
    one.prober = readiness._Prober(stopping=lambda: True)
    assert (one.found().reasons, one.found().status) == (("the process stops",), 503)


def test_a_process_without_render_children_is_not_ready_after_five_seconds(
    probing: Callable[[int], Probing], monkeypatch: pytest.MonkeyPatch
) -> None:
    isolated = type("Isolated", (), {"unavailable_seconds": 4.9, "retry": lambda _: None})()
    monkeypatch.setattr(readiness, "isolation", lambda: isolated)
    one = probing(1)
    assert one.found().ready
    isolated.unavailable_seconds = 5.1
    assert one.found().reasons == ("no render process can be started",)


def test_a_process_without_render_children_tries_to_start_one_although_no_request_comes(
    probing: Callable[[int], Probing], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = fake_site(monkeypatch)
    site.refusals.append(OSError(11, "busy"))
    pool = site.pool()
    with pytest.raises(RendererUnavailable):
        pool.run(Call.RENDER, Work(RenderLimits(), Transform(format="webp")), b"")
    assert pool.unavailable.since is not None
    site.now += 5.1
    monkeypatch.setattr(readiness, "isolation", lambda: Isolation(pool))
    one = probing(1)
    one.found()
    eventually(lambda: pool.unavailable.since is None)
    assert one.found().ready


# ------------------------------------------------------------------------------------------------ under a URL


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], tuple[int, dict[str, object]]]]:
    """Status and body that `/ready` answers with for a local storage of `root`, as soon as it was probed."""
    monkeypatch.setattr(readiness, "_LOOK_SECONDS", 0.05)

    def asked(root: Path) -> tuple[int, dict[str, object]]:
        process.reset()
        readiness.forget()
        answers = []
        memory = {"enabled": True, "max_size_mb": 1}
        thumbs = {"STORAGES": [local_storage("photos", root, memory=memory)]}
        with override_settings(THUMBS=thumbs, ROOT_URLCONF="mage_project.urls"):

            def probed() -> bool:
                answers.append(Client().get("/ready"))
                return bool(json.loads(answers[-1].content)["storages"] != {"photos": "unknown"})

            eventually(probed)
        return answers[-1].status_code, json.loads(answers[-1].content)

    yield asked
    process.reset()


def test_the_page_has_the_details(ready: Callable[[Path], tuple[int, dict[str, object]]], originals: Path) -> None:
    status, body = ready(originals)
    assert (status, body["status"], body["reasons"]) == (200, "ready", [])
    assert body["storages"] == {"photos": "reachable"}
    assert body["caches"] == {"photos": {"memory": True}}
    assert body["isolation"] == dict.fromkeys(("process", "landlock", "seccomp"), False)
    assert body["codecs"] == codecs().described()
    assert "libvips" in body


def test_the_page_names_the_storage_that_fails_and_nothing_else_of_it(
    ready: Callable[[Path], tuple[int, dict[str, object]]], tmp_path: Path
) -> None:
    status, body = ready(tmp_path / "away")
    assert (status, body["storages"]) == (200, {"photos": "unreachable"})
    assert str(tmp_path) not in json.dumps(body)
