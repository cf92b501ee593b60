"""What sources list: the same for every kind, for any prefix, and nothing from outside."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage

from tests.support.bare_storage import Bare
from tests.support.listings import NAMES, PREFIXES, Reading, fill, in_memory, local, source_of
from thumbs.errors import StorageFailed
from thumbs.sources.listing import Listable, Unlistable


@pytest.fixture(params=["local", "FileSystemStorage", "a subclass of it", "InMemoryStorage"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Listable:
    fill(tmp_path)
    kinds: dict[str, Callable[[], Listable]] = {
        "local": lambda: local(tmp_path),
        "FileSystemStorage": lambda: source_of(FileSystemStorage(tmp_path)),
        "a subclass of it": lambda: source_of(Reading(tmp_path)),
        "InMemoryStorage": lambda: source_of(in_memory()),
    }
    return kinds[request.param]()


@pytest.mark.parametrize("prefix", PREFIXES)
def test_what_begins_with_a_prefix_is_listed_and_nothing_else(source: Listable, prefix: str) -> None:
    assert sorted(source.paths(prefix)) == sorted(name for name in NAMES if name.startswith(prefix))


@pytest.mark.parametrize("prefix", ["../", "cats/../", "/", "./", "cats//", "\0/"])
def test_no_prefix_leads_anywhere_else(tmp_path: Path, prefix: str) -> None:
    fill(tmp_path)
    (tmp_path.parent / "outside.jpg").touch()
    for root in (tmp_path, tmp_path / "cats"):
        assert list(local(root).paths(prefix)) == []


def test_links_are_listed_as_they_are_read(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    fill(root)
    outside.mkdir()
    (outside / "secret.jpg").touch()
    (root / "out").symlink_to(outside)
    (root / "cats" / "again").symlink_to(root / "cats")
    (root / "loop.jpg").symlink_to("loop.jpg")
    (root / "link.jpg").symlink_to("dog.jpg")
    assert sorted(local(root).paths("")) == sorted([*NAMES, "link.jpg"])
    assert list(local(root).paths("out/")) == []
    assert list(local(root, follow_symlinks=True).paths("out/")) == ["out/secret.jpg"]


def test_names_that_no_url_holds_are_left_out(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "not-\udcff-text.jpg").touch()
    assert sorted(local(tmp_path).paths("")) == sorted(NAMES)


def test_a_root_that_is_gone_is_the_storages_failure(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed):
        list(local(tmp_path / "gone").paths(""))


def test_a_storage_that_cannot_list_says_so() -> None:
    with pytest.raises(Unlistable):
        list(source_of(Bare(a=b"data")).paths(""))
