"""A size that is not known: None in Python, and empty in templates of Django, as everything that is missing there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.template import Context, Template
from django.test import override_settings

from tests.support.commands import local_storage
from thumbs.toolkit.thumb import NONE, Thumb, thumb
from thumbs.wiring import process

SIZES = "{{ t.width }}|{{ t.height }}|{{ t.content_type }}"


@pytest.fixture(autouse=True)
def storage(tmp_path: Path) -> Iterator[None]:
    with override_settings(THUMBS={"STORAGES": [local_storage("photos", tmp_path)]}):
        process.reset()
        yield
    process.reset()


def rendered(text: str, made: Thumb) -> str:
    return Template(text).render(Context({"t": made}))


def test_in_python_what_is_unknown_is_none() -> None:
    made = thumb("a.jpg", "400x", storage="photos", format="auto")
    assert (made.width, made.height, made.content_type) == (None, None, None)
    assert (NONE.width, NONE.height, NONE.content_type) == (None, None, None)


def test_in_templates_what_is_unknown_is_empty() -> None:
    made = thumb("a.jpg", "400x", storage="photos", format="auto")
    assert rendered(SIZES, made) == "||"
    assert rendered(SIZES, NONE) == "||"
    assert rendered("{% if t.width %}known{% else %}unknown{% endif %}", made) == "unknown"
    assert rendered("{{ t.width|default:'auto' }}", made) == "auto"
    assert rendered("{{ t.url }}", made) == made.url
    assert rendered("{{ t.nosuch }}", made) == ""


def test_a_tag_gives_the_same() -> None:
    text = "{% load thumbs %}{% thumb 'a.jpg' '400x' storage='photos' as t %}<img width=\"{{ t.width }}\">"
    assert Template(text).render(Context()) == '<img width="">'


def test_in_templates_what_is_known_is_a_number() -> None:
    made = thumb("a.jpg", "400x300", storage="photos", format="webp")
    assert rendered(SIZES, made) == "400|300|image/webp"
    assert rendered("{% if t.width > 300 %}wide{% endif %}", made) == "wide"


def test_a_thumbnail_is_still_neither_a_mapping_nor_a_sequence() -> None:
    made = thumb("a.jpg", "400x300", storage="photos")
    with pytest.raises(TypeError):
        iter(made)  # type: ignore[call-overload]
    with pytest.raises(KeyError):
        made["url"]
