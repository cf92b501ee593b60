"""An object store that hangs, is slow, fails or denies: no request fails or waits for it, and it is used again."""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.bucket_front import BucketFront, bucket_front, everything, nothing
from tests.support.commands import manage
from tests.support.object_sites import Bucket, is_up, layer, machine, objects
from tests.support.waiting import eventually

_FRESH = itertools.count(20)
# Long enough for a store on a busy machine, and short enough for one that hangs.
_TIMEOUT_MS = 4000


@pytest.fixture
def front(moto: str) -> Iterator[BucketFront]:
    with bucket_front(moto) as made:
        yield made


def paused(front: BucketFront, *, on: bool) -> None:
    front.paused = on


def slow(front: BucketFront, *, on: bool) -> None:
    front.delay = 30.0 if on else 0.0


def unavailable(front: BucketFront, *, on: bool) -> None:
    front.status = 503 if on else 0


def denied(front: BucketFront, *, on: bool) -> None:
    front.denies = everything if on else nothing


_REASONS = {paused: "StorageTimeout", slow: "StorageTimeout", unavailable: "503", denied: "AccessDenied"}


def fresh() -> str:
    return f"photos/thumbs/{next(_FRESH)}x60/quarters.jpg"


def is_used(server: servers.Server) -> bool:
    """Without another layer, the second answer is the object's."""
    path = fresh()
    return layer(server, path) == "source" and any(layer(server, path) == "objects" for _ in range(20))


@pytest.mark.parametrize("fault", [paused, slow, unavailable, denied])
def test_a_store_with_a_fault_costs_no_request_and_is_used_again(
    moto: str, front: BucketFront, originals: Path, tmp_path: Path, fault: Callable[..., None]
) -> None:
    bucket = Bucket.made(moto)
    storage = {
        "name": "photos",
        "driver": "local",
        "root": str(originals),
        "cache": {"objects": objects(timeout_ms=_TIMEOUT_MS)},
    }
    with machine(tmp_path / "a", [storage, bucket.conf(front.url)]) as server:
        eventually(lambda: is_used(server))
        path = fresh()
        right = server.get(path).body
        eventually(lambda: is_up(server) == 1)
        fault(front, on=True)
        before = len(front.asked)
        answers = [server.get(each) for each in (*(fresh() for _ in range(20)), *[path] * 20)]
        assert {answer.status for answer in answers} == {200}
        assert {answer.body for answer in answers[20:]} == {right}
        eventually(lambda: is_up(server) == 0)
        # The breaker skips the layer: far fewer calls than two lookups, a lease and a write for each answer.
        assert len(front.asked) - before < len(answers)
        fault(front, on=False)
        eventually(lambda: is_used(server))
        eventually(lambda: is_up(server) == 1)
        log = server.log.read_text()
        assert "cache layer objects cannot be" in log
        assert log.count("cache layer objects cannot be") <= 4
        assert "Traceback" not in log
        assert _REASONS[fault] in log


@pytest.mark.parametrize("fault", [paused, unavailable, denied])
def test_what_other_layers_have_is_served_while_the_store_has_a_fault(
    moto: str, front: BucketFront, originals: Path, tmp_path: Path, fault: Callable[..., None]
) -> None:
    bucket = Bucket.made(moto)
    cache = {
        "memory": {"enabled": True, "max_size_mb": 16},
        "disk": {"enabled": True, "dir": str(tmp_path / "cache"), "ttl_seconds": 1, "stale_seconds": 3600},
        "objects": objects(timeout_ms=_TIMEOUT_MS),
    }
    storage = {"name": "photos", "driver": "local", "root": str(originals), "cache": cache}
    with machine(tmp_path / "a", [storage, bucket.conf(front.url)]) as server:
        paths = [fresh() for _ in range(5)]
        right = {path: server.get(path).body for path in paths}
        fault(front, on=True)
        for _ in range(10):
            for path in paths:
                answer = server.get(path)
                assert (answer.status, answer.body) == (200, right[path])
        eventually(lambda: server.get(paths[0]).headers["x-cache"] == "STALE")
        fault(front, on=False)


def test_a_purge_that_the_store_does_not_take_is_an_error_and_hides_on_this_machine(
    moto: str, front: BucketFront, originals: Path, tmp_path: Path
) -> None:
    bucket = Bucket.made(moto)
    cache = {"disk": {"enabled": True, "dir": str(tmp_path / "cache")}, "objects": objects(timeout_ms=_TIMEOUT_MS)}
    storage = {"name": "photos", "driver": "local", "root": str(originals), "cache": cache}
    own = tmp_path / "a"
    with machine(own, [storage, bucket.conf(front.url)]) as server:
        path = fresh()
        assert layer(server, path) == "source"
        assert layer(server, path) == "disk"
        front.status = 503
        environ = {**os.environ, "STORAGES_CONFIG_PATH": str(own / "storages.json")}
        environ.pop("DJANGO_SETTINGS_MODULE", None)
        done = manage(environ, "clear_thumb_cache", "--storage", "photos", "--source", "quarters.jpg")
        assert done.returncode != 0
        assert "the layer objects fails" in done.stderr
        eventually(lambda: layer(server, path) == "source")
