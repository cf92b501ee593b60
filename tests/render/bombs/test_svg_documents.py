"""Documents within an SVG, in `data` URLs, and drawings that librsvg reads further than expat does."""

import base64
import gzip
import zlib
from urllib.parse import quote

import pytest

from tests.support.pictures import encoded, noise
from thumbs.errors import SourceBroken
from thumbs.image.formats import DEFAULT_INPUTS
from thumbs.render.bombs.svg import Unreadable, is_bomb
from thumbs.render.table import read_header

NAMESPACES = (
    "xmlns='http://www.w3.org/2000/svg' xmlns:x='http://www.w3.org/1999/xlink' "
    "xmlns:xi='http://www.w3.org/2001/XInclude' width='9' height='9'"
)
BLANKS = "%20" * 1000


def drawing(content: str) -> str:
    return f"<svg {NAMESPACES}>{content}</svg>"


def powers(levels: int) -> str:
    """A circle that is used 10 to the power of `levels` times."""
    groups = (f"<g id='g{level}'>" + f"<use href='#g{level - 1}'/>" * 10 + "</g>" for level in range(1, levels + 1))
    return drawing("<g id='g0'><circle r='1'/></g>" + "".join(groups))


def in_url(document: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(document.encode()).decode()


# Names have more letters in the fifth edition of XML 1.0, which libxml2 reads, than in the fourth.
UNREADABLE = powers(6).replace("<circle", "<\U00010000/><circle")
REFERENCES = {
    "image": "<image href='{}'/>",
    "image of xlink": "<image x:href='{}'/>",
    "filter": "<filter><feImage href='{}'/></filter>",
    "use": "<use href='{}#g6'/>",
}


@pytest.mark.parametrize("reference", REFERENCES.values(), ids=REFERENCES)
def test_a_document_within_counts_as_elements_of_the_drawing(reference: str) -> None:
    assert is_bomb(drawing(reference.format(in_url(powers(6)))).encode())
    assert not is_bomb(drawing(reference.format(in_url(powers(2)))).encode())


@pytest.mark.parametrize("include", ["<xi:include parse='xml' href='{}'/>", "<include xmlns='{}' href='{}'/>"])
def test_a_document_that_is_included_is_too_much(include: str) -> None:
    """Its elements would be parts of the drawing, which can use each as often as it likes."""
    space = "http://www.w3.org/2001/XInclude"
    url = in_url(powers(1))
    included = include.format(url) if include.count("{}") == 1 else include.format(space, url)
    assert is_bomb(drawing(included).encode())


@pytest.mark.parametrize("times", [10, 1000])
def test_a_document_is_counted_as_often_as_it_is_used(times: int) -> None:
    part = f"<g id='a'><image href='{in_url(powers(3))}'/></g>"
    assert is_bomb(drawing(part + "<use href='#a'/>" * times).encode()) is (times == 1000)


FORMS = {
    "capitals": lambda document: in_url(document).replace("data:", "DaTa:"),
    "blanks before": lambda document: "  " + in_url(document),
    "line ends": lambda document: in_url(document).replace("data:", "da&#10;ta&#9;:"),
    "no type": lambda document: in_url(document).replace("image/svg+xml", ""),
    "another type": lambda document: in_url(document).replace("image/svg+xml", "image/png"),
    "percent signs": lambda document: "data:image/svg+xml," + quote(document),
    "blanks within": lambda document: "data:image/svg+xml," + BLANKS + quote(document),
    "UTF-16": lambda document: "data:;base64," + base64.b64encode(document.encode("utf-16")).decode(),
    "a mark": lambda document: "data:;base64," + base64.b64encode(document.encode("utf-8-sig")).decode(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_document_is_found_in_every_form_of_its_url(form: object) -> None:
    assert is_bomb(drawing(f"<image href='{form(powers(6))}'/>").encode())  # type: ignore[operator]
    assert not is_bomb(drawing(f"<image href='{form(powers(1))}'/>").encode())  # type: ignore[operator]


def test_a_document_that_is_compressed_or_many_levels_deep_is_too_much() -> None:
    compressed = base64.b64encode(gzip.compress(powers(1).encode())).decode()
    assert is_bomb(drawing(f"<image href='data:image/svg+xml;base64,{compressed}'/>").encode())
    document = powers(1)
    for _ in range(3):
        document = drawing(f"<image href='{in_url(document)}'/>")
        assert not is_bomb(document.encode())
    for _ in range(40):
        document = drawing(f"<image href='data:,{quote(document)}'/>") if len(document) < 10**6 else document
    assert is_bomb(document.encode())


IN_CSS = {
    "attribute": "<rect fill=\"url('{}#p')\"/>",
    "attribute without quotes": "<rect filter='url( {}#p)'/>",
    "style of an element": "<rect style='fill:url({}#p)'/>",
    "style sheet": "<style>rect {{ fill: url({}#p) }}</style>",
    "section of a style sheet": "<style><![CDATA[rect {{ fill: url({}#p) }}]]></style>",
    "end of a long style sheet": "<style>" + "/* long */\n" * 9000 + "rect {{ fill: url({}#p) }}</style>",
}


@pytest.mark.parametrize("place", IN_CSS.values(), ids=IN_CSS)
@pytest.mark.parametrize(
    "url",
    [
        in_url(powers(1)),
        in_url(powers(1)).replace("data:", "DATA:"),
        in_url(powers(1)).replace("data:", "\\64 at\\61:"),
        "data:image/svg+xml," + quote(powers(1)),
        "data:image/svg+xml," + BLANKS + quote(powers(1)),
        "data:image/svg+xml;" + "a" * 5000 + ";base64," + in_url(powers(1)).partition(",")[2],
        "data:text/css,a",
    ],
    ids=["plain", "capitals", "escapes", "percent signs", "blanks", "a long head", "another style sheet"],
)
def test_a_document_in_css_is_too_much(place: str, url: str) -> None:
    assert is_bomb(drawing(place.format(url)).encode())


def test_a_style_sheet_in_a_url_before_the_drawing_is_too_much() -> None:
    assert is_bomb(f"<?xml-stylesheet href='data:text/css,a'?>{powers(1)}".encode())


@pytest.mark.parametrize(
    "content",
    [
        "<a href='data:text/html,&lt;p>'/>",
        "<image href='data:image/png;base64,{png}'/>",
        "<rect fill='url(#g0)' aria-label='size (data: 5, 6)'/>",
        "<rect style=\"fill:url('data:image/png;base64,{png}')\"/>",
        "<style>@font-face {{ src: url(data:font/woff2;base64,d09GMgABAAAAA{font}) }}</style>",
        "<style>@import url(https://example.com/a.css); rect {{ fill: red }}</style>",
        "<text>data:image/svg+xml,&lt;svg/></text>",
        "<image href='data:,'/><image href='data:'/><rect fill='url(data:,)'/>",
    ],
)
def test_what_is_no_document_is_let_through(content: str) -> None:
    png = base64.b64encode(encoded(noise(16, 16), "PNG")).decode()
    assert not is_bomb(drawing(content.format(png=png, font="A" * 100_000)).encode())


@pytest.mark.parametrize(
    "data",
    [
        UNREADABLE,
        drawing(f"<image href='{in_url(UNREADABLE)}'/>"),
    ],
    ids=["drawing", "document within"],
)
def test_a_drawing_that_cannot_be_read_is_broken_and_never_drawn(data: str) -> None:
    with pytest.raises(Unreadable):
        is_bomb(data.encode())
    with pytest.raises(SourceBroken) as raised:
        read_header(data.encode(), frozenset({*DEFAULT_INPUTS, "svg"}))
    assert type(raised.value) is SourceBroken


@pytest.mark.parametrize("encoding", ["EUC-JP", "GBK", "Shift_JIS", "UTF-7", "no-such"])
def test_a_drawing_in_an_encoding_that_expat_does_not_know_is_broken(encoding: str) -> None:
    with pytest.raises(Unreadable):
        is_bomb(f"<?xml version='1.0' encoding='{encoding}'?>{powers(6)}".encode())


@pytest.mark.parametrize("url", ["DATA:image/png;base64,", "da&#10;ta:image/png;base64,", "data:image/png;BASE64,"])
def test_a_picture_whose_profile_inflates_is_found_in_every_form_of_its_url(url: str) -> None:
    profile = b"x\0\0" + zlib.compress(bytes(5_000_000), 9)
    png = b"\x89PNG\r\n\x1a\n" + len(profile).to_bytes(4, "big") + b"iCCP" + profile + bytes(4)
    assert is_bomb(drawing(f"<image href='{url}{base64.b64encode(png).decode()}'/>").encode())


def test_four_documents_within_documents_are_read_and_five_are_too_much() -> None:
    document = powers(1)
    for depth in range(1, 6):
        document = drawing(f"<image href='{in_url(document)}'/>")
        assert is_bomb(document.encode()) is (depth > 4)
