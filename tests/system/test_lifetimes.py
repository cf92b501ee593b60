"""What expired, was revoked, deleted or purged is not served again: not by Mage, and by nginx not past its lifetime.

Lifetimes are asserted only in the direction that a busy machine cannot change: what is over stays over.
"""

import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.deployed import nginx, reload, thumb_server
from tests.support.endings import Ending, signed
from tests.support.fronts import OLD_SECRET, SECRET
from tests.support.purging import purge
from tests.support.servers import Server
from tests.support.waiting import eventually

_WORKERS = 2
# What nginx may keep, and then a second for counting in whole ones and one for the last answer before the end.
_KEPT_SECONDS = 5
_AFTER_SECONDS = (1, 10, 60)


def _storages(root: Path, caches: Path, secrets: list[str]) -> list[dict[str, object]]:
    def storage(name: str, **disk: object) -> dict[str, object]:
        memory = {"enabled": True, "max_size_mb": 16}
        cache = {"memory": memory, "disk": {"enabled": True, "dir": str(caches / name), **disk}}
        control = f"max-age={_KEPT_SECONDS}"
        return {"name": name, "driver": "local", "root": str(root), "cache_control": control, "cache": cache}

    return [
        {**storage("signed"), "signature_secret_key": secrets},
        storage("kept"),
        storage("brief", ttl_seconds=2),
        storage("stale", ttl_seconds=1, stale_seconds=3600),
    ]


@pytest.mark.slow
def test_nothing_that_is_over_is_served_again_by_mage_or_past_its_lifetime_by_nginx(
    originals: Path, tmp_path: Path
) -> None:
    root, mage = tmp_path / "root", tmp_path / "mage"
    root.mkdir()
    for name in ("lasting", "purged", "varying", "replaced", "deleted", "renewed"):
        shutil.copy(originals / "quarters.jpg", root / f"{name}.jpg")
    document = {"storages": _storages(root, tmp_path / "caches", [SECRET, OLD_SECRET])}
    with (
        thumb_server(document, mage, workers=_WORKERS) as direct,
        nginx(tmp_path / "nginx", [direct.port], parts=["cache"]) as through,
    ):
        revoked = Ending(signed("90x60/lasting.jpg", OLD_SECRET), 403)
        before = revoked.first(direct)
        assert revoked.first(through) == before
        reload(direct, {"storages": _storages(root, tmp_path / "caches", [SECRET])})

        others = (
            Ending("kept/thumbs/90x60/purged.jpg", 404),
            Ending("kept/thumbs/90x60/filters:format(auto)/varying.jpg", 404, accept="image/webp"),
            Ending("kept/thumbs/90x60/filters:format(auto)/varying.jpg", 404, accept="image/avif"),
            Ending("kept/thumbs/90x60/replaced.jpg", 200),
            Ending("brief/thumbs/90x60/deleted.jpg", 404),
            Ending("stale/thumbs/90x60/renewed.jpg", 404),
        )
        firsts = {revoked: before}

        def serve(*endings: Ending) -> None:
            firsts.update((each, each.first(direct)) for each in endings)
            for _ in range(3 * _WORKERS):  # until every worker has it in memory
                assert all(each.first(direct) == firsts[each] for each in endings)
            assert all(each.first(through) == firsts[each] for each in endings)

        serve(*others)
        end = int(time.time()) + 30  # enough for few requests on a busy machine
        expiring = Ending(signed(f"90x60/filters:expires({end})/lasting.jpg", SECRET), 410)
        serve(expiring)

        for name in ("purged", "varying", "deleted", "renewed"):
            (root / f"{name}.jpg").unlink()
        shutil.copy(originals / "noise.jpg", root / "replaced.jpg")
        purge(mage, ["kept"], ["purged.jpg", "varying.jpg", "replaced.jpg"])
        # A deletion without a purge is noticed by the first request after the time of the entry.
        eventually(lambda: direct.get("stale/thumbs/90x60/renewed.jpg").status == 404)
        time.sleep(max(0.0, end - time.time(), 2))
        _check_all_are_over(direct, through, firsts, expiring)

    # Nor where Mage has ended: its last answer was that all this is over.
    with nginx(tmp_path / "nginx", [direct.port], parts=["cache"]) as through:
        for each, (body, _) in firsts.items():
            assert through.get(each.path, headers={"Accept": each.accept}).body != body


def _check_all_are_over(
    direct: Server, through: Server, firsts: Mapping[Ending, tuple[bytes, str]], expiring: Ending
) -> None:
    over = time.monotonic()
    for seconds in _AFTER_SECONDS:
        time.sleep(max(0.0, over + seconds - time.monotonic()))
        for each, first in firsts.items():
            assert each.is_over(direct, first), f"{each.path} came from Mage {seconds} s later"
            # Past the lifetime of its copy nginx must agree; a URL's own end it knows at once.
            if seconds > _KEPT_SECONDS + 2 or each is expiring:
                assert each.is_over(through, first), f"{each.path} came through nginx {seconds} s later"


def test_what_one_server_finds_deleted_the_other_one_does_not_serve_stale(originals: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    for name in ("gone", "left"):  # a directory that lost all of its files would count as not mounted
        shutil.copy(originals / "quarters.jpg", root / f"{name}.jpg")
    storages = [each for each in _storages(root, tmp_path / "caches", [SECRET]) if each["name"] == "stale"]
    document = {"storages": storages, "run_dir": str(tmp_path / "run")}
    paths = [f"stale/thumbs/{size}/gone.jpg" for size in ("90x60", "91x60")]
    with thumb_server(document, tmp_path / "a") as first, thumb_server(document, tmp_path / "b") as second:
        assert [server.get(path).status for server in (first, second) for path in paths] == [200] * 4
        (root / "gone.jpg").unlink()
        eventually(lambda: first.get(paths[0]).status == 404)
        time.sleep(1)  # by then every process of the machine has read it
        assert [server.get(path).status for server in (second, first) for path in paths] == [404] * 4


@pytest.mark.parametrize("storage", ["cached", "uncached"])
def test_every_good_answer_to_a_url_that_expires_says_how_long_that_is(
    originals: Path, tmp_path: Path, storage: str
) -> None:
    cache = {"memory": {"enabled": storage == "cached", "max_size_mb": 16}}
    control = "public, s-maxage=86400, stale-if-error=86400"
    document = {"name": storage, "driver": "local", "root": str(originals), "cache_control": control, "cache": cache}
    with thumb_server({"storages": [document]}, tmp_path / "mage") as server:
        path = f"{storage}/thumbs/90x60/filters:expires({int(time.time()) + 600})/quarters.jpg"
        etag = server.get(path).headers["etag"]
        answers = [
            server.get(path),
            server.get(path, method="HEAD"),
            server.get(path, headers={"If-None-Match": etag}),
            server.get(path, method="HEAD", headers={"If-None-Match": etag}),
        ]
        assert [answer.status for answer in answers] == [200, 200, 304, 304]
        for answer in answers:
            assert 0 < int(answer.headers["cache-control"].removeprefix("public, max-age=")) <= 600
            assert "date" in answer.headers
