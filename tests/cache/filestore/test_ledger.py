"""The ledger: one transaction serves as many shards as it can, and its figures are never less than is used."""

import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.disk_usage import disk_bytes
from tests.support.private_files import private_file
from thumbs.cache.filestore.directory import LEDGER
from thumbs.cache.filestore.ledger import FIXED_BYTES, Ledger, Usage
from thumbs.cache.filestore.store import FileStore

_opened: list[str] | None = None


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and _opened is not None and os.fsdecode(str(arguments[0])).endswith(LEDGER):
        _opened.append(str(arguments[0]))


sys.addaudithook(_audit)  # cannot be removed: it does nothing unless a test counts


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Every attempt to open a ledger while the test runs."""
    global _opened  # noqa: PLW0603 - an audit hook has no other way to its state
    _opened = []
    yield _opened
    _opened = None


def store(directory: Path) -> FileStore:
    return FileStore(directory, max_bytes=10**9)


def test_the_first_write_into_a_new_directory_opens_the_ledger_at_most_three_times(
    tmp_path: Path, opened: list[str]
) -> None:
    store(tmp_path / "cache").set("group/name", b"payload", expires=None)
    assert 1 <= len(opened) <= 3


def test_the_next_write_of_the_same_process_opens_the_ledger_once(tmp_path: Path, opened: list[str]) -> None:
    cache = store(tmp_path / "cache")
    cache.set("group/name", b"payload", expires=None)
    opened.clear()
    cache.set("group/other", b"payload", expires=None)
    assert len(opened) == 1


def test_the_first_write_of_another_process_opens_the_ledger_at_most_three_times(
    tmp_path: Path, opened: list[str]
) -> None:
    store(tmp_path / "cache").set("group/name", b"payload", expires=None)
    opened.clear()
    store(tmp_path / "cache").set("other/name", b"payload", expires=None)
    assert len(opened) <= 3


def test_the_usage_of_an_empty_directory_needs_two_transactions(tmp_path: Path, opened: list[str]) -> None:
    directory = tmp_path / "cache"
    directory.mkdir(mode=0o700)
    assert store(directory).usage().entries == 0
    assert len(opened) <= 2


def test_a_lost_ledger_costs_a_transaction_for_each_shard_that_exists_and_no_more(
    tmp_path: Path, opened: list[str]
) -> None:
    cache = store(tmp_path / "cache")
    for number in range(5):
        cache.set(f"group{number}/name", b"payload", expires=None)
    held = cache.usage()
    existing = len(list((tmp_path / "cache").glob("??")))
    (tmp_path / "cache" / LEDGER).unlink()
    opened.clear()
    assert store(tmp_path / "cache").usage() == held
    assert len(opened) <= existing + 4


def test_a_new_ledger_counts_what_is_already_in_the_directory(tmp_path: Path) -> None:
    cache = store(tmp_path / "cache")
    for number in range(20):
        cache.set(f"group{number}/name", b"payload", expires=None)
    (tmp_path / "cache" / LEDGER).unlink()
    again = store(tmp_path / "cache")
    again.set("new/name", b"payload", expires=None)
    assert again.usage().entries == 21
    assert again.usage().bytes >= disk_bytes(tmp_path / "cache")


def test_preparing_does_not_wait_for_a_process_that_holds_the_ledger(tmp_path: Path) -> None:
    store(tmp_path / "cache").prepare()
    (tmp_path / "cache" / LEDGER).write_bytes(b"")
    with (tmp_path / "cache" / LEDGER).open("rb") as ledger:
        fcntl.flock(ledger, fcntl.LOCK_EX)
        store(tmp_path / "cache").prepare()
        assert (tmp_path / "cache" / LEDGER).read_bytes() == b""
    cache = store(tmp_path / "cache")
    cache.set("group/name", b"payload", expires=None)
    assert cache.usage().entries == 1


def test_absent_shards_are_looked_for_while_the_ledger_is_locked(tmp_path: Path) -> None:
    ledger = Ledger(private_file(tmp_path / LEDGER))
    locked = []

    def existing() -> list[int]:
        with (tmp_path / LEDGER).open("rb") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        locked.append(True)
        return [3]

    assert ledger.count_absent(existing) == [3]
    ledger.put(3, Usage(4096, 1))
    assert ledger.count_absent(existing) == []
    assert locked == [True]  # where every shard is counted, nothing is looked for
    assert ledger.total() == Usage(FIXED_BYTES + 4096, 1)


@pytest.mark.parametrize("content", [b"", b"not a ledger", b"\0" * 10_000])
def test_a_broken_ledger_is_replaced_even_by_a_transaction_that_changes_no_figure(
    tmp_path: Path, content: bytes
) -> None:
    ledger = Ledger(private_file(tmp_path / LEDGER))
    ledger.put(0, Usage(1, 1))
    size = (tmp_path / LEDGER).stat().st_size
    (tmp_path / LEDGER).write_bytes(content)
    ledger.adjust(3, Usage(1, 1))  # of a shard that was never counted
    assert (tmp_path / LEDGER).stat().st_size == size
    assert ledger.nonempty() == set()
