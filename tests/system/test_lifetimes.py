"""What expired, was revoked, deleted or purged is not served again: not by Mage, and by nginx not past its lifetime.

Lifetimes are asserted only in the direction that a busy machine cannot change: what is over stays over.
"""

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.commands import local_storage
from tests.support.deployed import nginx, reload, thumb_server
from tests.support.endings import Ending, served_in_time, signed
from tests.support.fronts import OLD_SECRET, SECRET
from tests.support.object_sites import Bucket, objects
from tests.support.purging import purge
from tests.support.servers import Server
from tests.support.waiting import eventually

_WORKERS = 2
_AFTER_SECONDS = (1, 10, 60)
# What nginx may keep, and then a second for counting in whole ones and one for the last answer before the end.
_KEPT_SECONDS = 5
# A purge reaches each process of another machine within this time, by the feed of memcached; by the objects sooner
# here, as `poll_seconds` is 1.
_FEED_SECONDS = 5
# How machines learn of a purge: by the objects alone, or by the feed of a shared layer.
_KINDS = ("alone", "fed")
_NAMES = ("lasting", "purged", "varying", "replaced", "changed", "deleted", "renewed")

# A busy machine is not what is tested.
_PATIENT = {"queue_seconds": 120, "fetch_seconds": 120, "render_seconds": 120}

First = tuple[bytes, str]


@pytest.mark.slow
def test_nothing_that_is_over_is_served_again_by_mage_or_past_its_lifetime_by_nginx(
    moto: str, originals: Path, tmp_path: Path
) -> None:
    """By one server, and by two machines with an object layer: both at once, as most of the time is waited for."""
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(_one_server, originals, tmp_path / "one")
        two = pool.submit(_two_machines, moto, originals, tmp_path / "two")
        for done in (one, two):
            done.result()


# ---------------------------------------------------------------------------------------------- one server


def _storages(root: Path, caches: Path, secrets: Sequence[str]) -> list[dict[str, object]]:
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


def _one_server(originals: Path, directory: Path) -> None:
    """Nothing that is over is served again by Mage, or past its lifetime by nginx."""
    root, mage = directory / "root", directory / "mage"
    root.mkdir(parents=True)
    for name in _NAMES:
        shutil.copy(originals / "quarters.jpg", root / f"{name}.jpg")

    def document(*secrets: str) -> Mapping[str, object]:
        return {"storages": _storages(root, directory / "caches", secrets), "limits": _PATIENT}

    with (
        thumb_server(document(SECRET, OLD_SECRET), mage, workers=_WORKERS) as direct,
        nginx(directory / "nginx", [direct.port], parts=["cache"]) as through,
    ):
        revoked = Ending(signed("90x60/lasting.jpg", OLD_SECRET), 403)
        before = revoked.first(direct)
        assert revoked.first(through) == before
        reload(direct, document(SECRET))

        others = (
            Ending("kept/thumbs/90x60/purged.jpg", 404),
            Ending("kept/thumbs/90x60/filters:format(auto)/varying.jpg", 404, accept="image/webp"),
            Ending("kept/thumbs/90x60/filters:format(auto)/varying.jpg", 404, accept="image/avif"),
            Ending("kept/thumbs/90x60/replaced.jpg", 200),
            Ending("brief/thumbs/90x60/deleted.jpg", 404),
            Ending("stale/thumbs/90x60/renewed.jpg", 404),
        )
        firsts = {revoked: before}

        def serve(endings: list[Ending]) -> None:
            firsts.update((each, each.first(direct)) for each in endings)
            for _ in range(3 * _WORKERS):  # until every worker has it in memory
                assert all(each.first(direct) == firsts[each] for each in endings)
            assert all(each.first(through) == firsts[each] for each in endings)

        serve(list(others))
        end, expiring = served_in_time(["signed"], serve)

        _end_files(root, originals / "noise.jpg", mage, ["kept"])
        # A deletion without a purge is noticed by the first request after the time of the entry.
        eventually(lambda: direct.get("stale/thumbs/90x60/renewed.jpg").status == 404)
        time.sleep(max(0.0, end - time.time(), 2))
        _check_all_are_over([direct], through, firsts, expiring)

    # Nor where Mage has ended: its last answer was that all this is over.
    with nginx(directory / "nginx", [direct.port], parts=["cache"]) as through:
        for each, (body, _) in firsts.items():
            assert through.get(each.path, headers={"Accept": each.accept}).body != body


# ------------------------------------------------------------------------- two machines with an object layer


def _storages_with_objects(root: Path, own: Path, bucket: Bucket, secrets: Sequence[str]) -> list[Mapping[str, object]]:
    def storage(kind: str, name: str, **disk: object) -> dict[str, object]:
        name = f"{kind}-{name}"
        cache = {
            "memory": {"enabled": True, "max_size_mb": 16},
            "disk": {"enabled": True, "dir": str(own / "caches" / name), **disk},
            "objects": objects(),
            **({"shared": {"alias": "fleet"}} if kind == "fed" else {}),
        }
        control = f"max-age={_KEPT_SECONDS}"
        return {"name": name, "driver": "local", "root": str(root), "cache_control": control, "cache": cache}

    found: list[Mapping[str, object]] = [bucket.conf()]
    for kind in _KINDS:
        found += [
            {**storage(kind, "signed"), "signature_secret_key": secrets},
            storage(kind, "kept"),
            storage(kind, "brief", ttl_seconds=2),
            storage(kind, "stale", ttl_seconds=1, stale_seconds=3600),
        ]
    return found


def _endings(kind: str) -> Iterator[Ending]:
    """Those of files that end: by a purge, by the lifetime of their entry, and at a renewal."""
    yield Ending(f"{kind}-kept/thumbs/90x60/purged.jpg", 404)
    for accept in ("image/webp", "image/avif"):
        yield Ending(f"{kind}-kept/thumbs/90x60/filters:format(auto)/varying.jpg", 404, accept=accept)
    yield Ending(f"{kind}-kept/thumbs/90x60/replaced.jpg", 200)
    yield Ending(f"{kind}-brief/thumbs/90x60/changed.jpg", 200)
    yield Ending(f"{kind}-brief/thumbs/90x60/deleted.jpg", 404)
    yield Ending(f"{kind}-stale/thumbs/90x60/renewed.jpg", 404)


def _memcached(directory: Path, stack: ExitStack) -> Mapping[str, object]:
    """A cache of a document: memcached. A busy machine is not what is tested."""
    port = stack.enter_context(servers.memcached(directory))
    backend = "django.core.cache.backends.memcached.PyMemcacheCache"
    options = {"connect_timeout": 20, "timeout": 20}
    return {"backend": backend, "location": f"127.0.0.1:{port}", "options": options}


def _two_machines(moto: str, originals: Path, directory: Path) -> None:
    """Nor by any of two machines that share objects, and nothing else or also memcached, or by nginx before both."""
    root, bucket = directory / "root", Bucket.made(moto)
    root.mkdir(parents=True)
    for name in _NAMES:
        shutil.copy(originals / "quarters.jpg", root / f"{name}.jpg")

    stack = ExitStack()
    fleet = {"fleet": _memcached(directory, stack)}

    def document(own: str, *secrets: str) -> Mapping[str, object]:
        storages = _storages_with_objects(root, directory / own, bucket, secrets)
        return {"storages": storages, "caches": fleet, "limits": _PATIENT}

    with stack:
        one, two = (
            stack.enter_context(thumb_server(document(own, SECRET, OLD_SECRET), directory / own, workers=_WORKERS))
            for own in ("a", "b")
        )
        through = stack.enter_context(nginx(directory / "nginx", [one.port, two.port], parts=["cache"]))
        old = [Ending(signed("90x60/lasting.jpg", OLD_SECRET, storage=f"{kind}-signed"), 403) for kind in _KINDS]
        firsts = _served(old, [one, two], through)
        reload(one, document("a", SECRET))
        reload(two, document("b", SECRET))
        files = [each for kind in _KINDS for each in _endings(kind)]
        firsts |= _served(files, [one, two], through)
        end, expiring = served_in_time(
            [f"{kind}-signed" for kind in _KINDS],
            lambda endings: firsts.update(_served(endings, [one, two], through)),
        )
        eventually(lambda: all(len(bucket.keys(f"mage/{kind}-kept/")) == 4 for kind in _KINDS))

        _end_files(root, originals / "noise.jpg", directory / "a", [f"{kind}-kept" for kind in _KINDS])
        for each in files:  # nginx may take what one machine still has, and keep it for as long as that says
            through.get(each.path, headers={"Accept": each.accept})
        _await_ends(files, [one, two], firsts)
        time.sleep(max(_FEED_SECONDS, end - time.time()))
        _check_all_are_over([one, two], through, firsts, expiring)
        # And by a machine that starts with empty disks, when all has happened.
        with thumb_server(document("c", SECRET), directory / "c") as three:
            for each, first in firsts.items():
                assert each.is_over(three, first), f"{each.path} came from a new machine"


# ---------------------------------------------------------------------------------------------- both


def _served(endings: Sequence[Ending], machines: Sequence[Server], through: Server) -> dict[Ending, First]:
    """What is served before the end, when every worker has it in every layer, and nginx has it."""
    firsts = {each: each.first(machines[0]) for each in endings}
    for server in [*[*machines] * 3 * _WORKERS, through]:
        assert {each: each.first(server) for each in endings} == firsts
    return firsts


def _end_files(root: Path, other: Path, own: Path, purged: Sequence[str]) -> None:
    """Delete originals, replace others by `other`, and purge some of both beside the server in `own`."""
    for name in ("purged", "varying", "deleted", "renewed"):
        (root / f"{name}.jpg").unlink()
    for name in ("replaced", "changed"):
        shutil.copy(other, root / f"{name}.jpg")
    purge(own, purged, ["purged.jpg", "varying.jpg", "replaced.jpg"])


def _await_ends(endings: Sequence[Ending], machines: Sequence[Server], firsts: Mapping[Ending, First]) -> None:
    """Until every machine has noticed: what was deleted without a purge, at the first request after its lifetime."""

    def is_noticed(each: Ending) -> bool:
        answers = [server.get(each.path, headers={"Accept": each.accept}) for server in machines]
        return all(answer.status == each.status and answer.body != firsts[each][0] for answer in answers)

    for each in endings:
        eventually(lambda each=each: is_noticed(each))  # type: ignore[misc]


def _check_all_are_over(
    machines: Sequence[Server], through: Server, firsts: Mapping[Ending, First], expiring: Sequence[Ending]
) -> None:
    over = time.monotonic()
    for seconds in _AFTER_SECONDS:
        time.sleep(max(0.0, over + seconds - time.monotonic()))
        for each, first in firsts.items():
            # Past the lifetime of its copy nginx must agree; a URL's own end it knows at once.
            agrees = seconds > _KEPT_SECONDS + 2 or each in expiring
            for server in (*machines, *([through] if agrees else [])):
                assert each.is_over(server, first), f"{each.path} came from {server.name} {seconds} s later"


def test_what_one_server_finds_deleted_the_other_one_does_not_serve_stale(originals: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    for name in ("gone", "left"):  # a directory that lost all of its files would count as not mounted
        shutil.copy(originals / "quarters.jpg", root / f"{name}.jpg")
    storages = [each for each in _storages(root, tmp_path / "caches", [SECRET]) if each["name"] == "stale"]
    document = {"storages": storages, "run_dir": str(tmp_path / "run"), "limits": _PATIENT}
    paths = [f"stale/thumbs/{size}/gone.jpg" for size in ("90x60", "91x60")]
    with thumb_server(document, tmp_path / "a") as first, thumb_server(document, tmp_path / "b") as second:
        assert [server.get(path).status for server in (first, second) for path in paths] == [200] * 4
        (root / "gone.jpg").unlink()
        eventually(lambda: first.get(paths[0]).status == 404)
        time.sleep(1)  # by then every process of the machine has read it
        assert [server.get(path).status for server in (second, first) for path in paths] == [404] * 4


def test_every_good_answer_to_a_url_that_expires_says_how_long_that_is(originals: Path, tmp_path: Path) -> None:
    control = "public, s-maxage=86400, stale-if-error=86400"
    layers = {"cached": {"memory": {"enabled": True, "max_size_mb": 16}}, "uncached": {}}
    storages = [{**local_storage(name, originals, **cache), "cache_control": control} for name, cache in layers.items()]
    with thumb_server({"storages": storages, "limits": _PATIENT}, tmp_path / "mage") as server:
        for name in layers:
            path = f"{name}/thumbs/90x60/filters:expires({int(time.time()) + 600})/quarters.jpg"
            etag = server.get(path).headers["etag"]
            answers = [
                server.get(path),
                server.get(path, method="HEAD"),
                server.get(path, headers={"If-None-Match": etag}),
                server.get(path, method="HEAD", headers={"If-None-Match": etag}),
            ]
            assert [answer.status for answer in answers] == [200, 200, 304, 304], name
            for answer in answers:
                assert 0 < int(answer.headers["cache-control"].removeprefix("public, max-age=")) <= 600, name
                assert "date" in answer.headers, name
