"""Bodies of hot files stay in memory: few bytes of them, and each as long as its file is hot."""

import os
from pathlib import Path

import pytest

from tests.support.hot_entries import Hot, is_hot, whole
from thumbs.cache.filestore import hot_files

KEY = "group/name"


@pytest.fixture
def hot(tmp_path: Path) -> Hot:
    return Hot(tmp_path / "cache")


def body_bytes(hot: Hot) -> int:
    """Those in memory."""
    return sum(each.body_bytes for each in hot.files._places if each.whole is not None)


def put_all(hot: Hot, *keys: str, size: int) -> None:
    """Entries with bodies of `size` bytes, read once more than makes them hot."""
    for key in keys:
        hot.put(key, b"head" + bytes([1]) * size)


def test_a_body_in_memory_is_not_read_again(hot: Hot, monkeypatch: pytest.MonkeyPatch) -> None:
    hot.put(KEY, b"payload")
    monkeypatch.setattr(os, "preadv", None)
    assert [whole(hot.get(KEY)) for _ in range(3)] == [b"payload"] * 3


def test_bodies_in_memory_have_a_bound_and_the_others_are_read(hot: Hot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hot_files, "_MOST_BODY_BYTES", 100_000)
    keys = [f"g{number}/name" for number in range(20)]
    put_all(hot, *keys, size=30_000)
    for key in keys:
        assert is_hot(hot.get(key))
        assert whole(hot.get(key)) == b"head" + bytes([1]) * 30_000
    assert body_bytes(hot) == hot.files._body_bytes == 90_000


@pytest.mark.parametrize("is_removed", [True, False], ids=["removed", "idle"])
def test_what_is_not_hot_any_more_makes_room_for_another_body(
    hot: Hot, monkeypatch: pytest.MonkeyPatch, *, is_removed: bool
) -> None:
    monkeypatch.setattr(hot_files, "_MOST_BODY_BYTES", 100_000)
    for turn in range(5):
        put_all(hot, f"first{turn}/name", f"second{turn}/name", size=40_000)
        assert body_bytes(hot) == hot.files._body_bytes == 80_000
        if is_removed:
            hot.other.clear()
        for _ in range(1 if is_removed else 10):
            hot.files.sweep()
        assert len(hot.files) == hot.files._body_bytes == 0


def test_a_body_that_is_read_while_its_file_is_removed_does_not_count(hot: Hot) -> None:
    """Nothing would ever take it out again."""
    hot.put(KEY, b"payload")
    (file,) = hot.files._places
    hot.files.remove(file)
    file.whole = None
    hot.files.keep_whole(file, object())
    assert file.whole is None
    assert hot.files._body_bytes == 0


def test_threads_that_read_a_body_at_once_count_it_once(hot: Hot) -> None:
    hot.put(KEY, b"payload")
    (file,) = hot.files._places
    hot.files.keep_whole(file, object())
    assert hot.files._body_bytes == file.body_bytes == 3
    hot.files.remove(file)
    hot.files.remove(file)
    assert hot.files._body_bytes == 0
