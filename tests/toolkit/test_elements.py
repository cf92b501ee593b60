"""Attributes of an element: names as a parser reads them, each once, and which keyword arguments are filters."""

import pytest
from django.utils.safestring import SafeString, mark_safe
from hypothesis import given
from hypothesis import strategies as st

from tests.support.srcsets import only, parse_html
from thumbs import WrongSpec
from thumbs.request.filters import FILTERS
from thumbs.toolkit.elements import attributes_text, divided, element

_values = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), max_size=40)
_names = st.from_regex(r"(data|aria)_[a-z]{1,9}(_[a-z0-9]{1,5})?", fullmatch=True)


@given(st.dictionaries(_names, _values, max_size=5))
def test_a_parser_reads_back_every_attribute(attributes: dict[str, str]) -> None:
    read = only(parse_html(element("img", {"src": "x", "alt": "", **attributes})))
    assert read.attrib == {
        "src": "x",
        "alt": "",
        **{name.replace("_", "-"): value for name, value in attributes.items()},
    }


@pytest.mark.parametrize("safe", ['"', "<", ">", '" onerror="x', "&quot;", "'"])
def test_safe_text_stays_in_its_attribute(safe: str) -> None:
    text = attributes_text({"title": mark_safe(safe)})
    assert text.count('"') == 2
    assert not set(text) & set("<>")
    assert isinstance(text, SafeString)


def test_names_are_spelled_as_in_html() -> None:
    text = attributes_text({"class_": "a", "data_photo_id": 5, "@click": "x", "x-on:click.once": "y", "for_": 1.5})
    assert text == ' class="a" data-photo-id="5" @click="x" x-on:click.once="y" for="1.5"'


def test_an_attribute_stands_once() -> None:
    assert attributes_text({"data-x": "a", "data_x": "b", "class": "c", "class_": "d"}) == ' data-x="b" class="d"'


@pytest.mark.parametrize("name", ["", "a b", 'a"', "a>b", "a=b", "1a", "a/b", "a\n", "ü"])
def test_a_name_that_no_attribute_can_have_raises(name: str) -> None:
    with pytest.raises(ValueError, match="no name of an HTML attribute"):
        attributes_text({name: "x"})


def test_filters_are_told_from_attributes() -> None:
    options, attributes = divided({"format": "webp", "q": 70, "class": "a", "title": "b", "data_x": 1, "onload": "x"})
    assert options == {"format": "webp", "q": 70}
    assert list(attributes) == ["class", "title", "data_x", "onload"]
    assert divided(dict.fromkeys(FILTERS, 1)) == (dict.fromkeys(FILTERS, 1), {})


@pytest.mark.parametrize("name", ["formt", "formats", "qualty", "gravty", "upscal", "watermarks", "grayscal"])
def test_a_misspelled_filter_raises_with_the_nearest(name: str) -> None:
    with pytest.raises(WrongSpec, match="Did you mean"):
        divided({name: 1})
