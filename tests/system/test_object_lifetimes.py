"""What expired, was revoked, deleted, replaced or purged is not served again by any machine with an object layer.

Two machines share the objects, and nothing else or also memcached, which then has the feed of purges. As in
`test_lifetimes`, lifetimes are asserted only in the direction that a busy machine cannot change.
"""

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.deployed import nginx, reload, thumb_server
from tests.support.endings import Ending, signed
from tests.support.fronts import OLD_SECRET, SECRET
from tests.support.object_sites import Bucket, machine, objects
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

First = tuple[bytes, str]


def _storages(
    root: Path, own: Path, bucket: Bucket, secrets: Sequence[str], kinds: Sequence[str] = _KINDS
) -> list[Mapping[str, object]]:
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
    for kind in kinds:
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


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Mapping[str, object]]:
    """`caches` of a document: memcached. A busy machine is not what is tested."""
    backend = "django.core.cache.backends.memcached.PyMemcacheCache"
    with servers.memcached(tmp_path) as port:
        options = {"connect_timeout": 20, "timeout": 20}
        yield {"fleet": {"backend": backend, "location": f"127.0.0.1:{port}", "options": options}}


@pytest.mark.slow
def test_nothing_that_is_over_is_served_again_by_any_machine_or_past_its_lifetime_by_nginx(
    moto: str, fleet: Mapping[str, object], originals: Path, tmp_path: Path
) -> None:
    root, bucket = tmp_path / "root", Bucket.made(moto)
    root.mkdir()
    for name in _NAMES:
        shutil.copy(originals / "quarters.jpg", root / f"{name}.jpg")

    def document(own: str, *secrets: str) -> Mapping[str, object]:
        limits = {"queue_seconds": 120, "fetch_seconds": 120, "render_seconds": 120}
        return {"storages": _storages(root, tmp_path / own, bucket, secrets), "caches": fleet, "limits": limits}

    with ExitStack() as stack:
        one, two = (
            stack.enter_context(thumb_server(document(own, SECRET, OLD_SECRET), tmp_path / own, workers=_WORKERS))
            for own in ("a", "b")
        )
        through = stack.enter_context(nginx(tmp_path / "nginx", [one.port, two.port], parts=["cache"]))
        old = _signed("90x60/lasting.jpg", OLD_SECRET, 403)
        firsts = _served(old, [one, two], through)
        reload(one, document("a", SECRET))
        reload(two, document("b", SECRET))
        files = [each for kind in _KINDS for each in _endings(kind)]
        firsts |= _served(files, [one, two], through)
        end = int(time.time()) + 30  # enough for few requests on a busy machine
        expiring = _signed(f"90x60/filters:expires({end})/lasting.jpg", SECRET, 410)
        firsts |= _served(expiring, [one, two], through)
        eventually(lambda: all(len(bucket.keys(f"mage/{kind}-kept/")) == 4 for kind in _KINDS))

        _end_files(root, originals / "noise.jpg", tmp_path / "a")
        for each in files:  # nginx may take what one machine still has, and keep it for as long as that says
            through.get(each.path, headers={"Accept": each.accept})
        _await_ends(files, [one, two], firsts)
        time.sleep(max(_FEED_SECONDS, end - time.time()))
        _check_all_are_over([one, two], through, firsts, expiring)
        # And by a machine that starts with empty disks, when all has happened.
        with thumb_server(document("c", SECRET), tmp_path / "c") as three:
            for each, first in firsts.items():
                assert each.is_over(three, first), f"{each.path} came from a new machine"


def _signed(rest: str, secret: str, status: int) -> list[Ending]:
    return [Ending(signed(rest, secret, storage=f"{kind}-signed"), status) for kind in _KINDS]


def _served(endings: Sequence[Ending], machines: Sequence[Server], through: Server) -> dict[Ending, First]:
    """What is served before the end, when every worker has it in every layer, and nginx has it."""
    firsts = {each: each.first(machines[0]) for each in endings}
    for server in [*[*machines] * 3 * _WORKERS, through]:
        assert {each: each.first(server) for each in endings} == firsts
    return firsts


def _end_files(root: Path, other: Path, own: Path) -> None:
    """Delete originals, replace others by `other`, and purge some of both beside the server in `own`."""
    for name in ("purged", "varying", "deleted", "renewed"):
        (root / f"{name}.jpg").unlink()
    for name in ("replaced", "changed"):
        shutil.copy(other, root / f"{name}.jpg")
    purge(own, [f"{kind}-kept" for kind in _KINDS], ["purged.jpg", "varying.jpg", "replaced.jpg"])


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


def test_an_object_that_is_written_after_its_purge_is_served_by_no_machine(
    moto: str, originals: Path, tmp_path: Path
) -> None:
    """A machine that is cut off from the bucket's feed, or was about to write, may put an object back."""
    root, bucket = tmp_path / "root", Bucket.made(moto)
    root.mkdir()
    shutil.copy(originals / "quarters.jpg", root / "purged.jpg")
    shutil.copy(originals / "quarters.jpg", root / "other.jpg")
    path = "alone-kept/thumbs/90x60/purged.jpg"

    def storages(own: str) -> list[Mapping[str, object]]:
        return _storages(root, tmp_path / own, bucket, [SECRET], ["alone"])

    with machine(tmp_path / "a", storages("a")) as one:
        assert one.get(path).status == 200
        eventually(lambda: len(bucket.keys("mage/alone-kept/")) == 1)
        (key,) = bucket.keys("mage/alone-kept/")
        data = bucket.read(key)
        (root / "purged.jpg").unlink()
        purge(tmp_path / "a", ["alone-kept"], ["purged.jpg"])
        assert bucket.keys("mage/alone-kept/") == []
        bucket.write(key, data)
        eventually(lambda: one.get(path).status == 404)
        for name in ("b", "c"):
            with machine(tmp_path / name, storages(name)) as later:
                assert {later.get(path).status for _ in range(3)} == {404}
        assert bucket.keys("mage/alone-kept/") == [key]
