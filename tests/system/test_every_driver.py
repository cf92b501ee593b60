"""Every kind of storage lists and reads alike: what is listed can be read, and nothing else is listed."""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support import remote_stores
from tests.support.listings import NAMES, PREFIXES, fill, in_memory, local, source_of
from tests.support.source_fixtures import MAX_BYTES, BucketClient, Put, s3_fixture
from thumbs.errors import SourceMissing
from thumbs.sources.listing import Listable
from thumbs.sources.source import Source

_KINDS = ("local", "memory", "s3", "storage-s3", "google", "google below", "azure", "azure below", "sftp")


@pytest.fixture(scope="module")
def bucket(client: BucketClient) -> tuple[str, Put]:
    name = f"pictures-{uuid.uuid4().hex}"
    client.create_bucket(Bucket=name)

    def put(key: str, data: bytes) -> None:
        client.put_object(Bucket=name, Key=key, Body=data)

    return name, put


@pytest.fixture(scope="module", params=_KINDS)
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    kind, _, below = str(request.param).partition(" ")
    location = "media/" if below else ""
    directory: Path = tmp_path_factory.mktemp("store")
    with ExitStack() as stack:
        if kind == "local":
            fill(directory)
            yield local(directory)
            return
        if kind == "memory":
            yield source_of(in_memory())
            return
        if kind.endswith("s3"):
            made = s3_fixture(kind, request.getfixturevalue("moto"), *request.getfixturevalue("bucket"))
            for name in NAMES:
                made.put(name, name.encode())
            yield made.source(MAX_BYTES)
            return
        monkeypatch = stack.enter_context(pytest.MonkeyPatch.context())
        if kind == "google":
            put, opened = stack.enter_context(remote_stores.google(location, monkeypatch))
        elif kind == "azure":
            put, opened = stack.enter_context(remote_stores.azure(location, directory))
        else:
            put, opened = stack.enter_context(remote_stores.sftp(directory))
        for name in NAMES:
            put(name, name.encode())
        found = source_of(opened())
        stack.callback(found.close)
        yield found


@pytest.mark.parametrize("prefix", PREFIXES)
def test_what_begins_with_a_prefix_is_listed_and_nothing_else(source: Source, prefix: str) -> None:
    assert isinstance(source, Listable)
    assert sorted(source.paths(prefix)) == sorted(name for name in NAMES if name.startswith(prefix))


def test_what_is_listed_can_be_read_and_has_a_version(source: Source) -> None:
    assert isinstance(source, Listable)
    for path in source.paths("cats/"):
        assert source.read(path).version == source.version(path)
        assert source.version(path).token


def test_what_is_not_listed_is_missing(source: Source) -> None:
    for path in ("cats/nothing.jpg", "nothing/at/all.jpg", "cats"):
        with pytest.raises(SourceMissing):
            source.read(path)


def test_it_is_ready(source: Source) -> None:
    source.ready()
