"""An object store that hangs, is slow, fails or denies: no request fails or waits for it, and it is used again."""

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.bucket_front import BucketFront, bucket_front, everything, nothing
from tests.support.commands import local_storage, manage
from tests.support.object_sites import Bucket, is_up, layer, machine, objects
from tests.support.servers import Server
from tests.support.waiting import eventually

_FRESH = itertools.count(20)
# Long enough for a store on a busy machine, and short enough for one that hangs.
_TIMEOUT_MS = 4000


@dataclass(frozen=True)
class Site:
    """A server with three storages, whose thumbnails are in the bucket behind `front`: see `site`."""

    server: Server
    front: BucketFront
    directory: Path


@pytest.fixture(scope="module")
def site(moto: str, originals: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """`_FOUND` have no layer but the objects; `_KEPT` have memory and disk as well, and `purged` has a disk cache."""
    directory = tmp_path_factory.mktemp("mage")
    bucket = Bucket.made(moto)
    memory = {"enabled": True, "max_size_mb": 16}
    lasting = {"enabled": True, "dir": str(directory / "purged")}
    # The feeds of those that a test does not ask must not be among the requests that it counts.
    quiet = objects(timeout_ms=_TIMEOUT_MS, poll_seconds=600)
    caches: dict[str, dict[str, object]] = {
        **{name: {"objects": objects(timeout_ms=_TIMEOUT_MS)} for name in _FOUND.values()},
        "purged": {"disk": lasting, "objects": quiet},
    }
    for name in _KEPT.values():
        brief = {"enabled": True, "dir": str(directory / name), "ttl_seconds": 1, "stale_seconds": 3600}
        caches[name] = {"memory": memory, "disk": brief, "objects": quiet}
    storages = [local_storage(name, originals, **layers) for name, layers in caches.items()]
    with bucket_front(moto) as front, machine(directory, [*storages, bucket.conf(front.url)]) as server:
        yield Site(server, front, directory)


@pytest.fixture
def front(site: Site) -> Iterator[BucketFront]:
    """Without a fault at the beginning, and at the end."""
    yield site.front
    site.front.paused, site.front.delay, site.front.status, site.front.denies = False, 0.0, 0, nothing


def paused(front: BucketFront, *, on: bool) -> None:
    front.paused = on


def slow(front: BucketFront, *, on: bool) -> None:
    front.delay = 30.0 if on else 0.0


def unavailable(front: BucketFront, *, on: bool) -> None:
    front.status = 503 if on else 0


def denied(front: BucketFront, *, on: bool) -> None:
    front.denies = everything if on else nothing


_REASONS = {paused: "StorageTimeout", slow: "StorageTimeout", unavailable: "503", denied: "AccessDenied"}
# Storages for each, so that none is skipped because of the fault before, and each says in the log what it meets.
_FOUND = {fault: f"photos-{fault.__name__}" for fault in _REASONS}
_KEPT = {fault: f"kept-{fault.__name__}" for fault in (paused, unavailable, denied)}


def fresh(storage: str) -> str:
    return f"{storage}/thumbs/{next(_FRESH)}x60/quarters.jpg"


def is_used(server: Server, storage: str) -> bool:
    """Without another layer, the second answer is the object's."""
    path = fresh(storage)
    return layer(server, path) == "source" and any(layer(server, path) == "objects" for _ in range(20))


@pytest.mark.parametrize("fault", _FOUND)
def test_a_store_with_a_fault_costs_no_request_and_is_used_again(
    site: Site, front: BucketFront, fault: Callable[..., None]
) -> None:
    server, storage = site.server, _FOUND[fault]
    eventually(lambda: is_used(server, storage))
    path = fresh(storage)
    right = server.get(path).body
    eventually(lambda: is_up(server, storage) == 1)
    logged = len(server.log.read_text())
    fault(front, on=True)
    before = len(front.asked)
    answers = [server.get(each) for each in (*(fresh(storage) for _ in range(20)), *[path] * 20)]
    assert {answer.status for answer in answers} == {200}
    assert {answer.body for answer in answers[20:]} == {right}
    eventually(lambda: is_up(server, storage) == 0)
    # The breaker skips the layer: far fewer calls than two lookups, a lease and a write for each answer.
    assert sum(storage in target for _, target in front.asked[before:]) < len(answers)
    fault(front, on=False)
    eventually(lambda: is_used(server, storage))
    eventually(lambda: is_up(server, storage) == 1)
    log = server.log.read_text()[logged:]
    # Of reading, of writing, and of reading its feed: once each, by the one process that serves.
    complaints = [line for line in log.splitlines() if f"storage {storage}: " in line and "cannot be" in line]
    assert f"storage {storage}: cache layer objects cannot be" in log
    assert len(complaints) <= 3, complaints
    assert "Traceback" not in log
    assert _REASONS[fault] in log


@pytest.mark.parametrize("fault", _KEPT)
def test_what_other_layers_have_is_served_while_the_store_has_a_fault(
    site: Site, front: BucketFront, fault: Callable[..., None]
) -> None:
    server = site.server
    paths = [fresh(_KEPT[fault]) for _ in range(5)]
    right = {path: server.get(path).body for path in paths}
    fault(front, on=True)
    for _ in range(10):
        for path in paths:
            answer = server.get(path)
            assert (answer.status, answer.body) == (200, right[path])
    eventually(lambda: server.get(paths[0]).headers["x-cache"] == "STALE")


def test_a_purge_that_the_store_does_not_take_is_an_error_and_hides_on_this_machine(
    site: Site, front: BucketFront
) -> None:
    path = fresh("purged")
    assert layer(site.server, path) == "source"
    assert layer(site.server, path) == "disk"
    front.status = 503
    environ = {**os.environ, "STORAGES_CONFIG_PATH": str(site.directory / "storages.json")}
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    done = manage(environ, "clear_thumb_cache", "--storage", "purged", "--source", "quarters.jpg")
    assert done.returncode != 0
    assert "the layer objects fails" in done.stderr
    eventually(lambda: layer(site.server, path) == "source")
