"""A URL between quotes in CSS or JavaScript ends where it should: no file name can end it."""

import pytest
from django.template import Context, Template

from tests.support.srcsets import only, parse_html
from tests.support.toolkit_site import configured
from thumbs import thumb, thumb_url

NAMES = ["a');background:url(x.jpg", "it's.jpg", "a/o'b/c.jpg", "x.jpg/as/it's.jpg", '"a.jpg']


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("storage", ["open", "signed"])
def test_no_url_has_a_quote_or_a_backslash(name: str, storage: str) -> None:
    with configured():
        urls = [thumb(name, "card", storage=storage).url, thumb_url(storage, name, "400x300")]
    for url in urls:
        assert url
        assert not set(url) & set("'\"\\<> \n")


@pytest.mark.parametrize("name", NAMES)
def test_a_style_is_one_declaration(name: str) -> None:
    source = "{% load thumbs %}<i style=\"background:url('{% thumb name 'card' storage='open' %}')\"></i>"
    with configured():
        read = only(parse_html(Template(source).render(Context({"name": name}))))
        url = thumb(name, "card", storage="open").url
    assert read.attrib["style"] == f"background:url('{url}')"
    assert read.attrib["style"].count("'") == 2
