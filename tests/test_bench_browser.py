"""The comparison of files with a browser: what counts as the same, and what the table and the JSON say of it."""

import json
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.browser.__main__ import main
from bench.browser.canvas import CanvasError, Drawing
from bench.browser.comparison import Comparison, Result, Verdict, files_of
from bench.browser.mage import Answer
from bench.browser.report import as_json, differing, summary, table
from bench.browser.signaling import has_high_dynamic_range

GRAY = (100.0, 100.0, 100.0, 255.0)
PNG, TIFF = b"\x89PNG\r\n\x1a\n", b"II*\0"
BROKEN, UNSUPPORTED = Answer(422, code="source-broken"), Answer(415, code="source-unsupported")
THUMBNAIL = Answer(200, b"thumbnail")
PQ = PNG + b"\0\0\0\x04cICP\x09\x10\0\1"


def drawing(cell: tuple[float, float, float, float] = GRAY, *, width: int = 60, height: int = 40) -> Drawing:
    """All cells but the last are gray."""
    return Drawing(width, height, (*([GRAY] * 63), cell))


class FakeBrowser:
    """Draws originals as `original` and thumbnails as `thumbnail`; an exception is raised, None is no picture."""

    def __init__(self, original: Drawing | str | None, thumbnail: Drawing | str | None) -> None:
        self._original, self._thumbnail = original, thumbnail

    def draw(self, picture: Path | bytes) -> Drawing | None:
        found = self._original if isinstance(picture, Path) else self._thumbnail
        if isinstance(found, str):
            raise CanvasError(found)
        return found


class FakeMage:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def thumbnail(self, _file: Path) -> Answer:
        return self._answer


@pytest.fixture
def compared(tmp_path: Path) -> Callable[..., Result]:
    """A function that compares one file, `sub/a.png`."""

    def compare(
        original: Drawing | str | None,
        thumbnail: Drawing | str | None = None,
        *,
        answer: Answer = THUMBNAIL,
        head: bytes = PNG,
        expected: dict[str, int] | None = None,
    ) -> Result:
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "a.png").write_bytes(head)
        comparison = Comparison(tmp_path, FakeMage(answer), FakeBrowser(original, thumbnail), expected or {})
        (result,) = comparison.results(files_of(tmp_path))
        assert result.name == "sub/a.png"
        return result

    return compare


@pytest.mark.parametrize(
    ("cell", "verdict"),
    [
        ((102.0, 98.0, 100.0, 255.0), Verdict.SAME),
        ((102.1, 100.0, 100.0, 255.0), Verdict.COLOR),
        ((100.0, 97.9, 100.0, 255.0), Verdict.COLOR),
        ((100.0, 100.0, 106.0, 255.0), Verdict.COLOR),
        ((100.0, 100.0, 100.0, 253.0), Verdict.SAME),
        ((100.0, 100.0, 100.0, 252.9), Verdict.ALPHA),
        ((0.0, 0.0, 0.0, 0.0), Verdict.ALPHA),
    ],
)
def test_one_cell_more_than_two_levels_off_is_a_difference(
    compared: Callable[..., Result], cell: tuple[float, float, float, float], verdict: Verdict
) -> None:
    assert compared(drawing(cell), drawing()).verdict is verdict


@pytest.mark.parametrize(
    ("cell", "verdict"),
    [
        ((106.0, 100.0, 100.0, 255.0), Verdict.SAME),
        ((106.1, 100.0, 100.0, 255.0), Verdict.COLOR),
        ((100.0, 100.0, 100.0, 252.0), Verdict.ALPHA),
    ],
)
def test_colors_of_high_dynamic_range_may_be_six_levels_off(
    compared: Callable[..., Result], cell: tuple[float, float, float, float], verdict: Verdict
) -> None:
    assert compared(drawing(cell), drawing(), head=PQ).verdict is verdict


def test_the_same_colors_at_another_size_are_a_difference(compared: Callable[..., Result]) -> None:
    assert compared(drawing(), drawing(width=61)).verdict is Verdict.SIZE


@pytest.mark.parametrize(
    ("original", "answer", "head", "verdict"),
    [
        (drawing(), BROKEN, PNG, Verdict.REFUSED),
        (None, BROKEN, PNG, Verdict.NEITHER),
        (None, UNSUPPORTED, b"text", Verdict.NEITHER),
        (None, THUMBNAIL, PNG, Verdict.ONLY_MAGE),
        (None, THUMBNAIL, TIFF, Verdict.NO_BROWSER),
        (None, BROKEN, TIFF, Verdict.NO_BROWSER),
        (None, Answer(500, code="internal"), TIFF, Verdict.MAGE_FAILED),
        (None, Answer(504, code="render-timeout"), PNG, Verdict.MAGE_FAILED),
        (drawing(), Answer(0, code="ConnectionResetError"), PNG, Verdict.MAGE_FAILED),
        (drawing(), THUMBNAIL, PNG, Verdict.MAGE_FAILED),
        ("it ended", THUMBNAIL, PNG, Verdict.BROWSER_FAILED),
        ("it ended", BROKEN, PNG, Verdict.BROWSER_FAILED),
    ],
)
def test_what_one_of_both_does_not_show_is_compared_by_status(
    compared: Callable[..., Result], original: Drawing | str | None, answer: Answer, head: bytes, verdict: Verdict
) -> None:
    result = compared(original, answer=answer, head=head)
    assert result.verdict is verdict
    assert result.difference is None


@pytest.mark.parametrize(("status", "verdict"), [(422, Verdict.AS_EXPECTED), (200, Verdict.STATUS)])
def test_where_the_browser_is_no_reference_only_the_expected_status_counts(
    compared: Callable[..., Result], status: int, verdict: Verdict
) -> None:
    assert compared(drawing(), answer=BROKEN, expected={"sub/a.png": status}).verdict is verdict


def test_a_browser_that_fails_at_the_thumbnail_is_named(compared: Callable[..., Result]) -> None:
    result = compared(drawing(), "it ended")
    assert result.verdict is Verdict.BROWSER_FAILED
    assert "| browser failed: it ended |" in table([result])


@pytest.mark.parametrize(
    "head",
    [
        PQ,
        PNG + b"\0\0\0\x04cICP\x09\x12\0\1",
        b"\0\0\0\x13colrnclx\0\x09\0\x10\0\x09\x80",
        b"cicp\0\0\0\0\x09\x12\0\1",
        PNG + b"\0\0\0\x40iCCPname\0\0" + zlib.compress(b"acsp" + bytes(500) + b"cicp\0\0\0\0\x09\x10\0\1"),
    ],
)
def test_pq_and_hlg_are_found_in_every_description_of_color(head: bytes) -> None:
    assert has_high_dynamic_range(head)


@pytest.mark.parametrize(
    "head",
    [
        PNG + b"\0\0\0\x04cICP\x0c\x0d\0\1",
        b"\0\0\0\x13colrnclx\0\x09\0\x0d\0\x09\x80",
        PNG + b"\0\0\0\x40iCCPname\0\0" + b"not deflated",
        b"",
    ],
)
def test_other_descriptions_of_color_are_of_standard_range(head: bytes) -> None:
    assert not has_high_dynamic_range(head)


def results() -> list[Result]:
    same = Result("a.png", THUMBNAIL, drawing(), drawing(), Verdict.SAME, 2.0)
    off = Result("b|c.png", THUMBNAIL, drawing(), drawing((90.0, 100.0, 100.0, 255.0)), Verdict.COLOR, 2.0)
    return [same, off, Result("d.jpg", BROKEN, None, drawing(), Verdict.REFUSED, 2.0)]


def test_the_table_has_statuses_sizes_differences_and_verdicts() -> None:
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in table(results()).splitlines()]
    assert rows[2] == ["a.png", "200", "60×40", "60×40", "0.00", "0.00", "same"]
    assert rows[3] == [r"b\|c.png", "200", "60×40", "60×40", "10.00", "0.00", "color differs"]
    assert rows[4] == ["d.jpg", "422 source-broken", "–", "60×40", "–", "–", "refused by Mage"]


def test_the_summary_counts_each_verdict() -> None:
    assert summary(results()) == "3 files, 2 of them differ: 1 same, 1 color differs, 1 refused by Mage"


def test_the_json_has_all_cells_and_says_which_files_differ() -> None:
    found = json.loads(json.dumps(as_json(results(), browser="chrome 1")))
    assert [file["differs"] for file in found["files"]] == [False, True, True]
    assert found["differing"] == len(differing(results())) == 2
    assert found["files"][1]["browser"]["cells"][63] == [90, 100, 100, 255]
    assert found["files"][2]["mage"] is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["no-such-directory"], "is not a directory"),
        (["{empty}"], "has no files"),
        (["{empty}", "--tolerance=256"], "between 0 and 255"),
        (["{empty}", "--expected={empty}/none.json"], "cannot be read as JSON"),
    ],
)
def test_a_wrong_option_is_explained_before_anything_is_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    with pytest.raises(SystemExit) as exited:
        main([each.format(empty=tmp_path) for each in arguments])
    assert exited.value.code == 2
    assert sentence in capsys.readouterr().err
