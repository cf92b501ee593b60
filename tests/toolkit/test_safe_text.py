"""Text that Django or Jinja2 marks as safe is not escaped twice, and stays in its attribute whatever it holds."""

import pytest
from django.utils.safestring import mark_safe
from markupsafe import Markup

from tests.support.srcsets import only, parse_html
from tests.support.toolkit_site import configured
from thumbs import thumb
from thumbs.toolkit.elements import attributes_text, element
from thumbs.toolkit.placeholders.background import with_placeholder

HASH = "1QcSHQRnh493V4dIh4eXh1h4kJUI"


class EscapingText(str):
    """As in MarkupSafe 2.0: methods escape their arguments, so that `html.escape` finds no delimiter to replace."""

    __slots__ = ()

    def replace(self, old: str, new: str, count: int = -1, /) -> str:  # type: ignore[override]
        escaped = {"<": "&lt;", ">": "&gt;", '"': "&#34;", "&": "&amp;"}
        return EscapingText(str.replace(self, escaped.get(old, old), new.replace("&", "&amp;"), count))


class EscapedText(EscapingText):
    """The same, marked as escaped."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


SAFE = [mark_safe, Markup, EscapedText]


@pytest.mark.parametrize("mark", [*SAFE, EscapingText])
@pytest.mark.parametrize("text", ['"><script>', '" onerror="x', "<", "'\">"])
def test_no_kind_of_text_leaves_its_attribute(mark: type[str], text: str) -> None:
    written = attributes_text({"title": mark(text)})
    assert written.count('"') == 2
    assert not set(written) & set("<>")


@pytest.mark.parametrize("mark", SAFE)
def test_what_is_escaped_already_is_not_escaped_again(mark: type[str]) -> None:
    read = only(parse_html(element("img", {"alt": mark("Tom &amp; &#34;Jerry&#34;")})))
    assert read.attrib == {"alt": 'Tom & "Jerry"'}


@pytest.mark.parametrize("mark", SAFE)
def test_a_safe_style_is_not_escaped_again_after_a_placeholder(mark: type[str]) -> None:
    style = mark("font-family:&quot;A&quot;")
    read = only(parse_html(element("img", with_placeholder({"style": style}, HASH))))
    assert read.attrib["style"].endswith(' no-repeat;font-family:"A"')
    assert read.attrib["style"].startswith("background:url(data:image/png;base64,")


@pytest.mark.parametrize("mark", [str, *SAFE])
def test_a_style_with_delimiters_stays_in_its_attribute_after_a_placeholder(mark: type[str]) -> None:
    written = element("img", with_placeholder({"style": mark('x"><script>')}, HASH))
    assert written.count('"') == 2
    assert written.count("<") == written.count(">") == 1


def test_the_text_of_a_jinja2_macro_is_the_text_of_the_picture() -> None:
    with configured():
        read = only(parse_html(thumb("a.jpg", "card", storage="open").img(alt=Markup("Tom &amp; Jerry"))))
    assert read.attrib["alt"] == "Tom & Jerry"
