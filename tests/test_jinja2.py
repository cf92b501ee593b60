"""`thumbs.jinja2`: the functions of the tags in templates of Jinja2, escaped where the template escapes."""

import logging
from collections.abc import Iterator

import pytest
from django.template import engines
from django.test import override_settings
from jinja2 import (
    ChainableUndefined,
    DebugUndefined,
    Environment,
    StrictUndefined,
    Undefined,
    UndefinedError,
    make_logging_undefined,
)

from tests.support.srcsets import only, parse_html
from tests.support.toolkit_site import a_file, configured
from thumbs import WrongSpec


@pytest.fixture(autouse=True)
def _configured() -> Iterator[None]:
    with configured():
        yield


def _rendered(
    source: str, *, autoescape: bool = True, undefined: type[Undefined] = ChainableUndefined, **context: object
) -> str:
    environment = Environment(extensions=["thumbs.jinja2.ThumbsExtension"], autoescape=autoescape, undefined=undefined)
    return environment.from_string(source).render(image=a_file("a.jpg"), **context)


@pytest.mark.parametrize("autoescape", [True, False])
def test_html_is_never_escaped_again(autoescape: bool) -> None:
    context = {"autoescape": autoescape, "title": '<b>"&'}
    img = only(parse_html(_rendered('{{ thumb_img(image, "card", alt=title) }}', **context)))  # type: ignore[arg-type]
    assert (img.tag, img.get("alt"), img.get("width")) == ("img", '<b>"&', "400")
    found = only(parse_html(_rendered('{{ thumb_picture(image, "card", alt=title) }}', **context)))  # type: ignore[arg-type]
    assert (found.tag, found[-1].get("alt")) == ("picture", '<b>"&')


def test_urls_are_escaped_where_the_template_escapes() -> None:
    for call in ('thumb(key, "x", storage="open")', 'thumb_url("open", key, "x")'):
        assert _rendered("{{ " + call + " }}", key="a&b.jpg") == "/img/open/thumbs/x/a&amp;b.jpg"
        assert _rendered("{{ " + call + " }}", key="a&b.jpg", autoescape=False) == "/img/open/thumbs/x/a&b.jpg"
    assert _rendered('{{ thumb(key, "x", storage="open").url|safe }}', key="a&b.jpg").endswith("a&b.jpg")


@pytest.mark.parametrize("source", ["none", "''", "nothing", "a.b.c", "blank", "bad"])
def test_wrong_data_prints_nothing(source: str) -> None:
    context = {"blank": a_file(""), "bad": a_file("a\0b")}
    for name in ("thumb", "thumb_img", "thumb_picture"):
        assert _rendered(f'[{{{{ {name}({source}, "card") }}}}]', **context) == "[]"  # type: ignore[arg-type]
    assert _rendered(f'[{{{{ thumb_url("open", {source}, "9x") }}}}]', **context) == "[]"  # type: ignore[arg-type]
    assert _rendered(f'{{% if thumb({source}, "card") %}}x{{% endif %}}', **context) == ""  # type: ignore[arg-type]


def test_undefined_arguments_are_left_out() -> None:
    assert _rendered('{{ thumb(image, "9x", version=no.such, name=no) }}') == "/img/open/thumbs/9x/a.jpg"
    assert 'alt=""' in _rendered('{{ thumb_img(image, "9x", alt=no) }}')


@pytest.mark.parametrize("undefined", [Undefined, ChainableUndefined, DebugUndefined])
@pytest.mark.parametrize(
    ("call", "same"),
    [
        ('thumb(image, "card", quality=no)', 'thumb(image, "card")'),
        ('thumb(image, "card", lifetime=no)', 'thumb(image, "card")'),
        ('thumb(image, "card", storage=no, format=image.no)', 'thumb(image, "card")'),
        ('thumb(no, "card", quality=no)', 'thumb("", "card")'),
        ('thumb_img(image, "card", quality=no, alt=no, title=no, priority=no)', 'thumb_img(image, "card")'),
        ('thumb_picture(image, "card", widths=no, ratio=no, empty=no, gravity=no)', 'thumb_picture(image, "card")'),
        ('thumb_url("open", image, "9x", no, no, no)', 'thumb_url("open", image, "9x")'),
    ],
)
def test_undefined_options_are_left_out_and_raise_where_undefined_is_strict(
    call: str, same: str, undefined: type[Undefined]
) -> None:
    assert _rendered("{{ " + call + " }}", undefined=undefined) == _rendered("{{ " + same + " }}")
    with pytest.raises(UndefinedError, match="no"):
        _rendered("{{ " + call + " }}", undefined=StrictUndefined)


def test_an_undefined_argument_is_logged_by_an_environment_that_logs_them(caplog: pytest.LogCaptureFixture) -> None:
    logged = make_logging_undefined(logging.getLogger("jinja"), Undefined)
    assert _rendered('{{ thumb(image, "9x", quality=no) }}', undefined=logged) == "/img/open/thumbs/9x/a.jpg"
    assert [(record.name, record.getMessage()) for record in caplog.records] == [
        ("jinja", "Template variable warning: 'no' is undefined")
    ]


@pytest.mark.parametrize(
    "call",
    [
        'thumb(image, "9x", lifetime=no)',
        'thumb_img(image, "9x", lifetime=no)',
        'thumb_url("open", image, "9x", "", none, no)',
    ],
)
def test_a_lifetime_that_is_undefined_is_logged_once_and_raises_in_strict_mode(
    call: str, caplog: pytest.LogCaptureFixture
) -> None:
    _rendered("{% for _ in 'abc' %}{{ " + call + " }}{% endfor %}")
    assert caplog.messages == ["lifetime=no is undefined: the URL never expires."]
    with configured(STRICT=True), pytest.raises(WrongSpec, match="lifetime=no is undefined"):
        _rendered("{{ " + call + " }}")
    assert "expires(" in _rendered("{{ " + call.replace("no)", "no|default(60))") + " }}")


def test_mistakes_raise() -> None:
    with pytest.raises(WrongSpec, match="card"):
        _rendered('{{ thumb(image, "crad") }}')


def test_thumb_img_has_the_options_of_every_element_and_none_of_a_picture() -> None:
    assert 'fetchpriority="high"' in _rendered('{{ thumb_img(image, "card", priority=True) }}')
    assert "img/e.svg" in _rendered('{{ thumb_img(none, "card", empty="img/e.svg") }}')
    with pytest.raises(WrongSpec, match="thumb_picture"):
        _rendered('{{ thumb_img(image, "800x", ratio="16/9") }}')


def test_djangos_backend_takes_the_extension() -> None:
    backend = {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "OPTIONS": {"extensions": ["thumbs.jinja2.ThumbsExtension"]},
    }
    with override_settings(TEMPLATES=[backend]):
        template = engines["jinja2"].from_string('{{ thumb(image, "9x") }}{{ thumb_img(image, "9x") }}')
        out = template.render({"image": a_file("a.jpg")})
    assert out.startswith("/img/open/thumbs/9x/a.jpg<img ")
