"""Object stores on real servers, and cache layers in them."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.files.storage import Storage

from tests.support import remote_stores
from tests.support.clock import Clock
from tests.support.google_server import google_server
from tests.support.source_fixtures import KEYS
from thumbs.cache.objects.alone import SharingObjectLayer
from thumbs.cache.objects.bounded_store import BoundedStore
from thumbs.cache.objects.layer import Lifetimes, ObjectLayer
from thumbs.cache.objects.names import Names
from thumbs.sources.object_store import ObjectStore
from thumbs.sources.s3.objects import S3Objects
from thumbs.sources.s3.settings import S3Http, S3Settings
from thumbs.sources.s3.source import S3Source
from thumbs.sources.storages.object_stores import store_of

OpenStore = Callable[[], ObjectStore | None]
# Seconds for one call. A busy machine is not what is tested.
SECONDS = 60.0
KINDS = ("s3", "storage-s3", "storage-s3 below", "google", "google below", "google-conditions", "azure", "azure below")


def bucket_store(endpoint: str, bucket: str) -> S3Objects:
    http = S3Http(connect_timeout_sec=SECONDS, response_header_timeout_sec=SECONDS)
    settings = S3Settings(bucket, access_key=KEYS[0], secret_key=KEYS[1], base_url=endpoint, http=http)
    return S3Objects(S3Source(settings, max_bytes=0, deadline=SECONDS))


@contextmanager
def opened(kind: str, request: pytest.FixtureRequest, directory: Path, *, azurite: str = "") -> Iterator[OpenStore]:
    """A store of one of `KINDS`, which is empty. It needs the fixtures of `buckets`.

    `azurite` is a fixture: what connects to a server that is there. Without it, `azure` starts one.
    """
    name, _, below = kind.partition(" ")
    location = "cache/of/mage/" if below else ""
    if name == "google-conditions":
        with google_server() as google, pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", google.url)
            yield lambda: store_of(remote_stores.google_storage(location))
        return
    if name == "azure" and azurite:
        connection = request.getfixturevalue(azurite)
        _, open_container = remote_stores.azure_container(location, connection, f"pictures-{uuid.uuid4().hex}")
        yield lambda: store_of(open_container())
        return
    if name in ("google", "azure"):
        with pytest.MonkeyPatch.context() as monkeypatch:
            server = remote_stores.google(location, monkeypatch) if name == "google" else None
            with server or remote_stores.azure(location, directory) as (_, open_storage):
                yield lambda: store_of(open_storage())
        return
    endpoint, (bucket, _put) = request.getfixturevalue("moto"), request.getfixturevalue("bucket")
    if name == "s3":
        yield lambda: bucket_store(endpoint, bucket)
    else:
        yield lambda: store_of(s3_storage(endpoint, bucket, location))


def s3_storage(endpoint: str, bucket: str, location: str) -> Storage:
    from storages.backends.s3 import S3Storage  # noqa: PLC0415 - it needs an extra

    storage: Storage = S3Storage(
        bucket_name=bucket,
        location=location,
        endpoint_url=endpoint,
        access_key=KEYS[0],
        secret_key=KEYS[1],
        addressing_style="path",
    )
    return storage


def object_layer(
    open_store: OpenStore,
    clock: Clock,
    *,
    kind: type[ObjectLayer] = SharingObjectLayer,
    times: Lifetimes | None = None,
    scope: str = "",
) -> ObjectLayer:
    """A layer below a prefix of its own, or of `scope`: that of a machine which shares it with another one."""
    times = times or Lifetimes(ttl=3000, timeout=SECONDS, poll=30, keep=1000)
    return kind(BoundedStore(open_store), Names("mage/", scope or uuid.uuid4().hex), times, clock=clock)
