"""Fixtures: an S3 server, a client of it, and a bucket for each test."""

import uuid
from collections.abc import Iterator
from typing import cast

import boto3
import pytest

from tests.support.source_fixtures import (
    KEYS,
    BucketClient,
    Put,
    running_moto,
)


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    with running_moto() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def client(moto: str) -> Iterator[BucketClient]:
    client = boto3.client(
        "s3", endpoint_url=moto, region_name="us-east-1", aws_access_key_id=KEYS[0], aws_secret_access_key=KEYS[1]
    )
    yield cast(BucketClient, client)
    client.close()


@pytest.fixture
def bucket(client: BucketClient) -> tuple[str, Put]:
    """A bucket of its own, and how to put an object there."""
    name = f"pictures-{uuid.uuid4().hex}"
    client.create_bucket(Bucket=name)

    def put(key: str, data: bytes) -> None:
        client.put_object(Bucket=name, Key=key, Body=data)

    return name, put
