"""The tables of docs/migrating.md: each row is what the conversion does."""

import re
from pathlib import Path

import pytest

from tests.support.migrating import LOADS, body, python, template
from thumbs.toolkit.migration.peers import PEERS

_PAGE = (Path(__file__).resolve().parents[3] / "docs" / "migrating.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^\| `(.+?)` \| `(.+?)` \|$", re.MULTILINE)


def rows(peer: str, heading: str) -> list[tuple[str, str]]:
    section = re.search(rf"^## From {re.escape(PEERS[peer].name)}\n(.*?)(?=^## |\Z)", _PAGE, re.DOTALL | re.MULTILINE)
    assert section is not None
    table = section[1].partition(heading)[2].lstrip("\n").partition("\n\n")[0]
    return [(before.replace("\\|", "|"), after.replace("\\|", "|")) for before, after in _ROW.findall(table)]


_TAGS = [
    (peer, *row)
    for peer in ("sorl", "easy", "imagekit", "pictures", "versatile")
    for row in rows(peer, "| before | after |")
]


@pytest.mark.parametrize(("peer", "before", "after"), _TAGS)
def test_a_tag_of_the_page_becomes_what_the_page_says(peer: str, before: str, after: str) -> None:
    assert body(peer, before) == after


def test_every_package_has_a_table() -> None:
    assert {peer for peer, _, _ in _TAGS} == PEERS.keys() - {"wagtail"}
    assert len(_TAGS) >= 36


@pytest.mark.parametrize(("before", "after"), rows("imagekit", "| in a model before | after |"))
def test_a_spec_field_of_the_page_becomes_what_the_page_says(before: str, after: str) -> None:
    head = "from imagekit.models import ImageSpecField\nfrom imagekit.processors import *\n"
    assert f"    {after}\n" in python("imagekit", f"{head}class Photo:\n    {before}\n").text


@pytest.mark.parametrize(("tag", "call"), rows("wagtail", "| tag | call |"))
def test_a_wagtail_tag_of_the_page_gets_the_call_that_the_page_says(tag: str, call: str) -> None:
    (remark,) = template("wagtail", LOADS["wagtail"] + tag).left
    assert call in remark.sentence


@pytest.mark.parametrize(
    ("peer", "before", "after"),
    [
        ("sorl", 'get_thumbnail(f, "100x100", crop="center", quality=99)', 'thumb(f, "100x100", quality=99)'),
        ("easy", 'get_thumbnailer(f)["small"].url', 'thumb(f, "small").url'),
        (
            "easy",
            'get_thumbnailer(f).get_thumbnail({"size": (50, 50), "crop": True}).url',
            'thumb(f, "50x50", upscale="no").url',
        ),
        ("versatile", 'i.image.crop["400x400"].url', 'thumb(i.image, "400x400").url'),
    ],
)
def test_a_call_of_the_page_becomes_what_the_page_says(peer: str, before: str, after: str) -> None:
    assert f"`{before}`" in _PAGE
    assert f"`{after}`" in _PAGE
    head = "from sorl.thumbnail import get_thumbnail\nfrom easy_thumbnails.files import get_thumbnailer\n"
    code = before if before.endswith(".url") else f"{before}.url"
    assert after in python(peer, f"{head}url = {code}\n").text
