"""The CPU time per object fetched from S3: Mage's readers and django-storages' `S3Storage`, in one run.

    python -m bench.s3_reader [--objects 300] [--kilobytes 200]

The S3 server is moto, in another process. Measured is the user and system time of this process. Each round measures
every reader; the first round is not counted.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import boto3
from django.conf import settings
from storages.backends.s3 import S3Storage

from bench.processes import LOOPBACK, free_port, running
from thumbs.image.limits import FETCH_SECONDS, MAX_SOURCE_BYTES
from thumbs.sources.s3.source import S3Settings, S3Source
from thumbs.sources.storages.django_storage import StorageSource

_ROUNDS = 3
_KEYS = ("bench", "bench-secret")
_BUCKET = "pictures"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="CPU per object fetched from S3.")
    parser.add_argument("--objects", type=int, default=300)
    parser.add_argument("--kilobytes", type=int, default=200)
    options = parser.parse_args(arguments)
    if not settings.configured and "DJANGO_SETTINGS_MODULE" not in os.environ:
        settings.configure()
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = LOOPBACK
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", LOOPBACK, "-p", str(port)]
    with (
        tempfile.TemporaryDirectory() as directory,
        running(command, log=Path(directory, "moto.log"), env={**os.environ, "PYTHONWARNINGS": "ignore"}) as server,
    ):
        server.await_port(port)
        report(f"http://{LOOPBACK}:{port}", options.objects, options.kilobytes)


def report(endpoint: str, objects: int, kilobytes: int) -> None:
    """Print CPU milliseconds per object, and the ratio to `S3Storage`."""
    names = [f"cats/{number}.jpg" for number in range(objects)]
    _fill(endpoint, names, os.urandom(kilobytes * 1000))
    storage = S3Storage(
        bucket_name=_BUCKET,
        endpoint_url=endpoint,
        access_key=_KEYS[0],
        secret_key=_KEYS[1],
        addressing_style="path",
    )
    s3_settings = S3Settings(_BUCKET, access_key=_KEYS[0], secret_key=_KEYS[1], base_url=endpoint)
    source = S3Source(s3_settings, max_bytes=MAX_SOURCE_BYTES, deadline=FETCH_SECONDS)
    django_source = StorageSource(lambda: storage, max_bytes=MAX_SOURCE_BYTES, deadline=FETCH_SECONDS)
    readers: dict[str, Callable[[str], object]] = {
        "S3Storage.open(name).read()": lambda name: _read_whole(storage, name),
        "S3Source.read(name)": lambda name: source.read(name).data,
        "StorageSource(S3Storage).read(name)": lambda name: django_source.read(name).data,
    }
    first, *rounds = [{title: _cpu(read, names) for title, read in readers.items()} for _ in range(1 + _ROUNDS)]
    best = {title: min(measured[title] for measured in rounds) for title in first}
    reference = next(iter(best.values()))
    print(f"{objects} objects of {kilobytes} KB, one after another; best of {_ROUNDS} rounds")
    for title, seconds in best.items():
        print(f"{title:38} {seconds / objects * 1000:6.2f} ms CPU per object   {seconds / reference:5.2f} × S3Storage")


def _fill(endpoint: str, names: Sequence[str], data: bytes) -> None:
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=_KEYS[0], aws_secret_access_key=_KEYS[1]
    )
    client.create_bucket(Bucket=_BUCKET)
    for name in names:
        client.put_object(Bucket=_BUCKET, Key=name, Body=data)
    client.close()


def _read_whole(storage: S3Storage, name: str) -> object:
    with storage.open(name) as file:
        return file.read()


def _cpu(read: Callable[[str], object], names: Sequence[str]) -> float:
    start = time.process_time()
    for name in names:
        read(name)
    return time.process_time() - start


if __name__ == "__main__":
    main()
