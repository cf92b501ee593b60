"""Machines that share a bucket as a cache layer, on a real S3 server: hits, renewals, purges, leases, commands."""

import json
import os
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.bucket_front import bucket_front
from tests.support.commands import manage
from tests.support.object_sites import Bucket, layer, machine, objects, renders
from tests.support.waiting import eventually

PATH = "photos/thumbs/90x60/quarters.jpg"


@pytest.fixture
def bucket(moto: str) -> Bucket:
    return Bucket.made(moto)


@pytest.fixture
def root(originals: Path, tmp_path: Path) -> Path:
    """A storage's files that a test may change."""
    root = tmp_path / "root"
    root.mkdir()
    for name in ("quarters.jpg", "noise.jpg"):
        shutil.copy(originals / name, root / name)
    return root


def photos(root: Path, own: Path, *, ttl: float = 3600, **keys: object) -> dict[str, object]:
    cache = {
        "memory": {"enabled": True, "max_size_mb": 16},
        "disk": {"enabled": True, "dir": str(own / "cache"), "ttl_seconds": ttl},
        "objects": objects(**keys),
    }
    return {"name": "photos", "driver": "local", "root": str(root), "cache": cache}


@pytest.fixture
def two(bucket: Bucket, root: Path, tmp_path: Path) -> Iterator[tuple[servers.Server, servers.Server]]:
    with (
        machine(tmp_path / "a", [photos(root, tmp_path / "a"), bucket.conf()]) as first,
        machine(tmp_path / "b", [photos(root, tmp_path / "b"), bucket.conf()]) as second,
    ):
        yield first, second


def command(own: Path, *arguments: str) -> str:
    environ = {**os.environ, "STORAGES_CONFIG_PATH": str(own / "storages.json")}
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    done = manage(environ, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_one_machine_made_is_a_hit_in_another_and_then_in_its_own_layers(
    two: tuple[servers.Server, servers.Server], bucket: Bucket
) -> None:
    first, second = two
    made = first.get(PATH)
    assert made.headers["x-cache"] == "MISS"
    eventually(lambda: len(bucket.keys("mage/photos/")) == 1)
    found = second.get(PATH)
    assert (found.headers["x-cache"], found.headers["server-timing"].split('"')[1]) == ("HIT", "objects")
    assert (found.body, found.headers["etag"]) == (made.body, made.headers["etag"])
    assert layer(second, PATH) == "memory"
    assert renders(second) == 0


def test_a_machine_whose_disk_was_lost_finds_what_it_had_made(bucket: Bucket, root: Path, tmp_path: Path) -> None:
    storages = [photos(root, tmp_path / "a"), bucket.conf()]
    with machine(tmp_path / "a", storages) as server:
        assert layer(server, PATH) == "source"
        eventually(lambda: len(bucket.keys("mage/photos/")) == 1)
    shutil.rmtree(tmp_path / "a")
    with machine(tmp_path / "a", storages) as server:
        assert layer(server, PATH) == "objects"


def test_past_its_lifetime_an_entry_is_renewed_without_a_render_and_ends_with_its_original(
    bucket: Bucket, root: Path, tmp_path: Path
) -> None:
    def storages(own: str) -> list[dict[str, object]]:
        return [photos(root, tmp_path / own, ttl=1), bucket.conf()]

    with machine(tmp_path / "a", storages("a")) as first:
        made = first.get(PATH)
        eventually(lambda: len(bucket.keys("mage/photos/")) == 1)
    with machine(tmp_path / "b", storages("b")) as second:
        renewed = second.get(PATH)
        assert (renewed.headers["x-cache"], renewed.body) == ("MISS", made.body)
        assert renewed.headers["etag"] == made.headers["etag"]
        assert renders(second) == 0
    shutil.copy(root / "noise.jpg", root / "quarters.jpg")
    with machine(tmp_path / "c", storages("c")) as third:
        assert third.get(PATH).body != made.body
        (root / "quarters.jpg").unlink()
        eventually(lambda: third.get(PATH).status == 404)
    with machine(tmp_path / "d", storages("d")) as fourth:
        assert fourth.get(PATH).status == 404


def test_a_purge_by_a_command_reaches_another_machine_and_one_that_starts_later(
    two: tuple[servers.Server, servers.Server], bucket: Bucket, root: Path, tmp_path: Path
) -> None:
    first, second = two
    other = "photos/thumbs/90x60/noise.jpg"
    old = first.get(PATH).body
    first.get(other)
    eventually(lambda: len(bucket.keys("mage/photos/")) == 2)
    assert layer(second, PATH) == "objects"
    shutil.copy(root / "noise.jpg", root / "quarters.jpg")
    printed = command(tmp_path / "a", "clear_thumb_cache", "--storage", "photos", "--source", "quarters.jpg")
    assert "freed 1 entry on disk" in printed
    assert "emptied memory and objects" in printed
    assert len(bucket.keys("mage/photos/")) == 1
    eventually(lambda: first.get(PATH).body != old)
    eventually(lambda: second.get(PATH).body != old)
    for server in two:
        assert {server.get(PATH).body == old for _ in range(5)} == {False}
        assert layer(server, other) == "memory" if server is first else "objects"
    with machine(tmp_path / "c", [photos(root, tmp_path / "c"), bucket.conf()]) as third:
        assert third.get(PATH).body != old
        assert layer(third, other) == "objects"


def test_clearing_a_storage_empties_its_part_of_the_bucket(
    two: tuple[servers.Server, servers.Server], bucket: Bucket, root: Path, tmp_path: Path
) -> None:
    first, second = two
    paths = [f"photos/thumbs/{width}x/{name}.jpg" for width in (20, 30) for name in ("quarters", "noise")]
    old = {path: first.get(path).headers["etag"] for path in paths}
    eventually(lambda: len(bucket.keys("mage/photos/")) == len(paths))
    assert {layer(second, path) for path in paths} == {"objects"}
    (root / "quarters.jpg").rename(root / "other.jpg")
    (root / "noise.jpg").unlink()
    command(tmp_path / "b", "clear_thumb_cache", "--storage", "photos")
    assert bucket.keys("mage/photos/") == []
    for server in two:
        eventually(lambda server=server: {server.get(path).status for path in old} == {404})  # type: ignore[misc]


def test_a_machine_waits_for_what_another_one_has_a_lease_of(
    moto: str, bucket: Bucket, root: Path, tmp_path: Path
) -> None:
    with machine(tmp_path / "a", [photos(root, tmp_path / "a"), bucket.conf()]) as first:
        made = first.get(PATH).body
        eventually(lambda: len(bucket.keys("mage/photos/")) == 1)
    (key,) = bucket.keys("mage/photos/")
    data, lease = bucket.read(key), key.replace("/photos/", "/photos~leases/")
    assert bucket.keys("mage/photos~leases/") == []
    bucket.delete(key)
    with (
        bucket_front(moto) as front,
        machine(tmp_path / "b", [photos(root, tmp_path / "b"), bucket.conf(front.url)]) as second,
        ThreadPoolExecutor(1) as pool,
    ):
        bucket.write(lease, f"{time.time()!r} another machine".encode())
        answer = pool.submit(second.get, PATH)
        eventually(lambda: any("leases/" in target for _, target in front.asked))
        bucket.write(key, data)
        found = answer.result()
        assert (found.status, found.body, found.headers["server-timing"].split('"')[1]) == (200, made, "objects")
        assert renders(second) == 0
        assert bucket.keys("mage/photos~leases/") == [lease]


def test_below_a_shared_cache_the_layer_has_no_feed_and_no_leases(bucket: Bucket, root: Path, tmp_path: Path) -> None:
    with servers.memcached(tmp_path) as port:
        location = {"backend": "django.core.cache.backends.memcached.PyMemcacheCache", "location": f"127.0.0.1:{port}"}
        caches = {"fleet": {**location, "options": {"connect_timeout": 20, "timeout": 20}}}

        def storages(own: str) -> list[dict[str, object]]:
            conf = photos(root, tmp_path / own)
            conf["cache"] = {**conf["cache"], "shared": {"alias": "fleet"}}  # type: ignore[dict-item]
            return [conf, bucket.conf()]

        with (
            machine(tmp_path / "a", storages("a"), caches=caches) as first,
            machine(tmp_path / "b", storages("b"), caches=caches) as second,
        ):
            old = first.get(PATH).body
            eventually(lambda: len(bucket.keys("mage/photos/")) == 1)
            assert layer(second, PATH) == "shared"
            shutil.copy(root / "noise.jpg", root / "quarters.jpg")
            command(tmp_path / "a", "clear_thumb_cache", "--storage", "photos", "--source", "quarters.jpg")
            eventually(lambda: second.get(PATH).body != old)
        assert {key.split("/")[1] for key in bucket.keys("mage/")} <= {"photos", "photos~purged"}


def test_the_commands_know_the_layer(bucket: Bucket, root: Path, tmp_path: Path) -> None:
    conf = {**photos(root, tmp_path / "a"), "cache": {"objects": objects()}}
    with machine(tmp_path / "a", [conf, bucket.conf()]) as server:
        own = tmp_path / "a"
        command(own, "warm_thumb_cache", "photos", "quarters.jpg", "noise.jpg", "--size", "90x60", "--size", "80x")
        assert len(bucket.keys("mage/photos/")) == 4
        assert layer(server, PATH) == "objects"
        again = command(own, "warm_thumb_cache", "photos", "quarters.jpg", "--size", "90x60")
        assert "1 already cached" in again
        assert "objects → storage" in command(own, "thumb_url", "--explain", f"/{PATH}")
        assert "'mage/' of storage 'bucket'" in command(own, "thumb_cache_stats", "--storage", "photos")
        stats = json.loads(command(own, "thumb_cache_stats", "--json"))["storages"]
        found = {each["name"]: each.get("objects") for each in stats}
        where = {"storage": "bucket", "prefix": "mage/", "ttl_seconds": 2_592_000, "entries": None, "bytes": None}
        assert found == {"photos": where, "bucket": None}
        assert json.loads(server.get("ready").body)["storages"]
