"""One contract for every source of originals, and what is particular to S3."""

import os
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import boto3
import pytest
from django.core.files.base import ContentFile
from storages.backends.s3 import S3Storage

from tests.support.shelves import (
    DATA,
    DEADLINE,
    KEYS,
    MAX_BYTES,
    Bucketeer,
    Put,
    Shelf,
    disk_shelf,
    memory_shelf,
    running_moto,
    s3_shelf,
)
from thumbs.errors import SourceMissing, SourceTooLarge, StorageFailed, ThumbError
from thumbs.sources.s3.source import S3Http, S3Settings, S3Source
from thumbs.sources.storages.django_storage import StorageSource

KINDS = ("local", "s3", "storage-disk", "storage-memory", "storage-s3")
NAMES = (
    "deep/er/and/deep/er/tom.jpg",
    "with space.jpg",
    "100%.jpg",
    "%41%2e.jpg",
    "what?.jpg",
    "number#1.jpg",
    "a+b&c=d;e,f.jpg",
    "(brackets)['quotes\"]{}~!@$^|<>*.jpg",
    "süß/日本語/🐈.jpg",
    # Two forms of one letter are two names.
    "e\u0301.jpg",
    "\u00e9.jpg",
    "no-extension",
    ".hidden",
    "x" * 251 + ".jpg",
)
NO_NAMES = (
    "nothing.jpg",
    "cats/nothing.jpg",
    "nothing/at/all.jpg",
    "cats",
    "cats/tom.jpg/deeper.jpg",
    "\ud800.jpg",
    "\0.jpg",
)


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    with running_moto() as endpoint:
        yield endpoint


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture(scope="session")
def client(moto: str) -> Iterator[Bucketeer]:
    client = boto3.client(
        "s3", endpoint_url=moto, region_name="us-east-1", aws_access_key_id=KEYS[0], aws_secret_access_key=KEYS[1]
    )
    yield cast(Bucketeer, client)
    client.close()


@pytest.fixture
def bucket(client: Bucketeer) -> tuple[str, Put]:
    """A bucket of its own, and how to put an object there."""
    name = f"pictures-{uuid.uuid4().hex}"
    client.create_bucket(Bucket=name)

    def put(key: str, data: bytes) -> None:
        client.put_object(Bucket=name, Key=key, Body=data)

    return name, put


@pytest.fixture(params=KINDS)
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    kind: str = request.param
    if kind in {"local", "storage-disk"}:
        return disk_shelf(kind, tmp_path / "root-of-pictures")
    if kind == "storage-memory":
        return memory_shelf()
    return s3_shelf(kind, request.getfixturevalue("moto"), *request.getfixturevalue("bucket"))


# ---------------------------------------------------------------------------------- the contract


def test_the_bytes_come_back_as_they_were_put(shelf: Shelf) -> None:
    originals = {f"cats/{size}.jpg": (DATA * (size // len(DATA) + 1))[:size] for size in (0, 1, 5_120, 3_000_000)}
    for name, data in originals.items():
        shelf.put(name, data)
    source = shelf.source(MAX_BYTES)
    assert {name: source.read(name).data for name in originals} == originals


def test_a_name_is_taken_verbatim(shelf: Shelf) -> None:
    for name in NAMES:
        shelf.put(name, name.encode())
    source = shelf.source(MAX_BYTES)
    assert {name: source.read(name).data.decode() for name in NAMES} == {name: name for name in NAMES}


def test_the_version_is_the_same_before_in_and_after_a_read(shelf: Shelf) -> None:
    shelf.put("tom.jpg", DATA)
    source = shelf.source(MAX_BYTES)
    before = source.version("tom.jpg")
    assert before.token
    assert before.modified is not None
    assert abs(before.modified - time.time()) < 3600
    assert source.read("tom.jpg").version == before == source.version("tom.jpg")


def test_the_version_changes_when_the_original_is_replaced(shelf: Shelf) -> None:
    shelf.put("tom.jpg", DATA)
    source = shelf.source(MAX_BYTES)
    before = source.read("tom.jpg")
    shelf.put("tom.jpg", DATA + b"!")
    after = source.read("tom.jpg")
    assert after.data == DATA + b"!"
    assert after.version.token != before.version.token
    assert source.version("tom.jpg") == after.version


def test_what_is_no_original_is_missing(shelf: Shelf) -> None:
    shelf.put("cats/tom.jpg", DATA)
    source = shelf.source(MAX_BYTES)
    for path in NO_NAMES:
        for call in (source.read, source.version):
            with pytest.raises(SourceMissing):
                call(path)


def test_an_original_at_the_limit_is_read_and_one_byte_more_is_too_large(shelf: Shelf) -> None:
    shelf.put("tom.jpg", DATA)
    assert shelf.source(len(DATA)).read("tom.jpg").data == DATA
    with pytest.raises(SourceTooLarge):
        shelf.source(len(DATA) - 1).read("tom.jpg")


def test_sixteen_threads_read_at_once(shelf: Shelf) -> None:
    names = [f"cats/{number}.jpg" for number in range(16)]
    for name in names:
        shelf.put(name, name.encode() * 100)
    source = shelf.source(MAX_BYTES)
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda name: source.read(name).data, names * 4))
    assert found == [name.encode() * 100 for name in names * 4]


def test_it_works_on_both_sides_of_a_fork(shelf: Shelf) -> None:
    shelf.put("tom.jpg", DATA)
    source = shelf.source(MAX_BYTES)
    assert source.read("tom.jpg").data == DATA

    def read_often() -> bool:
        return all(source.read("tom.jpg").data == DATA for _ in range(10))

    child = _forked(read_often)
    assert read_often()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_it_is_ready(shelf: Shelf) -> None:
    shelf.source(MAX_BYTES).ready()


def test_no_error_tells_where_the_originals_are(shelf: Shelf) -> None:
    shelf.put("cats/tom.jpg", DATA)
    for path, limit in (("nothing.jpg", MAX_BYTES), ("cats", MAX_BYTES), ("cats/tom.jpg", 10), ("x" * 2000, MAX_BYTES)):
        with pytest.raises(ThumbError) as caught:
            shelf.source(limit).read(path)
        shown = f"{caught.value} {caught.value!r} {caught.value.detail}"
        assert not [secret for secret in shelf.secrets if secret in shown]


def test_its_repr_tells_no_secret(shelf: Shelf) -> None:
    source = shelf.source(MAX_BYTES)
    assert KEYS[1] not in repr(source)
    assert KEYS[1] not in repr(vars(source))


def _forked(work: Callable[[], bool]) -> int:
    """The process id of a child that ends with 0 when `work` holds there."""
    with warnings.catch_warnings():
        # Other tests' threads are no concern of a child that takes no lock of theirs.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        status = 1
        try:
            status = not work()
        finally:
            os._exit(status)
    return child


# ------------------------------------------------------------------------------------ on S3


def test_a_bucket_that_is_not_there_is_a_failure(moto: str) -> None:
    described = S3Settings("no-such-bucket", access_key=KEYS[0], secret_key=KEYS[1], base_url=moto)
    source = S3Source(described, max_bytes=MAX_BYTES, deadline=DEADLINE)
    for call in (lambda: source.read("tom.jpg"), lambda: source.version("tom.jpg"), source.ready):
        with pytest.raises(StorageFailed):
            call()


def test_the_settings_of_a_bucket_hide_its_keys() -> None:
    shown = repr(S3Settings("pictures", access_key=KEYS[0], secret_key=KEYS[1], base_url="http://127.0.0.1"))
    assert KEYS[0] not in shown
    assert KEYS[1] not in shown


def test_the_defaults_of_the_connections_are_those_of_the_contract() -> None:
    assert S3Http() == S3Http(100, 100, 0, 90, 10, 30, 10)


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
        (tmp_path / "token").write_text("signed")
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


def test_a_version_id_is_part_of_the_version(moto: str, client: Bucketeer, bucket: tuple[str, Put]) -> None:
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
