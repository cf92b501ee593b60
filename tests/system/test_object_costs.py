"""Requests to the bucket of an object layer: as many as the table of docs/deployment.md says, as each has a price."""

import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.bucket_front import BucketFront, bucket_front
from tests.support.object_sites import Bucket, layer, machine, objects, renders
from tests.support.purging import purge
from tests.support.waiting import eventually

# Longer than what follows a renewal takes on a busy machine.
_BRIEF_SECONDS = 8
_KINDS = {"GET": "reads", "PUT": "writes", "POST": "deletions", "DELETE": "deletions"}


def counted(front: BucketFront, storage: str, since: int) -> dict[str, int]:
    """Requests about the objects of `storage` since that number of them; not its feed, which is read at intervals."""
    found: Counter[str] = Counter()
    for method, target in front.asked[since:]:
        is_listing = "list-type=2" in target
        if f"mage%2F{storage}%2F" in target if is_listing else f"/mage/{storage}" in target or "?delete" in target:
            found["listings" if is_listing else _KINDS[method]] += 1
    return dict(found)


@pytest.fixture
def front(moto: str) -> Iterator[BucketFront]:
    with bucket_front(moto) as made:
        yield made


def test_the_table_of_prices_counts_all_requests(
    moto: str, front: BucketFront, originals: Path, tmp_path: Path
) -> None:
    root, bucket = tmp_path / "root", Bucket.made(moto)
    root.mkdir()
    shutil.copy(originals / "quarters.jpg", root / "quarters.jpg")
    backend = "django.core.cache.backends.memcached.PyMemcacheCache"
    with servers.memcached(tmp_path) as port:
        options = {"connect_timeout": 20, "timeout": 20}
        caches = {"fleet": {"backend": backend, "location": f"127.0.0.1:{port}", "options": options}}

        def storage(name: str, **cache: object) -> Mapping[str, object]:
            layers = {"objects": objects(poll_seconds=30), **cache}
            return {"name": name, "driver": "local", "root": str(root), "cache": layers}

        storages = [
            storage("brief", disk={"ttl_seconds": _BRIEF_SECONDS}),
            storage("lasting"),
            storage("fed", shared={"alias": "fleet"}),
            bucket.conf(front.url),
        ]
        with machine(tmp_path / "a", storages, caches=caches) as server:

            def cost(storage: str, expected_layer: str, *, of: Mapping[str, int]) -> None:
                """One request costs what `of` says, and no more: writes are in the background."""
                since = len(front.asked)
                assert layer(server, f"{storage}/thumbs/90x60/quarters.jpg") == expected_layer
                eventually(lambda: sum(counted(front, storage, since).values()) >= sum(of.values()))
                time.sleep(0.3)
                assert counted(front, storage, since) == of, (storage, expected_layer)

            cost("lasting", "source", of={"reads": 2, "writes": 2, "deletions": 1})
            cost("fed", "source", of={"reads": 2, "writes": 1})
            eventually(lambda: any("lasting~feed" in target for _, target in front.asked))
            cost("lasting", "objects", of={"reads": 1})
            cost("brief", "source", of={"reads": 2, "writes": 2, "deletions": 1})
            before = renders(server)
            time.sleep(_BRIEF_SECONDS)
            cost("brief", "source", of={"reads": 6, "writes": 1, "deletions": 1})
            cost("brief", "objects", of={"reads": 1})  # the process knows what it has just renewed
            assert renders(server) == before
            since = len(front.asked)
            purge(tmp_path / "a", ["lasting", "fed"], ["quarters.jpg"])
            assert counted(front, "lasting", since) == {"writes": 2, "listings": 2, "deletions": 2}  # of both storages
            assert counted(front, "fed", since) == {"writes": 1, "listings": 2, "deletions": 2}
