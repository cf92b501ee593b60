"""How many elements an SVG draws: counted also where `use` multiplies them, and without drawing."""

import base64
import contextlib
import functools
import itertools
import re
import struct
import zlib
from urllib.parse import quote

import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.color import PROFILES
from tests.support.hostile.files import FILES
from tests.support.pictures import encoded, noise
from tests.support.strategies import examples
from thumbs.image.formats import DEFAULT_INPUTS
from thumbs.render import libvips
from thumbs.render.bombs import svg
from thumbs.render.bombs.svg import Unreadable, is_bomb

BOMBS = [file for file in FILES if file.name.startswith("svg-uses-10-to-the")]


def nested(levels: int, times: int) -> bytes:
    """A circle that is used `times` to the power of `levels`."""
    groups = b"".join(
        b"<g id='g%d'>%s</g>" % (level, b"<use href='#g%d'/>" % (level - 1) * times) for level in range(1, levels + 1)
    )
    inside = b"<defs><circle id='g0' r='1'/>%s</defs><use href='#g%d'/>" % (groups, levels)
    return b"<svg xmlns='http://www.w3.org/2000/svg'>" + inside + b"</svg>"


@pytest.mark.parametrize("file", BOMBS, ids=[file.name for file in BOMBS])
def test_what_uses_itself_up_by_powers_is_too_much(file: object) -> None:
    assert is_bomb(file.build())  # type: ignore[attr-defined]


@pytest.mark.parametrize(("levels", "times", "much"), [(1, 1000, False), (3, 10, False), (6, 10, True), (16, 2, True)])
def test_elements_are_counted_as_often_as_they_are_used(levels: int, times: int, much: bool) -> None:
    assert is_bomb(nested(levels, times)) is much


def test_so_many_elements_are_too_much_without_any_use() -> None:
    assert is_bomb(b"<svg>" + b"<g/>" * 100_000 + b"</svg>")
    assert not is_bomb(b"<svg>" + b"<g/>" * 99_000 + b"</svg>")


@pytest.mark.parametrize("prefix", [b"xlink", b"x"])
def test_a_use_is_found_by_any_prefix_of_its_namespace(prefix: bytes) -> None:
    data = nested(6, 10).replace(b" href=", b" " + prefix + b":href=")
    declared = b"<svg xmlns:" + prefix + b"='http://www.w3.org/1999/xlink' "
    assert is_bomb(data.replace(b"<svg ", declared))


@pytest.mark.parametrize(("inside", "much"), [(11_000, False), (34_000, True)])
def test_all_that_a_circle_of_uses_draws_counts(inside: int, much: bool) -> None:
    circle = b"<g id='a'><use href='#b'/></g><g id='b'><use href='#a'/>" + b"<g/>" * inside + b"</g>"
    assert is_bomb(b"<svg xmlns='http://www.w3.org/2000/svg'>" + circle + b"<use href='#a'/></svg>") is much


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_circle_hides_no_uses_whichever_part_is_counted_first(order: tuple[int, ...]) -> None:
    """A part of the circle is counted while another one is, of which it then sees nothing."""
    parts = (
        b"<g id='top'>" + b"<use href='#a'/>" * 1000 + b"</g>",
        b"<g id='a'>" + b"<use href='#b'/>" * 10 + b"</g>",
        b"<g id='b'><use href='#a'/>" + b"<g/>" * 5000 + b"</g>",
    )
    assert is_bomb(b"<svg>" + b"".join(parts[each] for each in order) + b"</svg>")


@pytest.mark.parametrize(("selves", "much"), [(10, False), (100, True)])
def test_uses_of_a_part_by_itself_draw_it_again(selves: int, much: bool) -> None:
    inside = b"<rect/>" * 2000 + b"<use href='#a'/>" * selves
    assert is_bomb(b"<svg><g id='a'>" + inside + b"</g></svg>") is much


def drawn(document: bytes) -> int:
    """How often librsvg draws the rectangles of a drawing: each adds one level of alpha."""
    libvips.start(DEFAULT_INPUTS)
    return int(pyvips.Image.svgload_buffer(document)(0, 0)[3])


_RECTANGLE = b"<rect width='1' height='1' fill-opacity='0.00392157'/>"


@pytest.mark.parametrize("uses", [1, 2, 4])
@pytest.mark.parametrize(
    "parts",
    [
        b"<g id='a'>%s<use href='#a'/></g>",
        b"<g id='a'>%s<use href='#b'/></g><g id='b'><use href='#a'/></g>",
        b"<g id='a'><use href='#b'/></g><g id='b'>%s<use href='#a'/></g>",
        b"<g id='a'>%s<g id='b'><use href='#a'/></g></g>",
        b"<g id='a'><use href='#b'/></g><g id='b'><use href='#c'/></g><g id='c'>%s<use href='#a'/></g>",
    ],
)
def test_no_circle_draws_more_than_is_counted(parts: bytes, uses: int, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = re.sub(rb"(<use [^>]*>)", rb"\1" * uses, parts) % _RECTANGLE
    document = b"<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1'>" + parts + b"</svg>"
    count = drawn(document)
    assert count >= 1
    monkeypatch.setattr(svg, "MAX_SVG_ELEMENTS", count - 1)
    assert is_bomb(document)


def test_a_long_circle_of_uses_is_counted() -> None:
    parts = b"".join(b"<g id='g%d'><use href='#g%d'/></g>" % (each, (each + 1) % 20) for each in range(20))
    assert not is_bomb(b"<svg>" + parts + b"</svg>")
    deep = b"".join(b"<g id='g%d'><use href='#g%d'/></g>" % (each, (each + 1) % 20_000) for each in range(20_000))
    assert is_bomb(b"<svg>" + deep + b"</svg>")  # each of them draws all


def test_a_circle_of_uses_ends() -> None:
    assert not is_bomb(b"<svg><g id='a'><use href='#b'/></g><g id='b'><use href='#a'/></g><use href='#a'/></svg>")
    assert not is_bomb(b"<svg id='a'><use href='#a'/></svg>")


@settings(max_examples=examples(200))
@given(st.binary(max_size=200), st.integers(0, 300))
def test_no_bytes_whatever_make_it_fail(put_in: bytes, at: int) -> None:
    good = nested(2, 2)
    with contextlib.suppress(Unreadable):
        assert is_bomb(good[:at] + put_in + good[at:]) in (True, False)


@functools.cache
def png_with_profile(inflated: int) -> bytes:
    """A PNG whose profile inflates to so many bytes."""
    plain = encoded(noise(16, 16), "PNG")
    content = b"iCCPx\0\0" + zlib.compress(PROFILES["p3"].ljust(inflated, b"\0"), 9)
    return (
        plain[:33] + struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content)) + plain[33:]
    )


@pytest.mark.parametrize(
    "element", ["<image href='%s'/>", "<image xlink:href=' %s'/>", "<image x:href='%s'/>", "<feImage href='%s'/>"]
)
@pytest.mark.parametrize(("inflated", "much"), [(10_000, False), (4_194_304, False), (4_194_305, True), (10**8, True)])
def test_a_picture_within_whose_profile_inflates_is_too_much(element: str, inflated: int, much: bool) -> None:
    data = png_with_profile(inflated)
    lines = base64.encodebytes(data).decode()
    for url in (f"data:image/png;base64,{lines}", f"data:;base64,{quote(lines)}", f"data:image/png,{quote(data)}"):
        drawing = "<svg xmlns:xlink='http://www.w3.org/1999/xlink'>" + element % url + "</svg>"
        assert is_bomb(drawing.encode()) is much, url[:30]


def test_a_reference_to_data_that_is_no_picture_is_passed_over() -> None:
    for url in ("data:", "data:,", "data:;base64,%%%", "data:;base64,A", "data:image/png;base64,iVBORw0KGgo="):
        assert not is_bomb(b"<svg><image href='" + url.encode() + b"'/></svg>")
