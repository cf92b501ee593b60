"""A bucket is listed by the rule of all sources, page after page."""

import boto3
import pytest
from storages.backends.s3 import S3Storage

from tests.support.listings import NAMES, PREFIXES, source_of
from tests.support.source_fixtures import DEADLINE, KEYS, MAX_BYTES
from thumbs.errors import StorageFailed
from thumbs.sources.s3.source import S3Settings, S3Source


@pytest.fixture(scope="module")
def bucket(s3: str) -> str:
    """A bucket of more than one page, with a folder as consoles make them."""
    client = boto3.client(
        "s3", endpoint_url=s3, aws_access_key_id=KEYS[0], aws_secret_access_key=KEYS[1], region_name="us-east-1"
    )
    client.create_bucket(Bucket="listed")
    for name in [*NAMES, *(f"many/{number:03}.jpg" for number in range(260)), "many/"]:
        client.put_object(Bucket="listed", Key=name, Body=b"")
    client.close()
    return s3


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_bucket_is_listed_by_the_same_rule(bucket: str, prefix: str) -> None:
    settings = S3Settings("listed", access_key=KEYS[0], secret_key=KEYS[1], base_url=bucket)
    source = S3Source(settings, max_bytes=MAX_BYTES, deadline=DEADLINE)
    everything = [*NAMES, *(f"many/{number:03}.jpg" for number in range(260))]
    assert sorted(source.paths(prefix)) == sorted(name for name in everything if name.startswith(prefix))


def test_a_storage_within_a_bucket_lists_the_names_it_reads(bucket: str) -> None:
    storage = S3Storage(
        bucket_name="listed",
        location="many",
        endpoint_url=bucket,
        addressing_style="path",
        access_key=KEYS[0],
        secret_key=KEYS[1],
    )
    assert len(list(source_of(storage).paths(""))) == 260
    assert list(source_of(storage).paths("25")) == [f"25{number}.jpg" for number in range(10)]


def test_a_bucket_that_is_missing_is_the_storages_failure(bucket: str) -> None:
    settings = S3Settings("nowhere", access_key=KEYS[0], secret_key=KEYS[1], base_url=bucket)
    with pytest.raises(StorageFailed):
        list(S3Source(settings, max_bytes=MAX_BYTES, deadline=DEADLINE).paths(""))
