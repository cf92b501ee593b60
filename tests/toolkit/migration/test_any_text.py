"""Any text: a conversion ends without an error, says the same twice, and what it leaves is what it found."""

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.migrating import LOADS, python, template
from tests.support.migration_forms import ALIASES, FORMS, LEFT, MORE
from tests.support.strategies import examples

_FORMS = [form for forms in (*FORMS.values(), *LEFT.values(), *MORE.values()) for form in forms]
_PIECES = [
    *LOADS.values(), "{% load thumbs %}", "{% load static thumbnail %}", "{% load thumbnail from thumbnail %}",
    "{% extends 'a' %}", "{% comment %}", "{% endcomment %}", "{% verbatim %}", "{% endverbatim %}", "{#", "#}",
    "{% thumbnail", "%}", "{{", "}}", "{% as %}", '{% thumbnail f "9x9" as im %}', "{% empty %}", "{% endthumbnail %}",
    "{% for im in im %}", "{% endfor %}", "{{ im.x }}", "{{ im }}", "{% with im=im|thumbnailer %}", "{% endwith %}",
    "{% thumbnail %}", "{% picture as as %}", "{% image %}", "{% load %}", "{% thumbnail -- -- as as %}", '"', "'", "|",
    "\n", "\r\n", "\ufeff", "\x00", "\udcff", "é", " ", "=", "{% thumbnail im.x '9x9' as im %}",
]  # fmt: skip
_TEXTS = st.lists(st.sampled_from([*_PIECES, *_FORMS]), max_size=12).map("".join)


@pytest.mark.parametrize("peer", LOADS)
@settings(max_examples=examples(150), deadline=None)
@given(text=_TEXTS)
def test_a_second_conversion_of_any_template_changes_nothing(peer: str, text: str) -> None:
    first = template(peer, text, aliases=ALIASES)
    second = template(peer, first.text, aliases=ALIASES)
    assert second.text == first.text
    assert len(second.left) <= len(first.left)


@pytest.mark.parametrize("peer", LOADS)
@settings(max_examples=examples(150), deadline=None)
@given(text=_TEXTS)
def test_a_template_without_tags_of_the_peer_is_not_changed(peer: str, text: str) -> None:
    plain = text.replace("{", "(").replace("%", "-")
    assert template(peer, plain) == type(template(peer, plain))(plain)


_CODE = [
    "from sorl.thumbnail import get_thumbnail\n", "from easy_thumbnails.files import get_thumbnailer as g\n",
    "from imagekit.models import ImageSpecField\n", "import thumbs\n", "thumb = 1\n", "thumbs = 2\n",
    "x = get_thumbnail(f, '9x9').url\n", "def a(f):\n    t = get_thumbnail(f, '9x9', crop='top')\n    return t.x\n",
    "def b(f):\n    t = get_thumbnail(f, '9')\n    return t\n",
    "y = g(f)['small'].url, g(f).get_thumbnail({'size': (9, 9)}).url\n",
    "z = f'{get_thumbnail(f, 1)}'\n", "w = i.image.crop['9x9'].url\n",
    "def c():\n    from sorl.thumbnail import get_thumbnail\n",
    "class D:\n    t = ImageSpecField(source='a', processors=[])\n", "# é\n", "@get_thumbnail\ndef e(): ...\n", "\n",
    "v = get_thumbnail(get_thumbnail(f, '9').url, '9').url\n",
]  # fmt: skip


@pytest.mark.parametrize("peer", LOADS)
@settings(max_examples=examples(150), deadline=None)
@given(text=st.lists(st.sampled_from(_CODE), max_size=10).map("".join))
def test_any_module_stays_python_and_is_converted_once(peer: str, text: str) -> None:
    first = python(peer, text, aliases=ALIASES)
    ast.parse(first.text)
    assert python(peer, first.text, aliases=ALIASES).text == first.text
