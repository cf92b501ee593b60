"""One contract for every source of originals."""

import functools
import os
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import pytest

from tests.support.source_fixtures import (
    DATA,
    KEYS,
    MAX_BYTES,
    SourceFixture,
    disk_fixture,
    memory_fixture,
    s3_fixture,
)
from thumbs.errors import SourceMissing, SourceTooLarge, ThumbError
from thumbs.sources.s3.source import S3Http, S3Settings

IN_A_BUCKET = ("s3", "storage-s3")
# The bucket is in a server of its own.
KINDS = [
    "local",
    "storage-disk",
    "storage-memory",
    *(pytest.param(kind, marks=pytest.mark.system) for kind in IN_A_BUCKET),
]
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


@functools.cache
def _read_once(path: str) -> object:
    return import_module("botocore.loaders").JSONFileLoader().load_file(path)


class _Loader:
    """For botocore's own: each storage opens a session, and each session parses megabytes of JSON again."""

    def exists(self, path: str) -> bool:
        return _read_once(path) is not None

    def load_file(self, path: str) -> object:
        return _read_once(path)


@pytest.fixture(params=KINDS)
def fixture(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SourceFixture:
    kind: str = request.param
    if kind in {"local", "storage-disk"}:
        return disk_fixture(kind, tmp_path / "root-of-pictures")
    if kind == "storage-memory":
        return memory_fixture()
    monkeypatch.setattr(import_module("botocore.loaders").Loader, "FILE_LOADER_CLASS", _Loader)
    return s3_fixture(kind, request.getfixturevalue("moto"), *request.getfixturevalue("bucket"))


# ---------------------------------------------------------------------------------- the contract


def test_the_bytes_come_back_as_they_were_put(fixture: SourceFixture) -> None:
    originals = {f"cats/{size}.jpg": (DATA * (size // len(DATA) + 1))[:size] for size in (0, 1, 5_120, 3_000_000)}
    for name, data in originals.items():
        fixture.put(name, data)
    source = fixture.source(MAX_BYTES)
    assert {name: source.read(name).data for name in originals} == originals


def test_a_name_is_taken_verbatim(fixture: SourceFixture) -> None:
    for name in NAMES:
        fixture.put(name, name.encode())
    source = fixture.source(MAX_BYTES)
    assert {name: source.read(name).data.decode() for name in NAMES} == {name: name for name in NAMES}


def test_the_version_is_the_same_before_in_and_after_a_read(fixture: SourceFixture) -> None:
    fixture.put("tom.jpg", DATA)
    source = fixture.source(MAX_BYTES)
    before = source.version("tom.jpg")
    assert before.token
    assert before.modified is not None
    assert abs(before.modified - time.time()) < 3600
    assert source.read("tom.jpg").version == before == source.version("tom.jpg")


def test_the_version_changes_when_the_original_is_replaced(fixture: SourceFixture) -> None:
    fixture.put("tom.jpg", DATA)
    source = fixture.source(MAX_BYTES)
    before = source.read("tom.jpg")
    fixture.put("tom.jpg", DATA + b"!")
    after = source.read("tom.jpg")
    assert after.data == DATA + b"!"
    assert after.version.token != before.version.token
    assert source.version("tom.jpg") == after.version


def test_what_is_no_original_is_missing(fixture: SourceFixture) -> None:
    fixture.put("cats/tom.jpg", DATA)
    source = fixture.source(MAX_BYTES)
    for path in NO_NAMES:
        for call in (source.read, source.version):
            with pytest.raises(SourceMissing):
                call(path)


def test_an_original_at_the_limit_is_read_and_one_byte_more_is_too_large(fixture: SourceFixture) -> None:
    fixture.put("tom.jpg", DATA)
    assert fixture.source(len(DATA)).read("tom.jpg").data == DATA
    with pytest.raises(SourceTooLarge):
        fixture.source(len(DATA) - 1).read("tom.jpg")


def test_sixteen_threads_read_at_once(fixture: SourceFixture) -> None:
    names = [f"cats/{number}.jpg" for number in range(16)]
    for name in names:
        fixture.put(name, name.encode() * 100)
    source = fixture.source(MAX_BYTES)
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda name: source.read(name).data, names * 4))
    assert found == [name.encode() * 100 for name in names * 4]


@pytest.mark.system
def test_it_works_on_both_sides_of_a_fork(fixture: SourceFixture) -> None:
    fixture.put("tom.jpg", DATA)
    source = fixture.source(MAX_BYTES)
    assert source.read("tom.jpg").data == DATA

    def read_often() -> bool:
        return all(source.read("tom.jpg").data == DATA for _ in range(10))

    child = _forked(read_often)
    assert read_often()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_it_is_ready(fixture: SourceFixture) -> None:
    fixture.source(MAX_BYTES).ready()


def test_no_error_contains_where_the_originals_are(fixture: SourceFixture) -> None:
    fixture.put("cats/tom.jpg", DATA)
    for path, limit in (("nothing.jpg", MAX_BYTES), ("cats", MAX_BYTES), ("cats/tom.jpg", 10), ("x" * 2000, MAX_BYTES)):
        with pytest.raises(ThumbError) as caught:
            fixture.source(limit).read(path)
        texts = f"{caught.value} {caught.value!r} {caught.value.detail}"
        assert not [secret for secret in fixture.secrets if secret in texts]


def test_its_repr_contains_no_secret(fixture: SourceFixture) -> None:
    source = fixture.source(MAX_BYTES)
    assert KEYS[1] not in repr(source)
    assert KEYS[1] not in repr(vars(source))


def _forked(work: Callable[[], bool]) -> int:
    """The process id of a child that ends with 0 when `work` holds there."""
    with warnings.catch_warnings():
        # Threads of other tests do not matter: the child takes none of their locks.
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


def test_the_settings_of_a_bucket_hide_its_keys() -> None:
    shown = repr(S3Settings("pictures", access_key=KEYS[0], secret_key=KEYS[1], base_url="http://127.0.0.1"))
    assert KEYS[0] not in shown
    assert KEYS[1] not in shown


def test_the_defaults_of_the_connections_are_those_of_the_contract() -> None:
    assert S3Http() == S3Http(100, 100, 0, 90, 10, 30, 10)
