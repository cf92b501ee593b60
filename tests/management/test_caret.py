"""Carets stand under the wrong part, whatever the width of the characters before it and of the terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thumbs.management.caret import pointed_at
from thumbs.request.mistakes.located import Mistake


@pytest.mark.parametrize(
    ("line", "part", "carets"),
    [
        ("/photos/thumbs/90y/a", "90y", " " * 15 + "^^^"),
        ("/猫/é/90y", "90y", " " * 6 + "^^^"),
        ("/e\u0301/90y", "90y", " " * 3 + "^^^"),
        ("/猫", "猫", " ^^"),
        ("/a", "", "^"),
    ],
)
def test_carets_stand_under_the_part(line: str, part: str, carets: str) -> None:
    assert pointed_at(line, Mistake(line.index(part), part, "It is wrong.")) == (line, carets)


def test_of_a_line_wider_than_the_terminal_the_part_is_shown() -> None:
    line = "/" + "a" * 100 + "/90y/" + "b" * 100
    assert pointed_at(line, Mistake(102, "90y", "It is wrong."), 40) == (
        "…" + "a" * 12 + "/90y/" + "b" * 21 + "…",
        " " * 14 + "^^^",
    )
    assert pointed_at(line, Mistake(102, "90y", "It is wrong."), 206) == (line, " " * 102 + "^^^")


@given(st.text("a/猫", max_size=80), st.integers(0, 80), st.integers(0, 80), st.integers(12, 100))
def test_no_line_is_wider_than_the_terminal(line: str, start: int, length: int, columns: int) -> None:
    start = min(start, len(line))
    part = line[start : start + length]
    shown, carets = pointed_at(line, Mistake(start, part, "It is wrong."), columns)
    assert sum(2 if char == "猫" else 1 for char in shown) <= columns
    assert len(carets) <= columns + 1
    begin = carets.index("^")
    kept = len(shown.strip("…"))
    assert kept or not line
    if part:
        cells = [char for char in shown for _ in range(2 if char == "猫" else 1)]
        assert cells[begin] == part[0]
