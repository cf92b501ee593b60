"""A bucket that denies one object, or all: what clients get, what stays in the cache, what is logged and counted."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from tests.support import servers
from tests.support.bucket_front import BucketFront, bucket_front, everything, listing
from tests.support.prometheus import samples
from tests.support.source_fixtures import KEYS, running_moto
from tests.support.waiting import eventually

TOM = "s3/thumbs/90x60/tom.jpg"
NONE = "s3/thumbs/90x60/none.jpg"


@dataclass
class Bucket:
    """A server that reads from a bucket, whose front denies what a test says."""

    server: servers.Server
    front: BucketFront

    def status(self, path: str) -> tuple[int, str | None]:
        answer = self.server.get(path)
        return answer.status, answer.headers.get("x-cache")

    def counted(self, name: str) -> dict[tuple[str, ...], float]:
        return samples(self.server.get("metrics").body.decode(), name)

    @property
    def log(self) -> str:
        return self.server.log.read_text()


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_moto() as found:
        yield found


@contextmanager
def serving(endpoint: str, directory: Path, originals: Path, **storage: object) -> Iterator[Bucket]:
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=KEYS[0], aws_secret_access_key=KEYS[1]
    )
    name = directory.name.lower().replace("_", "-")[:60].strip("-")
    client.create_bucket(Bucket=name)
    for key in ("tom.jpg", "secret.jpg", "probe.jpg"):
        client.put_object(Bucket=name, Key=key, Body=(originals / "quarters.jpg").read_bytes())
    client.close()
    with bucket_front(endpoint) as front:
        conf: dict[str, object] = {"name": "s3", "driver": "s3", "bucket": name, "base_url": front.url, **storage}
        conf |= {"access_key": KEYS[0], "secret_key": KEYS[1]}
        disk = {"enabled": True, "dir": str(directory / "disk"), "ttl_seconds": 1, "stale_seconds": 3600}
        conf["cache"] = {"disk": disk}
        document = {"storages": [conf], "metrics": True}
        with servers.standalone(document, directory, worker=servers.OUR_WORKER) as server:
            yield Bucket(server, front)


def denies(*keys: str) -> "object":
    return lambda _, target: any(f"/{key}" in target for key in keys)


@pytest.mark.parametrize("bare", [False, True])
def test_one_denied_object_is_404_and_logged_and_counted(
    endpoint: str, tmp_path: Path, originals: Path, bare: bool
) -> None:
    with serving(endpoint, tmp_path, originals) as bucket:
        bucket.front.denies, bucket.front.bare = denies("secret.jpg"), bare  # type: ignore[assignment]
        answer = bucket.server.get("s3/thumbs/90x60/secret.jpg", headers={"X-Request-ID": "of-the-test"})
        assert (answer.status, b"source-missing" in answer.body) == (404, True)
        assert bucket.status(NONE)[0] == 404
        assert bucket.status(TOM)[0] == 200
        assert bucket.counted("mage_storage_errors_total") == {("storage-denied", "s3"): 1}
        (line,) = [line for line in bucket.log.splitlines() if "storage-denied" in line]
        assert "storage s3: " in line
        assert "key secret.jpg, request of-the-test, code storage-denied" in line


def test_a_denied_bucket_is_502_and_takes_no_stale_copy_away(endpoint: str, tmp_path: Path, originals: Path) -> None:
    with serving(endpoint, tmp_path, originals) as bucket:
        assert bucket.status(TOM) == (200, "MISS")
        bucket.front.denies = everything
        eventually(lambda: bucket.status(TOM) == (200, "STALE"))
        eventually(lambda: bucket.counted("mage_storage_errors_total").get(("storage-denied", "s3"), 0) > 0)
        eventually(lambda: "a stale thumbnail is not renewed" in bucket.log)
        assert bucket.status(TOM) == (200, "STALE")
        assert bucket.status("s3/thumbs/80x50/tom.jpg")[0] == 502
        eventually(lambda: bucket.counted("mage_storage_up") == {("s3",): 0})
        ready = bucket.server.get("ready")
        assert (ready.status, b'"s3": "denied"' in ready.body) == (200, True)
        bucket.front.denies = lambda *_: False
        eventually(lambda: bucket.counted("mage_storage_up") == {("s3",): 1})
        eventually(lambda: bucket.status(TOM) == (200, "HIT"))
        assert "storage s3 can be reached again" in bucket.log


@pytest.mark.parametrize(("probe", "status"), [({}, 502), ({"probe_key": "probe.jpg"}, 404)])
def test_where_listing_is_denied_a_probe_key_tells_a_denied_object_from_a_denied_bucket(
    endpoint: str, tmp_path: Path, originals: Path, probe: dict[str, object], status: int
) -> None:
    with serving(endpoint, tmp_path, originals, **probe) as bucket:
        denied = denies("secret.jpg")
        bucket.front.denies = lambda method, target: listing(method, target) or denied(method, target)  # type: ignore[operator]
        assert bucket.status("s3/thumbs/90x60/secret.jpg")[0] == status
        # Once an original was read, that one is probed.
        assert bucket.status(TOM)[0] == 200
        eventually(lambda: bucket.status("s3/thumbs/70x50/secret.jpg")[0] == 404)
