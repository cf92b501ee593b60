"""The check of words: what it finds in a line, what it leaves alone, and which lines may keep a word."""

from pathlib import Path

import pytest

from tests.support.words import ROOT, Allowed, in_text, problems, read_allowed, texts_of, unused

LIBVIPS_NAME = Allowed("a.py", "crop = 'centre'  # libvips spells it so", "a name of libvips")


def words(line: str, path: str = "a.py") -> list[str]:
    return [found.word for found in in_text(path, line)]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("# Nobody waits, whoever asks.", ["Nobody", "whoever"]),
        ("WHO is there", ["WHO"]),
        ("the colours of its neighbours", ["colours", "neighbours"]),
        ("colour_space = ColourSpace(GREY_LEVELS)", ["colour", "Colour", "GREY"]),
        ("image2colour(grey8)", ["colour", "grey"]),
        ("def parseXMLColour(): ...", ["Colour"]),
        ("serialise, unnormalised, Optimisation", ["serialise", "unnormalised", "Optimisation"]),
        ("it analyses what is analysed at the centre", ["analysed", "centre"]),
        ("a catalogue under licence, labelled", ["catalogue", "licence", "labelled"]),
        ("thrice on a journey; oftener", ["thrice", "journey", "oftener"]),
    ],
)
def test_a_word_is_found_whole_in_any_case_and_inside_identifiers(line: str, found: list[str]) -> None:
    assert words(line) == found


@pytest.mark.parametrize(
    "line",
    [
        "whole, whose, anyone, someone",
        "image.colourspace('b-w'), darkgrey, greyhound",
        "color, gray, center, behavior, normalize, analyze, catalog, license, labeled, judgment",
        "CancelledError, cancelled, promise, raise, precise, exercise, otherwise, noise, revise, advertise",
        "metrics, literal, centimeter, program, toward",
    ],
)
def test_other_words_are_left_alone(line: str) -> None:
    assert words(line) == []


def test_a_word_is_reported_with_its_line_and_what_to_do() -> None:
    (found,) = in_text("docs/a.md", "one\ntwo colours\n")
    assert str(found) == "docs/a.md:2: colours: spell it -or"


def test_an_allowed_line_may_keep_its_word_in_its_own_file_only() -> None:
    text = f"    {LIBVIPS_NAME.line}\ngrey\n"
    assert [found.word for found in in_text("a.py", text, [LIBVIPS_NAME])] == ["grey"]
    assert [found.word for found in in_text("b.py", text, [LIBVIPS_NAME])] == ["centre", "grey"]


def test_an_allowed_line_that_is_gone_or_has_no_such_word_is_not_needed() -> None:
    harmless = Allowed("a.py", "crop = 'center'", "nothing")
    moved = Allowed("b.py", LIBVIPS_NAME.line, "it was there")
    texts = {"a.py": f"{LIBVIPS_NAME.line}\n{harmless.line}\n", "b.py": ""}
    assert unused(texts, [LIBVIPS_NAME, harmless, moved]) == [harmless, moved]


def test_the_allowed_lines_are_read_with_path_line_and_reason() -> None:
    row = f'[[allowed]]\npath = "a.py"\nline = """{LIBVIPS_NAME.line}"""\nreason = "a name of libvips"\n'
    assert read_allowed(row) == [LIBVIPS_NAME]
    assert read_allowed("# none\n") == []
    with pytest.raises(TypeError, match="reason"):
        read_allowed('[[allowed]]\npath = "a.py"\nline = "x"\n')


def test_code_texts_and_scripts_are_checked_and_generated_files_are_not(tmp_path: Path) -> None:
    for path in ("a.py", "b.md", "script/run", ".ci/run", "Dockerfile", "c.jpg", "var/d.py", ".venv/e.py", "f.txt"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("grey")
    assert sorted(texts_of(tmp_path)) == [".ci/run", "Dockerfile", "a.py", "b.md", "script/run"]
    rows = (("a.py", "grey"), ("b.md", "x"))
    table = "".join(f'[[allowed]]\npath = "{path}"\nline = "{line}"\nreason = "a test"\n' for path, line in rows)
    (tmp_path / "script" / "allowed-words.toml").write_text(table)
    assert sorted(problems(tmp_path)) == [
        ".ci/run:1: grey: spell it with an a",
        "Dockerfile:1: grey: spell it with an a",
        "b.md:1: grey: spell it with an a",
        "script/allowed-words.toml: remove the line that is not needed: b.md: x",
        "script/run:1: grey: spell it with an a",
    ]


def test_the_project_uses_none_of_these_words() -> None:
    assert problems(ROOT) == []
