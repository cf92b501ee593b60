"""The file of purges: a purge that was reported is in it, whatever happens to the disk and to other processes."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.private_files import private_file
from thumbs.cache.filestore import flock
from thumbs.cache.purge import journal
from thumbs.cache.purge.journal import PurgeJournal

KEEP = 1000.0


@pytest.fixture
def _copied_descriptors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each file that is locked stays open elsewhere, as in a child that was forked while it was locked."""
    copies: list[int] = []

    def lock(fd: int) -> None:
        flock.lock(fd)
        copies.append(os.dup(fd))

    monkeypatch.setattr(journal, "lock", lock)
    yield
    for copy in copies:
        os.close(copy)


@pytest.mark.usefixtures("_copied_descriptors")
def test_a_child_that_was_forked_during_a_purge_does_not_keep_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flock, "LOCK_SECONDS", 0.1)
    purges = PurgeJournal(private_file(tmp_path / "journal"), keep=KEEP)
    for _ in range(2):
        purges.append("group")
