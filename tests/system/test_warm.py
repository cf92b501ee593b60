"""`warm_thumb_cache` as a user runs it, and on a cache whose thumbnails became stale."""

import json
from pathlib import Path

from django.test import override_settings

from tests.support import servers
from tests.support.commands import Run, disk_cache, environ_with, local_storage, manage
from tests.support.warmed import root, x_cache

__all__ = ["root"]


def test_a_stale_thumbnail_is_renewed(run: Run, root: Path, tmp_path: Path) -> None:
    disk = disk_cache(tmp_path / "cache", ttl_seconds=4, stale_seconds=3600)
    with override_settings(THUMBS={"STORAGES": [local_storage("photos", root, disk=disk)]}):
        command = ("warm_thumb_cache", "photos", "dog.jpg", "--size", "90x60")
        assert run(*command).startswith("photos: 1 made")
        servers.eventually(lambda: x_cache("dog.jpg", "90x60") == "STALE")
        servers.eventually(lambda: x_cache("dog.jpg", "90x60") == "HIT")
        servers.eventually(lambda: run(*command).startswith("photos: 1 made"))
        assert x_cache("dog.jpg", "90x60") == "HIT"


def test_it_is_run_as_a_user_runs_it(root: Path, tmp_path: Path) -> None:
    environ = environ_with(tmp_path, [local_storage("photos", root, disk=disk_cache(tmp_path / "cache"))])
    done = manage(environ, "warm_thumb_cache", "photos", "--prefix", "", "--size", "90x60")
    assert (done.returncode, done.stderr) == (0, "")  # no bar where there is no terminal
    assert done.stdout.startswith("photos: 3 made, 0 already cached, 0 failed in ")
    told = json.loads(manage(environ, "thumb_cache_stats", "--json").stdout)
    assert told["storages"][0]["disk"]["entries"] == 3
    failed = manage(environ, "warm_thumb_cache", "photos", "none.jpg", "--size", "90x60")
    assert (failed.returncode, len(failed.stderr.splitlines())) == (1, 2)
