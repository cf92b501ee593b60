"""Hits from hot files as the layers give them: the same entries and answers, by the same rules."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cache_layers import entry
from tests.support.clock import Clock
from tests.support.hot_entries import later, open_entries
from thumbs.cache.adapters import DiskLayer
from thumbs.cache.entry import INTERNAL, Entry
from thumbs.cache.filestore.hot_files import HotFiles
from thumbs.cache.filestore.store import FileStore
from thumbs.cache.filestore.trust import PrivateDirectory, PrivateFile
from thumbs.cache.layers import Found, Layers
from thumbs.cache.purge.journal import PurgeJournal
from thumbs.http import messages
from thumbs.http.messages import Headers, joined

KEY = "group/name"
FIELDS = ("body", "content_type", "etag", "version", "modified", "created", "fresh_until", "headers", "validators")


@pytest.fixture
def clock() -> Clock:
    return later()


@pytest.fixture
def files() -> HotFiles:
    return HotFiles()


@pytest.fixture
def layer(tmp_path: Path, clock: Clock, files: HotFiles) -> DiskLayer:
    return DiskLayer(FileStore(tmp_path / "cache", max_bytes=None, clock=clock, hot_files=files))


@pytest.fixture
def other(tmp_path: Path, clock: Clock) -> DiskLayer:
    """The layer of another process."""
    return DiskLayer(FileStore(tmp_path / "cache", max_bytes=None, clock=clock))


@pytest.fixture
def hot(layer: DiskLayer, other: DiskLayer, clock: Clock, files: HotFiles) -> Iterator[Entry]:
    """An entry whose file is open."""
    made = entry(b"picture" * 100, created=clock.now)
    other.put(KEY, made, clock.now + 1000)
    for _ in range(3):
        try:
            layer.get_now(KEY)
        except BlockingIOError:
            pytest.skip("the file system of the temporary directory cannot read without waiting")
    assert len(files) == 1
    yield made
    assert all(not body for body in (each.head.body for each in layer.store._reader._hot.values()))  # type: ignore[attr-defined]


def fields(found: Entry | None) -> list[object]:
    return [getattr(found, name) for name in FIELDS]


def test_an_entry_of_a_hot_file_is_the_entry(layer: DiskLayer, other: DiskLayer, hot: Entry) -> None:
    first, second = layer.get_now(KEY), layer.get_now(KEY)
    assert fields(first) == fields(second) == fields(hot) == fields(other.get(KEY))
    assert first is not None
    assert second is not None
    assert type(first.body) is bytes
    assert first.headers is second.headers


@pytest.mark.parametrize(("key", "content_type"), [("group/name", INTERNAL), ("group/source", "image/webp")])
def test_an_entry_of_another_kind_is_never_hot(
    layer: DiskLayer, other: DiskLayer, clock: Clock, files: HotFiles, key: str, content_type: str
) -> None:
    """An original under the key of a thumbnail, also where the disk cannot be written, so that it stays there."""
    other.store.set(key, Entry(b"x", content_type, '"tag"', None, 0, clock.now, clock.now + 9).pack(), expires=None)
    for _ in range(4):
        with pytest.raises(BlockingIOError):
            layer.get_now(key)
    assert len(files) == 0


def layers_of(layer: DiskLayer, directory: Path, clock: Clock, stale: float = 0) -> Layers:
    journal = PurgeJournal(PrivateFile(PrivateDirectory(directory), "purges"), keep=10_000, clock=clock)
    return Layers([layer], purges=journal, clock=clock, stale=stale)


def test_a_purge_covers_what_is_hot_even_where_its_file_is_still_there(
    layer: DiskLayer, hot: Entry, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = layers_of(layer, tmp_path / "run", clock)
    assert layers.get_now(KEY) is not None
    monkeypatch.setattr(DiskLayer, "delete_group", lambda *_: 0)
    layers.purge("group")
    assert layers.get_now(KEY) is None


def test_a_purge_by_another_process_covers_what_is_hot(
    layer: DiskLayer, other: DiskLayer, hot: Entry, tmp_path: Path, clock: Clock
) -> None:
    layers, others = (layers_of(each, tmp_path / "run", clock) for each in (layer, other))
    assert layers.get_now(KEY) is not None
    assert others.purge("group") == 1
    assert layers.get_now(KEY) is None
    assert layer.get_now(KEY) is None
    assert open_entries(tmp_path / "cache") == []


@pytest.mark.parametrize(("age", "stale"), [(299, False), (300, True), (359, True), (360, None)])
def test_what_is_hot_becomes_stale_and_then_no_entry(
    layer: DiskLayer, hot: Entry, tmp_path: Path, clock: Clock, age: float, stale: bool | None
) -> None:
    layers = layers_of(layer, tmp_path / "run", clock, stale=60)
    clock.now += age
    found = layers.get_now(KEY)
    assert (None if found is None else found.stale) is stale


def test_a_disk_that_fails_is_skipped_and_used_again(
    layer: DiskLayer,
    hot: Entry,
    tmp_path: Path,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = layer.store._reader._hot_files
    assert files is not None
    layers = layers_of(layer, tmp_path / "run", clock)
    monkeypatch.setattr("thumbs.cache.filestore.hot_files._MOST_BODY_BYTES", 0)  # a body in memory is not read
    files._start_empty()
    assert [layer.get_now(KEY) is None for _ in range(2)] == [False, False]
    assert len(files) == 1
    for name in ("OPEN_SECONDS", "CALM_SECONDS"):
        monkeypatch.setattr(f"thumbs.cache.circuit_breaker.{name}", 0.0)
    with monkeypatch.context() as broken, caplog.at_level(logging.WARNING, "thumbs.cache"):
        broken.setattr("os.preadv", lambda *_: (_ for _ in ()).throw(OSError(5, "Input/output error")))
        assert layers.get_now(KEY) is None
    assert isinstance(layers.get_now(KEY), Found)
    assert [record.getMessage().partition(" and is")[0] for record in caplog.records] == [
        "cache layer disk cannot be read",
        "cache layer disk can be read again",
    ]


# --------------------------------------------------------------------------------- headers of answers


def some(number: int) -> Headers:
    return ((b"Name", b"%d" % number),)


def test_joined_headers_are_all_of_them_and_the_same_object_for_the_same_objects() -> None:
    one, two, three = some(1), some(2), some(3)
    assert joined(one, two, three) == (*one, *two, *three)
    assert joined(one, two, three) is joined(one, two, three)
    assert joined(two, one, three) == (*two, *one, *three)
    assert joined(one, two, some(4)) == (*one, *two, *some(4))


def test_headers_are_not_confused_when_objects_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """An object may get the identity of one that is gone; the memo is bounded."""
    monkeypatch.setattr(messages, "_MAX_JOINED", 8)
    for number in range(1000):
        assert joined(some(number), some(number + 1), ()) == (*some(number), *some(number + 1))
        assert len(messages._joined) <= 8
