"""Servers that have a bucket in common, and nothing else: each is a machine with a disk and a `run_dir` of its own."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from tests.support import servers
from tests.support.prometheus import samples
from tests.support.servers import Server
from tests.support.source_fixtures import KEYS

# A busy machine is not what is tested: where a fault is not, nothing may take too long.
PATIENT_MS = 30_000


@dataclass(frozen=True)
class Bucket:
    """A bucket at `endpoint`, where a test looks into it. A server may have another way there."""

    endpoint: str
    name: str

    @classmethod
    def made(cls, endpoint: str) -> "Bucket":
        bucket = cls(endpoint, f"thumbnails-{uuid.uuid4().hex}")
        bucket._client().create_bucket(Bucket=bucket.name)
        return bucket

    def keys(self, prefix: str = "") -> list[str]:
        found = self._client().list_objects_v2(Bucket=self.name, Prefix=prefix)
        return [each["Key"] for each in found.get("Contents", ())]

    def read(self, key: str) -> bytes:
        data: bytes = self._client().get_object(Bucket=self.name, Key=key)["Body"].read()
        return data

    def write(self, key: str, data: bytes) -> None:
        self._client().put_object(Bucket=self.name, Key=key, Body=data)

    def delete(self, key: str) -> None:
        self._client().delete_object(Bucket=self.name, Key=key)

    def conf(self, url: str = "") -> dict[str, object]:
        """The storage that the layers of others are in."""
        keys = {"access_key": KEYS[0], "secret_key": KEYS[1], "base_url": url or self.endpoint}
        return {"name": "bucket", "driver": "s3", "bucket": self.name, "allowed_sizes": ["1x1"], **keys}

    def _client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=KEYS[0],
            aws_secret_access_key=KEYS[1],
        )


def objects(**keys: object) -> dict[str, object]:
    """`cache.objects` of a storage."""
    return {"storage": "bucket", "timeout_ms": PATIENT_MS, "poll_seconds": 1, **keys}


@contextmanager
def machine(directory: Path, storages: Sequence[Mapping[str, object]], **document: object) -> Iterator[Server]:
    directory.mkdir(exist_ok=True)
    limits = {"queue_seconds": 120, "fetch_seconds": 120, "render_seconds": 120}
    whole = {"storages": storages, "metrics": True, "limits": limits, "run_dir": str(directory / "run"), **document}
    with servers.standalone(whole, directory, worker=servers.OUR_WORKER) as server:
        yield server


def layer(server: Server, path: str) -> str:
    answer = server.get(path)
    assert answer.status == 200, answer.body
    return answer.headers["server-timing"].split('"')[1]


def renders(server: Server) -> float:
    text = server.get("metrics").body.decode()
    return samples(text, "mage_stage_seconds_count").get(("render",), 0)


def is_up(server: Server, storage: str = "photos") -> float:
    return samples(server.get("metrics").body.decode(), "mage_cache_layer_up")["objects", storage]
