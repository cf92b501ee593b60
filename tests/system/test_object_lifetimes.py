"""What expired, was revoked, deleted or purged is not served again by any machine with an object layer.

As in `test_lifetimes`, lifetimes are asserted only in the direction that a busy machine cannot change.
"""

import os
import shutil
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.commands import manage
from tests.support.endings import Ending, signed
from tests.support.fronts import OLD_SECRET, SECRET
from tests.support.object_sites import Bucket, machine, objects
from tests.support.servers import Server
from tests.support.waiting import eventually

_AFTER_SECONDS = (1, 10, 60)


def _storages(root: Path, own: Path, bucket: Bucket, secrets: list[str]) -> list[Mapping[str, object]]:
    def storage(name: str, **disk: object) -> dict[str, object]:
        memory = {"enabled": True, "max_size_mb": 16}
        in_files = {"enabled": True, "dir": str(own / "caches" / name), **disk}
        cache = {"memory": memory, "disk": in_files, "objects": objects()}
        return {"name": name, "driver": "local", "root": str(root), "cache_control": "max-age=5", "cache": cache}

    return [
        {**storage("signed"), "signature_secret_key": secrets},
        storage("kept"),
        storage("brief", ttl_seconds=2),
        storage("stale", ttl_seconds=1, stale_seconds=3600),
        bucket.conf(),
    ]


def _purge(own: Path, *sources: str) -> None:
    environ = {**os.environ, "STORAGES_CONFIG_PATH": str(own / "storages.json")}
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    for source in sources:
        done = manage(environ, "clear_thumb_cache", "--storage", "kept", "--source", source)
        assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_nothing_that_is_over_is_served_again_by_any_machine(moto: str, originals: Path, tmp_path: Path) -> None:
    root, bucket = tmp_path / "root", Bucket.made(moto)
    root.mkdir()
    for name in ("lasting", "purged", "varying", "replaced", "deleted", "renewed"):
        shutil.copy(originals / "quarters.jpg", root / f"{name}.jpg")

    def storages(own: Path, *secrets: str) -> list[Mapping[str, object]]:
        return _storages(root, own, bucket, list(secrets))

    revoked = Ending(signed("90x60/lasting.jpg", OLD_SECRET), 403)
    with machine(tmp_path / "old", storages(tmp_path / "old", SECRET, OLD_SECRET)) as old:
        before = revoked.first(old)
        eventually(lambda: len(bucket.keys("mage/signed/")) == 1)

    end = int(time.time()) + 60
    expiring = Ending(signed(f"90x60/filters:expires({end})/lasting.jpg", SECRET), 410)
    others = (
        Ending("kept/thumbs/90x60/purged.jpg", 404),
        Ending("kept/thumbs/90x60/filters:format(auto)/varying.jpg", 404, accept="image/webp"),
        Ending("kept/thumbs/90x60/filters:format(auto)/varying.jpg", 404, accept="image/avif"),
        Ending("kept/thumbs/90x60/replaced.jpg", 200),
        Ending("brief/thumbs/90x60/deleted.jpg", 404),
        Ending("stale/thumbs/90x60/renewed.jpg", 404),
    )
    with ExitStack() as stack:
        one, two = (
            stack.enter_context(machine(tmp_path / name, storages(tmp_path / name, SECRET))) for name in ("a", "b")
        )
        firsts = {revoked: before, **{each: each.first(one) for each in (expiring, *others)}}
        eventually(lambda: len(bucket.keys("mage/kept/")) == 4)
        assert all(each.first(two) == firsts[each] for each in (expiring, *others))

        for name in ("purged", "varying", "deleted", "renewed"):
            (root / f"{name}.jpg").unlink()
        shutil.copy(originals / "noise.jpg", root / "replaced.jpg")
        _purge(tmp_path / "a", "purged.jpg", "varying.jpg", "replaced.jpg")
        # The other machine may serve for `poll_seconds` more what was purged; both notice a deletion at a renewal.
        eventually(lambda: two.get("kept/thumbs/90x60/replaced.jpg").body != firsts[others[3]][0])
        for each in others:
            eventually(lambda each=each: all(server.get(each.path).status == each.status for server in (one, two)))  # type: ignore[misc]
        time.sleep(max(0.0, end - time.time(), 2))
        _check_all_are_over([one, two], firsts)
        # And by a machine that starts with empty disks, when all has happened.
        with machine(tmp_path / "c", storages(tmp_path / "c", SECRET)) as three:
            _check_all_are_over([three], firsts, after=(0,))


def _check_all_are_over(
    servers: list[Server], firsts: Mapping[Ending, tuple[bytes, str]], after: tuple[int, ...] = _AFTER_SECONDS
) -> None:
    over = time.monotonic()
    for seconds in after:
        time.sleep(max(0.0, over + seconds - time.monotonic()))
        for server in servers:
            for each, first in firsts.items():
                assert each.is_over(server, first), f"{each.path} came from {server.port} {seconds} s later"


def test_an_object_that_is_written_after_its_purge_is_served_by_no_machine(
    moto: str, originals: Path, tmp_path: Path
) -> None:
    """A machine that is cut off from the bucket's feed, or was about to write, may put an object back."""
    root, bucket = tmp_path / "root", Bucket.made(moto)
    root.mkdir()
    shutil.copy(originals / "quarters.jpg", root / "purged.jpg")
    shutil.copy(originals / "quarters.jpg", root / "other.jpg")
    path = "kept/thumbs/90x60/purged.jpg"
    with machine(tmp_path / "a", _storages(root, tmp_path / "a", bucket, [SECRET])) as one:
        assert one.get(path).status == 200
        eventually(lambda: len(bucket.keys("mage/kept/")) == 1)
        (key,) = bucket.keys("mage/kept/")
        data = bucket.read(key)
        (root / "purged.jpg").unlink()
        _purge(tmp_path / "a", "purged.jpg")
        assert bucket.keys("mage/kept/") == []
        bucket.write(key, data)
        eventually(lambda: one.get(path).status == 404)
        for name in ("b", "c"):
            with machine(tmp_path / name, _storages(root, tmp_path / name, bucket, [SECRET])) as later:
                assert {later.get(path).status for _ in range(3)} == {404}
        assert bucket.keys("mage/kept/") == [key]
