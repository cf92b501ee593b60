"""The memos of the prepared URLs: bounded, safe in many threads, and of one configuration each."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support import toolkit_site
from tests.support.toolkit_site import configured
from thumbs import WrongSpec, picture, thumb
from thumbs.toolkit import urls as urls_module
from thumbs.toolkit.urls import urls


def test_memos_stay_small_whatever_data_gives(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(urls_module, "_MOST", 10)
    with configured():
        for number in range(1, 60):
            file = toolkit_site.a_file(f"{number}.x{number}", size=(number, number))
            assert thumb(file, f"{number}x", storage="open", quality=number)
            assert picture(file, "x", storage="open", widths=[number])
            assert thumb(file, "9x")
            with pytest.raises(WrongSpec):
                thumb(None, f"{number}xx")
        current = urls()
        for memo in (current._prepared, current._serving, current._plans, current._spelled, current._mounts):
            assert 0 <= len(memo) <= 10
        assert len(current._checked) <= 10
        prepared = current.prepared("open", "x", {})
        assert len(prepared._outcomes) <= 6


def test_threads_that_share_a_full_memo_get_their_own_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urls_module, "_MOST", 2)

    def ask(number: int) -> bool:
        width = number % 7 + 1
        made = picture("a.jpg", "x", storage="open", widths=[width], format="png")
        return f"/{width}x/" in made.img.url and f" {width}w" in made.html

    with configured(), ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(300)))


def test_values_that_are_equal_are_told_apart() -> None:
    with configured():
        assert "flip" in thumb("a.jpg", "9x", storage="open", flip=True).url
        with pytest.raises(WrongSpec, match="flip"):
            thumb("a.jpg", "9x", storage="open", flip=1)
        assert "flip" in thumb("a.jpg", "9x", storage="open", flip=True).url


def test_arguments_may_be_a_list() -> None:
    with configured():
        lists = thumb("a.jpg", "9x9", storage="open", gravity=[0.25, 0.5]).url
        assert lists == thumb("a.jpg", "9x9", storage="open", gravity=(0.25, 0.5)).url
        assert "gravity(0.25,0.5)" in lists
