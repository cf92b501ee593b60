"""Values of the configuration that are more than a type: what is read, and the words for what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from thumbs.conf import values
from thumbs.image.quality import DEFAULT_QUALITIES

NAMES = "lower-case letters, digits, hyphens and underscores"


def refusal(kind: Callable[[object], object], value: object) -> str:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the sentence is compared by the caller
        kind(value)
    return str(raised.value)


@pytest.mark.parametrize(
    ("kind", "good", "bad", "sentence"),
    [
        (
            values.storage_name,
            ["a", "photos-2", "9_x"],
            ["", "Photos", "-a", "a b", "a/", 3, None],
            f"{NAMES}, a letter or digit first",
        ),
        (values.size, ["400x300", "400x", "x300", "x"], ["", "400", "axb", "4-x3", 400], "sizes such as 400x300"),
        (values.header_value, ["", "a\tb ~"], ["é", "a\n", "a\x00", 1], "header values of printable ASCII"),
        (values.prefix, ["/", "/img/", "https://img.example.com/"], ["", "/img", None], "what stands before"),
    ],
)
def test_a_text_is_read_as_it_is_or_refused(
    kind: Callable[[object], object], good: list[object], bad: list[object], sentence: str
) -> None:
    assert [kind(value) for value in good] == good
    for value in bad:
        assert refusal(kind, value).startswith(sentence)


def test_headers_have_names_of_headers_and_are_not_our_own() -> None:
    good = {"X-A": "1", "Access-Control-Allow-Origin": "*"}
    assert values.headers(good) == good
    for name in ("", "a b", "a:", "é"):
        assert refusal(values.headers, {name: "x"}) == "an object of header names and values"
    for name in ("cache-control", "ETag", "X-CACHE", "Content-Disposition", "Retry-After"):
        assert refusal(values.headers, {name: "x"}).startswith("an object without headers that every answer has")


@pytest.mark.parametrize(
    "name",
    [
        *("CDN-Cache-Control", "Cloudflare-CDN-Cache-Control", "vercel-cdn-cache-control", "Akamai-Cache-Control"),
        *("Surrogate-Control", "surrogate-control", "Edge-Control", "Expires", "X-Accel-Expires"),
    ],
)
def test_no_header_gives_errors_a_lifetime_in_some_caches(name: str) -> None:
    sentence = refusal(values.headers, {"X-A": "1", name: "max-age=31536000"})
    assert sentence.startswith(f"an object without {name}, with which caches would keep errors; ")
    assert "use cache_control" in sentence


def test_headers_about_caches_that_give_no_lifetime_are_read() -> None:
    good = {"Surrogate-Key": "photos", "Cache-Tag": "photos", "Vary": "Origin", "X-Accel-Buffering": "no"}
    assert values.headers(good) == good


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("400x300", "objects such as "),
        ({}, "objects such as "),
        ({"size": "9x", "quality": 3}, "objects such as "),
        ({"size": 9}, "texts, spelled as in a URL"),
        ({"size": "9"}, "spelled as in a URL. The size must be"),
        ({"filters": "blurr(2)"}, "spelled as in a URL. Unknown filter."),
        ({"filters": "preset(card)"}, "spelled as in a URL. A preset cannot have preset: it belongs in a URL"),
        ({"filters": "version(2)"}, "spelled as in a URL. A preset cannot have version: it belongs in a URL"),
        ({"size": "9x", "filters": "q(9);v(2)"}, "spelled as in a URL. A preset cannot have version"),
    ],
)
def test_a_preset_is_spelled_as_in_a_url(value: object, sentence: str) -> None:
    said = refusal(values.preset_of, value)
    assert said.startswith(sentence)
    assert not said.endswith(".")


def test_presets_have_names_that_a_url_can_hold() -> None:
    read = values.presets({"card": {"size": "40x30"}, "plain-2": {"filters": "format(webp)"}})
    assert list(read) == ["card", "plain-2"]
    for name in ("", "Card", "a b", "a.b"):
        assert refusal(values.presets, {name: {"size": "40x30"}}) == f"an object whose names are {NAMES}"


def test_a_watermark_is_a_picture_file_that_can_be_read(originals: Path, tmp_path: Path) -> None:
    good = {"logo": str(originals / "quarters.png"), "second": str(originals / "quarters.jpg")}
    assert values.watermarks(good) == good
    notes = tmp_path / "notes.txt"
    notes.write_text("Tom likes fish.")
    for file in (notes, tmp_path / "away.png", tmp_path):
        sentence = "an object of names and picture files that can be read, and 'bad' is none: "
        assert refusal(values.watermarks, {**good, "bad": str(file)}) == f"{sentence}{file}"
    assert refusal(values.watermarks, {"Logo": good["logo"]}) == f"an object whose names are {NAMES}"


def test_qualities_are_those_of_the_formats_that_have_one() -> None:
    some: dict[str, Any] = dict.fromkeys(DEFAULT_QUALITIES, 50)
    assert list(values.qualities(some)) == list(DEFAULT_QUALITIES)
    assert refusal(values.qualities, {**some, "gif": 50}) == f"an object with the keys {', '.join(DEFAULT_QUALITIES)}"
