"""Sources with a function that stores originals for them: the contract of sources is tested with each."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.conf import settings

# A conftest that names a settings module comes first; alone, these tests need only Django's defaults.
if not settings.configured and "DJANGO_SETTINGS_MODULE" not in os.environ:
    settings.configure()

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, InMemoryStorage, Storage

from tests.support.servers import MOTO_SERVER
from tests.support.waiting import LONG_WAIT_SECONDS, WAIT_SECONDS, eventually
from thumbs.sources.local import LocalSource
from thumbs.sources.s3.source import S3Settings, S3Source
from thumbs.sources.source import Source
from thumbs.sources.storages.django_storage import StorageSource

MAX_BYTES = 1 << 22
DEADLINE = 20.0
DATA = bytes(range(256)) * 20
KEYS = ("AKIATEST", "test-secret")
Put = Callable[[str, bytes], None]


class BucketClient(Protocol):
    """The part of boto3's client that prepares a bucket."""

    def create_bucket(self, *, Bucket: str) -> object: ...  # noqa: N803

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> object: ...  # noqa: N803

    def put_bucket_versioning(self, *, Bucket: str, VersioningConfiguration: dict[str, str]) -> object: ...  # noqa: N803

    def close(self) -> None: ...


@dataclass(frozen=True)
class SourceFixture:
    """A way to store originals, and the source that reads them. No error may contain one of `secrets`."""

    source: Callable[[int], Source]
    put: Put
    secrets: tuple[str, ...]


def disk_fixture(kind: str, root: Path) -> SourceFixture:
    root.mkdir()

    def put(name: str, data: bytes) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)

    def source(max_bytes: int) -> Source:
        if kind == "local":
            return LocalSource(str(root), max_bytes=max_bytes, deadline=DEADLINE)
        return StorageSource(lambda: FileSystemStorage(str(root)), max_bytes=max_bytes, deadline=DEADLINE)

    return SourceFixture(source, put, (str(root), root.name))


def memory_fixture() -> SourceFixture:
    storage = InMemoryStorage(location="/memory-of-pictures")

    def put(name: str, data: bytes) -> None:
        if storage.exists(name):
            storage.delete(name)
        assert storage.save(name, ContentFile(data)) == name

    def source(max_bytes: int) -> Source:
        return StorageSource(lambda: storage, max_bytes=max_bytes, deadline=DEADLINE)

    return SourceFixture(source, put, ("memory-of-pictures",))


def s3_fixture(kind: str, endpoint: str, name: str, put: Put) -> SourceFixture:
    secrets = (endpoint, endpoint.removeprefix("http://"), name, *KEYS)
    if kind == "s3":
        described = S3Settings(name, access_key=KEYS[0], secret_key=KEYS[1], base_url=endpoint)
        return SourceFixture(lambda size: S3Source(described, max_bytes=size, deadline=DEADLINE), put, secrets)

    from storages.backends.s3 import S3Storage  # noqa: PLC0415 - it needs an extra

    def open_storage() -> Storage:
        storage: Storage = S3Storage(
            bucket_name=name,
            location="media",
            endpoint_url=endpoint,
            access_key=KEYS[0],
            secret_key=KEYS[1],
            addressing_style="path",
        )
        return storage

    return SourceFixture(
        lambda size: StorageSource(open_storage, max_bytes=size, deadline=DEADLINE),
        lambda key, data: put(f"media/{key}", data),
        secrets,
    )


@contextmanager
def running_moto() -> Iterator[str]:
    """The endpoint of a real S3-compatible server in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", str(MOTO_SERVER), "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(WAIT_SECONDS)


def _wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    def listens() -> bool:
        assert server.poll() is None, "moto_server did not start"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True

    eventually(listens, seconds=LONG_WAIT_SECONDS)
