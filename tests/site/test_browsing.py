"""Originals are listed page by page; a storage that fails or hangs delays nothing but its own page, by a bound."""

import threading
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest

from tests.support.toolkit_site import configured, storage
from thumbs.errors import StorageFailed, StorageTimeout
from thumbs.site import browsing
from thumbs.sources.listing import Unlistable
from thumbs.wiring.process import thumbnailer


class Listed:
    """A source with `count` keys, which fails or hangs after `most` of them."""

    def __init__(self, count: int, *, most: int | None = None, error: Exception | None = None) -> None:
        self.count, self.most, self.error = count, most, error
        self.released = threading.Event()

    def paths(self, prefix: str) -> Iterator[str]:
        for number in range(self.count):
            if number == self.most:
                if self.error is not None:
                    raise self.error
                self.released.wait()
            if (key := f"cats/{number:06}.jpg").startswith(prefix):
                yield key


@pytest.fixture(autouse=True)
def _a_storage(tmp_path: Path) -> Iterator[None]:
    with configured([storage("photos", tmp_path), storage("others", tmp_path)]):
        yield


def use(source: object, name: str = "photos") -> None:
    object.__setattr__(thumbnailer().storages[name], "source", source)


def test_a_page_has_fifty_keys_and_says_whether_more_follow() -> None:
    use(Listed(101))
    pages = [browsing.originals("photos", number=number) for number in range(4)]
    assert [len(page.keys) for page in pages] == [50, 50, 1, 0]
    assert [page.more for page in pages] == [True, True, False, False]
    assert len({key for page in pages for key in page.keys}) == 101


def test_the_first_page_of_many_reads_no_more_than_it_shows() -> None:
    source = Listed(100_000, most=51, error=StorageFailed())
    use(source)
    assert browsing.originals("photos").keys[0] == "cats/000000.jpg"
    with pytest.raises(StorageFailed):
        browsing.originals("photos", number=1)


def test_a_page_for_which_no_thread_can_be_started_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    use(Listed(1))
    monkeypatch.setattr(browsing, "_pools", {})  # of tests before, with threads that are idle
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", Mock(side_effect=RuntimeError("can't start new thread")))
        with pytest.raises(StorageFailed):
            browsing.originals("photos")
    assert browsing.originals("photos").keys == ("cats/000000.jpg",)


def test_a_hundred_thousand_originals_are_within_reach() -> None:
    use(Listed(100_000))
    last = browsing.originals("photos", number=1999, seconds=60)
    assert (last.keys[-1], last.more) == ("cats/099999.jpg", False)


def test_a_storage_that_hangs_is_left_and_another_one_is_not_affected() -> None:
    source = Listed(60, most=10)
    use(source)
    use(Listed(3), "others")
    try:
        for _ in range(3):  # more than there are threads
            with pytest.raises(StorageTimeout):
                browsing.originals("photos", seconds=0.05)
        assert len(browsing.originals("others").keys) == 3
    finally:
        source.released.set()


def test_files_that_are_no_pictures_and_names_without_a_url_are_left_out(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.pdf", "c", "d.PNG", "e\\f.jpg", "g.tar.gz", "h.svg"):
        (tmp_path / name).write_bytes(b"")
    assert browsing.originals("photos").keys == ("a.jpg", "c", "d.PNG", "h.svg")
    assert browsing.originals("photos", "d").keys == ("d.PNG",)


def test_a_source_without_a_listing_says_so() -> None:
    use(object())
    assert not browsing.can_list("photos")
    with pytest.raises(Unlistable):
        browsing.originals("photos")
