"""The credentials of an instance's role, which boto3 fetches from a service that may not answer."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.utils import InstanceMetadataFetcher
from storages.backends.s3 import S3Storage

from tests.support.misbehaving import MisbehavingStore
from tests.support.s3_sources import MAX_BYTES, outcome
from tests.support.waiting import WAIT_SECONDS
from thumbs.errors import StorageFailed
from thumbs.sources.s3 import source as s3_source
from thumbs.sources.s3.source import S3Settings, S3Source
from thumbs.sources.source import Source
from thumbs.sources.storages.django_storage import StorageSource


class Metadata:
    """The metadata service of an instance. `lookups` counts the requests; it gives no credentials until `answers`."""

    def __init__(self) -> None:
        self.answers = False
        self.lookups = 0

    def credentials(self) -> dict[str, str]:
        self.lookups += 1
        if not self.answers:
            return {}
        expiry = datetime.now(UTC) + timedelta(hours=6)
        keys = {"access_key": "AKIATEST", "secret_key": "test-secret", "token": "a-token"}
        return {**keys, "role_name": "pictures", "expiry_time": expiry.isoformat()}


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch) -> Metadata:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    service = Metadata()
    monkeypatch.setattr(InstanceMetadataFetcher, "retrieve_iam_role_credentials", service.credentials)
    return service


@pytest.fixture
def store() -> Iterator[MisbehavingStore]:
    with MisbehavingStore() as store:
        yield store


def driver(url: str) -> Source:
    return S3Source(S3Settings("bucket", base_url=url), max_bytes=MAX_BYTES, deadline=WAIT_SECONDS)


def storage(url: str, **options: object) -> Source:
    made = S3Storage(bucket_name="bucket", endpoint_url=url, addressing_style="path", **options)
    return StorageSource(lambda: made, max_bytes=MAX_BYTES, deadline=WAIT_SECONDS)


kinds = pytest.mark.parametrize("open_source", [driver, storage])


@kinds
def test_credentials_that_could_not_be_fetched_are_looked_for_again(
    metadata: Metadata, store: MisbehavingStore, monkeypatch: pytest.MonkeyPatch, open_source: Callable[[str], Source]
) -> None:
    monkeypatch.setattr(s3_source, "_LOOKUP_SECONDS", 0.0)
    source = open_source(store.url)
    assert outcome(source.read, "tom.jpg") is StorageFailed
    assert store.targets == []
    metadata.answers = True
    assert source.read("tom.jpg").data == store.body
    found = metadata.lookups
    source.read("tom.jpg")
    assert metadata.lookups == found


@kinds
def test_reads_soon_after_a_look_up_without_credentials_fail_without_another(
    metadata: Metadata, store: MisbehavingStore, monkeypatch: pytest.MonkeyPatch, open_source: Callable[[str], Source]
) -> None:
    monkeypatch.setattr(s3_source, "_LOOKUP_SECONDS", WAIT_SECONDS * 60)
    source = open_source(store.url)
    assert outcome(source.read, "tom.jpg") is StorageFailed
    looked_up = metadata.lookups
    for call in (source.read, source.version):
        assert outcome(call, "tom.jpg") is StorageFailed
    assert metadata.lookups == looked_up > 0


def test_a_public_bucket_is_read_without_credentials(metadata: Metadata, store: MisbehavingStore) -> None:
    source = storage(store.url, client_config=Config(signature_version=UNSIGNED, s3={"addressing_style": "path"}))
    assert source.read("tom.jpg").data == store.body
    looked_up = metadata.lookups
    assert source.read("tom.jpg").data == store.body
    assert metadata.lookups == looked_up
