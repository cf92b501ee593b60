"""A column with more text than a focal point is none, and no copy of the text is kept."""

import pytest

from tests.support.toolkit_site import a_file
from thumbs.fields import focus_of
from thumbs.toolkit import files
from thumbs.toolkit.models import focal_points

_LARGE = ["0.5,0.5" + " " * 100_000, " " * 100_000 + "0.5,0.5", "0.5" + "5" * 100_000 + ",0.5", "x" * 100_000]


@pytest.mark.parametrize("text", _LARGE, ids=["end", "start", "decimals", "other"])
def test_large_text_is_no_focal_point_and_is_not_kept(text: str) -> None:
    files.focus_text.cache_clear()
    focal_points._read.cache_clear()
    source = files.file_of(a_file("a.jpg", focus=text))
    assert source is not None
    assert source.focus is None
    assert focus_of(text) == ""
    assert files.focus_text.cache_info().currsize == focal_points._read.cache_info().currsize == 0


@pytest.mark.parametrize("text", ["0.12345678901234567,0.12345678901234567", "  0.5 , 0.5  "])
def test_every_number_that_a_row_may_have_is_read(text: str) -> None:
    source = files.file_of(a_file("a.jpg", focus=text))
    assert source is not None
    assert source.focus
    assert focus_of(text)
