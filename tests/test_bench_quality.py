"""The arithmetic of `bench.quality`: ladders, the parts of originals that thumbnails show, and its document."""

import math
import re
from pathlib import Path

import pytest

from bench.quality.__main__ import TABLES
from bench.quality.document import UnknownMarkError, replaced
from bench.quality.ladders import Rung, at_score, middle
from bench.quality.scores import shown_box
from thumbs.image.transforms import Fit, Transform

LADDER = (Rung(60, 10_000, 60.0), Rung(70, 20_000, 70.0), Rung(80, 80_000, 80.0))


@pytest.mark.parametrize(
    ("wanted", "quality", "size"),
    [(60.0, 60, 10_000), (70.0, 70, 20_000), (80.0, 80, 80_000), (65.0, 65, 14_142), (75.0, 75, 40_000)],
)
def test_bytes_grow_by_a_factor_for_each_point(wanted: float, quality: float, size: float) -> None:
    found = at_score(LADDER, wanted)
    assert found is not None
    assert math.isclose(found[0], quality)
    assert round(found[1]) == size


@pytest.mark.parametrize("wanted", [59.9, 80.1])
def test_a_ladder_is_not_made_longer(wanted: float) -> None:
    assert at_score(LADDER, wanted) is None


def test_a_median_is_of_those_that_there_are() -> None:
    assert middle([3, None, 1, 2]) == 2
    assert middle([None]) is None


def test_a_thumbnail_of_another_ratio_shows_the_exact_part_that_is_left() -> None:
    size, box = shown_box((1800, 1200), Transform(500, 300))
    assert size == (500, 300)
    assert box == pytest.approx((0, 58.2, 1800, 1138.2), abs=1e-6)
    size, box = shown_box((3000, 2000), Transform(500, 500, fit=Fit.CONTAIN))
    assert size == (500, 333)
    assert box == pytest.approx((0, 1, 3000, 1999), abs=1e-6)


def test_a_table_replaces_what_stands_between_its_marks() -> None:
    text = "a\n<!-- table: one -->\nold\nlines\n<!-- end -->\nb\n<!-- table: two -->\nkept\n<!-- end -->\n"
    assert replaced(text, {"one": "| new |"}) == text.replace("old\nlines", "| new |")


def test_a_document_without_the_mark_is_an_error() -> None:
    with pytest.raises(UnknownMarkError):
        replaced("nothing", {"one": "| new |"})


def test_the_document_has_a_mark_for_every_table_of_the_command() -> None:
    text = (Path(__file__).resolve().parents[1] / "docs" / "quality.md").read_text()
    marks = re.findall(r"^<!-- table: (.+) -->$", text, re.MULTILINE)
    assert sorted(marks) == sorted(TABLES)
