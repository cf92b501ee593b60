"""A root that was unmounted or replaced: what is not there is not missing, it is a failure."""

from pathlib import Path

import pytest

from tests.support.source_fixtures import DATA, MAX_BYTES, SourceFixture, disk_fixture
from thumbs.errors import SourceMissing, StorageFailed
from thumbs.sources.health import Emptiable


@pytest.fixture(params=["local", "storage-disk"])
def fixture(request: pytest.FixtureRequest, tmp_path: Path) -> SourceFixture:
    return disk_fixture(request.param, tmp_path / "root")


def swapped(root: Path) -> Path:
    """Put an empty directory in the place of `root`, as an unmounted file system leaves one. Returns the old one."""
    away = root.rename(root.with_name("away"))
    root.mkdir()
    return away


def test_what_is_missing_in_another_root_than_before_is_a_failure(fixture: SourceFixture, tmp_path: Path) -> None:
    root = tmp_path / "root"
    fixture.put("tom.jpg", DATA)
    source = fixture.source(MAX_BYTES)
    assert source.read("tom.jpg").data == DATA
    with pytest.raises(SourceMissing):
        source.version("none.jpg")
    away = swapped(root)
    for call in (source.read, source.version):
        for path in ("tom.jpg", "none.jpg", "cats/none.jpg"):
            with pytest.raises(StorageFailed):
                call(path)
    with pytest.raises(StorageFailed):
        source.ready()
    root.rmdir()
    away.rename(root)  # mounted again
    assert source.version("tom.jpg").token
    with pytest.raises(SourceMissing):
        source.read("none.jpg")


def test_another_root_counts_as_soon_as_an_original_was_read_there(fixture: SourceFixture, tmp_path: Path) -> None:
    root = tmp_path / "root"
    fixture.put("tom.jpg", DATA)
    source = fixture.source(MAX_BYTES)
    assert source.read("tom.jpg").data == DATA
    swapped(root)
    (root / "new.jpg").write_bytes(DATA[:9])
    assert source.read("new.jpg").data == DATA[:9]
    with pytest.raises(SourceMissing):
        source.read("tom.jpg")
    source.ready()


def test_a_source_says_whether_its_root_is_empty(fixture: SourceFixture, tmp_path: Path) -> None:
    source = fixture.source(MAX_BYTES)
    assert isinstance(source, Emptiable)
    assert source.is_empty()
    fixture.put("tom.jpg", DATA)
    assert not source.is_empty()
    (tmp_path / "root" / "tom.jpg").unlink()
    (tmp_path / "root").rmdir()
    with pytest.raises(StorageFailed):
        source.is_empty()
