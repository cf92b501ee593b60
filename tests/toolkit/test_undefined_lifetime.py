"""A lifetime whose variable does not exist: the log says that the URL never expires, and strict mode raises."""

import logging
import re
from collections.abc import Iterator

import pytest
from django.template import Context, Template

from tests.support.toolkit_site import a_file, configured
from thumbs import WrongSpec

TAGS = [
    '{% thumb image "card" storage="signed" lifetime=minutes %}',
    '{% thumb image "card" storage="signed" lifetime=row.minutes %}',
    '{% thumb_img image "card" storage="signed" lifetime=minutes %}',
    '{% thumb_picture image "card" storage="signed" lifetime=minutes %}',
    '{% thumb_url "signed" image "400x300" lifetime=minutes %}',
    '{% thumb_url "signed" image "400x300" "" None minutes %}',
]


@pytest.fixture(autouse=True)
def _configured() -> Iterator[None]:
    with configured():
        yield


def _rendered(source: str, **context: object) -> str:
    return Template("{% load thumbs %}\n" + source).render(Context({"image": a_file("a.jpg"), "row": {}, **context}))


@pytest.mark.parametrize("tag", TAGS)
def test_a_lifetime_that_is_undefined_is_logged_once_for_each_place(tag: str, caplog: pytest.LogCaptureFixture) -> None:
    template = Template("{% load thumbs %}\n" + tag)
    with caplog.at_level(logging.WARNING, "thumbs"):
        for _ in range(3):
            template.render(Context({"image": a_file("a.jpg"), "row": {}}))
    (message,) = caplog.messages
    assert re.fullmatch(r"lifetime=(row\.)?minutes is undefined: the URL never expires\. \(.*, line 2\)", message)


@pytest.mark.parametrize("tag", TAGS)
def test_a_lifetime_that_is_undefined_raises_in_strict_mode(tag: str) -> None:
    with configured(STRICT=True), pytest.raises(WrongSpec, match=r"lifetime=(row\.)?minutes is undefined.* line 2"):
        _rendered(tag)


@pytest.mark.parametrize("tag", TAGS)
def test_a_lifetime_that_is_known_is_in_the_url(tag: str, caplog: pytest.LogCaptureFixture) -> None:
    assert "expires(" in _rendered(tag, minutes=60, row={"minutes": 60})
    assert caplog.messages == []


@pytest.mark.parametrize("tag", TAGS)
def test_a_lifetime_of_none_is_none(tag: str, caplog: pytest.LogCaptureFixture) -> None:
    text = _rendered(tag, minutes=None, row={"minutes": None})
    assert "/thumbs/" in text
    assert "expires(" not in text
    assert caplog.messages == []


def test_a_filter_gives_an_undefined_lifetime_its_default(caplog: pytest.LogCaptureFixture) -> None:
    assert "expires(" in _rendered('{% thumb image "card" storage="signed" lifetime=minutes|default:60 %}')
    assert "expires(" not in _rendered('{% thumb image "card" storage="signed" lifetime=None %}')
    assert caplog.messages == []
