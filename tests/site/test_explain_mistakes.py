"""`thumb_url --explain` prints every mistake of a URL below the part that is wrong; `explain` has them as data."""

import json
import re
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.core.management import CommandError
from django.test import override_settings

from tests.support.commands import Run, local_storage
from tests.support.servers import ROOT
from tests.support.targets import RAW_TARGETS
from thumbs.request.mistakes.located import Mistake
from thumbs.site.explain import explain
from thumbs.wiring import process

WRONG = "/img/on-disk/thumbs/90X/filters:formt(wepb);qualty(70)/B\u00fccher//t.jpg/as/t.txt"


def parts_of(url: str) -> list[tuple[str, str]]:
    """The wrong parts of the URL as it is shown, with the nearest right ones."""
    explanation = explain(url)
    for mistake in explanation.mistakes:
        assert explanation.url[mistake.offset : mistake.end] == mistake.text
    return [(mistake.text, mistake.nearest) for mistake in explanation.mistakes]


def printed(run: Run, capsys: pytest.CaptureFixture[str], url: str) -> list[str]:
    """The lines that are printed before the error."""
    with pytest.raises(CommandError):
        run("thumb_url", "--explain", url)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("before", ["", "https://img.example.com"])
@pytest.mark.parametrize("spelling", [WRONG, quote(WRONG, safe="/"), quote(WRONG), f"{WRONG}?utm=1#part"])
def test_every_mistake_is_found_in_any_spelling_of_the_url(storages: object, before: str, spelling: str) -> None:
    expected = [("90X", "90x"), ("formt", "format"), ("wepb", "webp"), ("qualty", "quality"), ("/", ""), ("txt", "")]
    assert parts_of(before + spelling) == expected


def test_each_mistake_is_printed_below_the_url_with_carets(
    run: Run, storages: object, capsys: pytest.CaptureFixture[str]
) -> None:
    url = "/img/on-disk/thumbs/90x/f:formt(wepb)/B%C3%BCcher//a.jpg"
    assert printed(run, capsys, url) == [
        "storage:     on-disk, unsigned",
        "",
        url,
        " " * url.index("formt") + "^^^^^",
        "There is no filter 'formt'. Did you mean 'format'?",
        "",
        url,
        " " * url.index("wepb") + "^^^^",
        "format takes jpeg, jpg, png, webp, avif, jxl, gif, auto, json or original. Did you mean 'webp'?",
        "",
        url,
        " " * url.index("//") + "^",
        "A segment of the path is empty: this slash is one too many.",
    ]


def test_the_readme_shows_what_is_printed(
    run: Run, originals: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = re.search(r"```\n(/photos/.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert shown is not None
    thumbs = {"STORAGES": [local_storage("photos", originals)], "RUN_DIR": str(tmp_path), "URL_PREFIX": "/"}
    with override_settings(THUMBS=thumbs):
        process.reset()
        assert shown[1].splitlines() == printed(run, capsys, shown[1].splitlines()[0])[2:]
    process.reset()


def test_a_part_that_is_percent_encoded_is_pointed_at_as_a_whole(storages: object) -> None:
    assert parts_of("/img/on-disk/thumbs/90%C3%9760/a%5Cb.jpg") == [("90%C3%9760", "90x60"), ("%5C", "/")]
    assert parts_of("/img/on-disk/thumbs/90x/%ff%0A.jpg") == [("%ff", ""), ("%0A", "")]


@pytest.mark.parametrize(
    "part", ["\udcffcats/a.jpg", "90x/a/as/\udcffb", "\udcff", "90x/f:\udcff=1/a", "90x/f:v(\udcff)/a"]
)
def test_no_nearest_part_has_bytes_that_are_not_utf_8(storages: object, part: str) -> None:
    for storage in ("on-disk", "signed", "\udcff"):
        mistakes = explain(f"/img/{storage}/thumbs/{part}").mistakes
        assert mistakes
        assert "\udcff" not in "".join(f"{each}{each.text}" for each in mistakes)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/img/on-dsk/thumbs/90x/f:q(0)/a.jpg", [("on-dsk", "on-disk"), ("0", "1")]),
        ("/img/on-disk/thumb/90x/a.jpg", [("thumb", "thumbs")]),
        ("/img/on-disk/90x/a.jpg", [("", "thumbs/")]),
        ("/on-disk/thumbs/90x/f:q(0)/a.jpg", [("/", "/img/"), ("0", "1")]),
        ("/imgs/on-disk/thumbs/90x/a.jpg", [("/imgs/", "/img/")]),
        ("on-disk/thumbs/90x/a.jpg", [("", "/img/")]),
        ("https://example.com/on-disk/thumbs/90x/a.jpg", [("/", "/img/")]),
        ("https://example.com", [("", "")]),
        ("/img/signed/thumbs/90x/a.jpg", [("", "")]),
        ("/img/on-disk/thumbs/9999x/a.jpg", [("9999x", "5120x")]),
        ("/img/on-disk/thumbs/90x/f:exp(1)/a.jpg", [("1", "")]),
    ],
)
def test_what_stands_before_the_target_and_what_is_not_offered_is_named(
    storages: object, url: str, expected: list[tuple[str, str]]
) -> None:
    assert parts_of(url) == expected


def test_the_whole_of_a_url_that_is_too_long_is_a_mistake(storages: object) -> None:
    url = f"/img/on-disk/thumbs/90x/a.jpg?{'x' * 2100}"
    assert parts_of(url) == [(url, "")]


def test_a_url_has_an_error_exactly_when_it_has_mistakes(storages: object) -> None:
    for target, _ in RAW_TARGETS:
        for storage in ("on-disk", "signed"):
            explanation = explain(
                target.replace(b"@local", b"/img/" + storage.encode()).decode(errors="surrogateescape")
            )
            assert bool(explanation.mistakes) == (explanation.error is not None), target


def test_no_signature_is_printed_with_a_mistake(run: Run, storages: object, capsys: pytest.CaptureFixture[str]) -> None:
    url = run("thumb_url", "signed", "quarters.jpg", "--size", "50x").strip()
    signature = url.split("/")[4]
    for wrong in (
        *(url.replace("50x", "51x"), url.replace("50x", "50y"), url.replace("signed", "sigend"), url[4:]),
        *(url.replace("thumbs", "thumb"), url.replace("/signed/thumbs", ""), url.replace("signed/", "")),
    ):
        lines = printed(run, capsys, f"https://example.com{wrong}")
        assert any(line.startswith("https://example.com") and "/[signature]/5" in line for line in lines)
        assert signature not in "\n".join(lines)
    assert explain(url.replace("50x", "51x")).mistakes[0].text == "[signature]"
    assert signature not in repr(explain(url))


def test_an_explanation_is_data_for_a_page(storages: object) -> None:
    explanation = explain("/img/on-disk/thumbs/90x/f:q(0)/a.jpg")
    assert explanation.url == "/img/on-disk/thumbs/90x/f:q(0)/a.jpg"
    (mistake,) = explanation.mistakes
    assert mistake == Mistake(28, "0", "quality takes a whole number from 1 to 100.", "1")
    assert json.loads(json.dumps(asdict(mistake)))["nearest"] == "1"
    assert explain("/img/on-disk/thumbs/90x/a.jpg").mistakes == ()


def test_the_prefix_is_that_of_the_configuration(storages: object) -> None:
    process.reset()
    with override_settings(THUMBS={**settings.THUMBS, "URL_PREFIX": "https://img.example.com/pictures/"}):
        assert parts_of("/pictures/on-disk/thumbs/90y/a.jpg") == [("90y", "90x")]
        assert parts_of("https://img.example.com/on-disk/thumbs/90x/a.jpg") == [("/", "/pictures/")]
    process.reset()
