"""What is particular to S3, held against an S3 server: versions, credentials, clients of a site's own."""

import os
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from storages.backends.s3 import S3Storage

from tests.support.source_fixtures import (
    DATA,
    DEADLINE,
    KEYS,
    MAX_BYTES,
    BucketClient,
    Put,
)
from thumbs.errors import SourceMissing, StorageFailed
from thumbs.sources.s3.source import S3Settings, S3Source
from thumbs.sources.storages.django_storage import StorageSource


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers of the tests are on the loopback, and are reached without a proxy."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def test_a_bucket_that_is_not_there_is_a_failure(moto: str) -> None:
    described = S3Settings("no-such-bucket", access_key=KEYS[0], secret_key=KEYS[1], base_url=moto)
    source = S3Source(described, max_bytes=MAX_BYTES, deadline=DEADLINE)
    for call in (lambda: source.read("tom.jpg"), lambda: source.version("tom.jpg"), source.ready):
        with pytest.raises(StorageFailed):
            call()


def test_without_credentials_anywhere_s3_is_a_failure(moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(StorageFailed):
        S3Source(S3Settings("pictures"), max_bytes=MAX_BYTES, deadline=DEADLINE).read("tom.jpg")


@pytest.mark.parametrize("way", ["environment", "profile", "role"])
def test_without_keys_of_its_own_boto3s_chain_finds_them(
    moto: str,
    bucket: tuple[str, Put],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    way: str,
) -> None:
    name, put = bucket
    put("tom.jpg", DATA)
    for variable in [variable for variable in os.environ if variable.startswith("AWS_")]:
        monkeypatch.delenv(variable)
    if way == "environment":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEYS[0])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS[1])
    elif way == "role":
        (tmp_path / "token").write_text("a signed token")
        monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pictures")
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    else:
        lines = ["[pictures]", f"aws_access_key_id = {KEYS[0]}", f"aws_secret_access_key = {KEYS[1]}"]
        (tmp_path / "credentials").write_text("\n".join(lines))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
        monkeypatch.setenv("AWS_PROFILE", "pictures")
    source = S3Source(S3Settings(name, base_url=moto), max_bytes=MAX_BYTES, deadline=DEADLINE)
    assert source.read("tom.jpg").data == DATA


def test_a_version_id_is_part_of_the_version(moto: str, client: BucketClient, bucket: tuple[str, Put]) -> None:
    name, put = bucket
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    described = S3Settings(name, access_key=KEYS[0], secret_key=KEYS[1], base_url=moto)
    source = S3Source(described, max_bytes=MAX_BYTES, deadline=DEADLINE)
    put("tom.jpg", DATA)
    before = source.read("tom.jpg").version
    put("tom.jpg", DATA)
    assert before.token
    assert "@" in before.token
    assert source.version("tom.jpg").token != before.token


# The storage itself leaves a temporary file to the garbage collector when it unpacks.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_s3_storage_that_unpacks_is_read_in_its_own_way(moto: str, bucket: tuple[str, Put]) -> None:
    name, _ = bucket
    storage = S3Storage(
        bucket_name=name,
        endpoint_url=moto,
        access_key=KEYS[0],
        secret_key=KEYS[1],
        addressing_style="path",
        gzip=True,
        gzip_content_types=("image/svg+xml",),
    )
    picture = b"<svg xmlns='http://www.w3.org/2000/svg'/>" * 50
    storage.save("tom.svg", ContentFile(picture))
    source = StorageSource(lambda: storage, max_bytes=MAX_BYTES, deadline=DEADLINE)
    assert source.read("tom.svg").data == picture
    assert source.version("tom.svg").token
    with pytest.raises(SourceMissing):
        source.read("nothing.svg")


def test_reading_an_s3_storage_leaves_the_sites_own_client_alone(moto: str, bucket: tuple[str, Put]) -> None:
    name, put = bucket
    put("tom.jpg", DATA)
    storage = S3Storage(
        bucket_name=name, endpoint_url=moto, access_key=KEYS[0], secret_key=KEYS[1], addressing_style="path"
    )
    assert StorageSource(lambda: storage, max_bytes=MAX_BYTES, deadline=DEADLINE).read("tom.jpg").data == DATA
    assert not hasattr(storage._connections, "connection")
    assert storage.client_config.retries is None
