"""The template tags: wrong data prints nothing, a mistake names its template and line, and output is escaped."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.template import Context, Engine, Template, TemplateSyntaxError
from django.test import override_settings
from django.utils.safestring import mark_safe

from tests.support import toolkit_site
from tests.support.markdown import blocks
from tests.support.servers import ROOT
from tests.support.srcsets import only, parse_html
from tests.support.toolkit_site import PRESETS, a_file, configured
from thumbs import NoThumbnail, Picture, Thumb, UnknownStorage, WrongSpec
from thumbs.toolkit.urls import urls

Write = Callable[..., Engine]
BLANKS = ["photo.image", "a.b.c", "nothing", "''", "blank", "none", "bad", "row.image"]
TAGS = ["thumb", "thumb_img", "thumb_picture"]


@pytest.fixture(autouse=True)
def _configured() -> Iterator[None]:
    with configured():
        yield


@pytest.fixture
def templates(tmp_path: Path) -> Write:
    def write(**files: str) -> Engine:
        for name, text in files.items():
            (tmp_path / f"{name}.html").write_text(text)
        return Engine(dirs=[str(tmp_path)], libraries={"thumbs": "thumbs.templatetags.thumbs"})

    return write


def _rendered(source: str, *, autoescape: bool = True, **context: object) -> str:
    template = Template("{% load thumbs %}" + source)
    return template.render(Context({"image": a_file("a.jpg"), **context}, autoescape=autoescape))


# -------------------------------------------------------------------------------------- output


def test_each_tag_prints_what_its_function_gives() -> None:
    assert _rendered('{% thumb image "card" storage="open" %}') == "/img/open/thumbs/400x300/a.jpg"
    img = only(parse_html(_rendered('{% thumb_img image "card" alt="A cat" class="x" data_y=1 %}')))
    assert img.tag == "img"
    assert [img.get(name) for name in ("width", "height", "alt", "class", "data-y")] == [
        "400",
        "300",
        "A cat",
        "x",
        "1",
    ]
    found = only(parse_html(_rendered('{% thumb_picture image "hero" widths="400 800" sizes="50vw" priority %}')))
    assert (found.tag, found[-1].get("fetchpriority")) == ("picture", "high")
    url = _rendered('{% thumb_url "open" image "90x" "format(webp)" name="b.webp" %}')
    assert url == "/img/open/thumbs/90x/a.jpg/as/b.webp"


@override_settings(USE_THOUSAND_SEPARATOR=True, LANGUAGE_CODE="en")
def test_the_documented_attributes_have_no_thousand_separator() -> None:
    (text,) = [block.text for block in blocks(ROOT / "docs" / "django.md") if block.file == "templates/tags.html"]
    source = "\n".join(text.replace("400x300", "1600x1200").splitlines()[:3])
    img = only(parse_html(_rendered(source, photo={"image": a_file("a.jpg")}).strip()))
    assert (img.get("width"), img.get("height")) == ("1600", "1200")
    source = '{% thumb image "1600x1200" as t %}{% if t.width > 1000 %}{{ t.width }}{% endif %}'
    assert _rendered(source) == "1,600"
    img = only(parse_html(_rendered('{% thumb_img image "1600x1200" %}')))
    assert (img.get("width"), img.get("height")) == ("1600", "1200")


def test_as_keeps_the_value() -> None:
    kept = "{% if t %}{{ t.url }} {{ t.width }}x{{ t.height }} {{ t.content_type }}{% endif %}"
    out = _rendered('{% thumb image "400x300" format="webp" storage="open" as t %}' + kept)
    assert out == "/img/open/thumbs/400x300/filters:format(webp)/a.jpg 400x300 image/webp"
    assert _rendered('{% thumb nothing "400x300" as t %}' + kept + "{{ t.url }}{{ t.width }}") == ""
    out = _rendered('{% thumb_picture image "card" as p %}{% for s in p.sources %}{{ s.content_type }} {% endfor %}')
    assert out == "image/avif image/webp "
    assert _rendered('{% thumb_url "open" image "9x" as u %}[{{ u }}]') == "[/img/open/thumbs/9x/a.jpg]"


def test_what_is_printed_is_escaped_where_the_template_escapes() -> None:
    key = "tom & jerry's.jpg"
    for tag in ('{% thumb key "x" storage="open" %}', '{% thumb_url "open" key "x" %}'):
        assert "tom%20&amp;%20jerry%27s" in _rendered(tag, key=key)
        assert "tom%20&%20jerry%27s" in _rendered(tag, key=key, autoescape=False)
        assert "tom%20&%20jerry%27s" in _rendered("{% autoescape off %}" + tag + "{% endautoescape %}", key=key)
    assert "&amp;" in _rendered('{% thumb key "x" storage="open" as t %}{{ t }}', key=key)


@pytest.mark.parametrize("nasty", ["<b>\"'&", mark_safe('"><script>x</script>')])
@pytest.mark.parametrize("autoescape", [True, False])
def test_attributes_are_escaped_in_any_template(nasty: str, autoescape: bool) -> None:
    for tag in ("thumb_img", "thumb_picture"):
        source = f'{{% {tag} image "card" alt=nasty title=nasty storage="open" %}}'
        found = only(parse_html(_rendered(source, nasty=nasty, autoescape=autoescape)))
        img = found if found.tag == "img" else found[-1]
        assert (img.get("alt"), img.get("title")) == (nasty, nasty)


def test_priority_loads_an_img_eagerly() -> None:
    for tag in ("thumb_img", "thumb_picture"):
        for option in ("priority", "priority=True", "priority=image"):
            found = only(parse_html(_rendered(f'{{% {tag} image "card" {option} %}}')))
            img = found if found.tag == "img" else found[-1]
            loading = {name: img.get(name) for name in ("loading", "decoding", "fetchpriority", "priority")}
            assert loading == {"loading": "eager", "decoding": "async", "fetchpriority": "high", "priority": None}
        for option in ("", "priority=False", "priority=no"):
            out = _rendered(f'{{% {tag} image "card" {option} %}}')
            assert 'loading="lazy"' in out
            assert "priority" not in out
    assert 'loading="auto"' in _rendered('{% thumb_img image "card" priority loading="auto" %}')


@pytest.mark.parametrize("strict", [False, True])
def test_empty_stands_for_a_blank_source_in_both_tags(strict: bool) -> None:
    urls().strict = strict
    for blank in ("nothing", "blank", "''"):
        options = 'alt="none" class="x" priority empty="img/e.svg" placeholder=False'
        img, picture = (
            _rendered(f'{{% {tag} {blank} "card" {options} %}}', blank=a_file("")) for tag in TAGS if tag != "thumb"
        )
        assert img == picture
        found = only(parse_html(img))
        assert [found.get(name) for name in ("alt", "class", "loading")] == ["none", "x", "eager"]
        assert str(found.get("src")).endswith("img/e.svg")
        assert "placeholder" not in found.attrib
    assert "e.svg" not in _rendered('{% thumb_img image "card" empty="img/e.svg" %}')
    with pytest.raises(WrongSpec, match="card"):
        _rendered('{% thumb_img nothing spec empty="img/e.svg" %}', spec="crad")
    with pytest.raises(UnknownStorage, match="open"):
        _rendered('{% thumb_img nothing "card" empty="img/e.svg" storage=where %}', where="opem")


def test_empty_stands_for_a_name_without_a_url_in_both_tags() -> None:
    for tag in ("thumb_img", "thumb_picture"):
        assert "img/e.svg" in _rendered(f'{{% {tag} "a/../b" "card" storage="open" empty="img/e.svg" %}}')
        assert _rendered(f'{{% {tag} "a/../b" "card" storage="open" empty=no %}}') == ""


def test_an_img_keeps_attributes_of_html() -> None:
    options = 'sizes="50vw" srcset="b.jpg 2x" data_x=1 hidden=True title="t" usemap="#m" decoding="sync"'
    img = only(parse_html(_rendered(f'{{% thumb_img image "card" {options} %}}')))
    names = ("sizes", "srcset", "data-x", "hidden", "title", "usemap", "decoding")
    assert [img.get(name) for name in names] == ["50vw", "b.jpg 2x", "1", "", "t", "#m", "sync"]


# ---------------------------------------------------------------------------------------- data


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("tag", TAGS)
def test_a_source_without_a_picture_prints_nothing(tag: str, blank: str) -> None:
    context: dict[str, Any] = {
        "blank": a_file(""),
        "none": a_file(None),
        "bad": "a\0b",
        "row": {"image": a_file("x/../y")},
    }
    assert _rendered(f'[{{% {tag} {blank} "card" storage="open" %}}]', **context) == "[]"
    assert _rendered(f'[{{% {tag} {blank} "card" storage="open" as t %}}{{% if t %}}x{{% endif %}}]', **context) == "[]"
    assert _rendered(f'[{{% thumb_url "open" {blank} "90x" %}}]', **context) == "[]"


def test_a_row_that_its_storage_does_not_offer_prints_nothing() -> None:
    for tag in ('{% thumb_url "webp-only" key "90x" %}', '{% thumb key "90x" storage="webp-only" %}'):
        assert _rendered(tag, key="a.jpg") == ""
        assert _rendered(tag, key="a.webp").endswith("/a.webp")


@pytest.mark.parametrize("tag", TAGS)
def test_undefined_options_are_left_out(tag: str) -> None:
    own = {"thumb": "name=no", "thumb_img": "name=no alt=no", "thumb_picture": "alt=no"}[tag]
    out = _rendered(f"{{% {tag} image version=no.such lifetime=no quality=no storage=no {own} %}}")
    assert "/img/open/thumbs/x/a.jpg" in out
    assert tag == "thumb" or 'alt=""' in out
    picture = _rendered('{% thumb_picture image "card" widths=no sizes=no formats=no ratio=no grid=no densities=no %}')
    assert picture == _rendered('{% thumb_picture image "card" %}')


def test_an_undefined_gravity_leaves_the_focal_point() -> None:
    image = a_file("a.jpg", focus="0.2,0.3")
    wanted = "/img/open/thumbs/400x300/filters:gravity(0.2,0.3)/a.jpg"
    for option in ("gravity=no", "gravity=no|lower", "g=no.such"):
        assert _rendered(f'{{% thumb image "card" storage="open" {option} %}}', image=image) == wanted


@pytest.mark.parametrize("string_if_invalid", ["", "INVALID", "INVALID %s"])
@pytest.mark.parametrize(
    ("tag", "same"),
    [
        ('thumb_img image "card" alt=row.album.name|truncatechars:20', 'thumb_img image "card"'),
        ('thumb_img image "card" alt=no|lower|title title=no|upper', 'thumb_img image "card"'),
        ('thumb_img image "card" alt=no|default:"A cat"', 'thumb_img image "card" alt="A cat"'),
        ('thumb image "card" quality=no|default:50', 'thumb image "card" quality=50'),
        ('thumb image "card" quality=no|add:5', 'thumb image "card"'),
        ('thumb image "card" gravity=no|lower version=no|lower name=no|lower', 'thumb image "card"'),
        ('thumb row.cover|lower "card"', 'thumb "" "card"'),
        ('thumb_url "open" row.cover|lower "90x"', 'thumb_url "open" "" "90x"'),
        ('thumb_picture row.album.cover|cut:"/media/" "card" empty="e.svg"', 'thumb_picture "" "card" empty="e.svg"'),
        ('thumb_picture image "card" widths=no|lower ratio=no|lower', 'thumb_picture image "card"'),
        ('thumb no|default:"b.jpg" "card" storage="open"', 'thumb "b.jpg" "card" storage="open"'),
    ],
)
def test_filters_of_an_undefined_variable_get_empty_text(tag: str, same: str, string_if_invalid: str) -> None:
    engine = Engine(builtins=["thumbs.templatetags.thumbs"], string_if_invalid=string_if_invalid)
    context = Context({"image": a_file("a.jpg"), "row": {"album": None}})
    made, wanted = (engine.from_string("{% " + each + " %}").render(context) for each in (tag, same))
    assert made == wanted


@pytest.mark.parametrize("string_if_invalid", ["INVALID", "INVALID %s"])
@pytest.mark.parametrize("more", ["", "|lower"])
def test_the_text_for_a_row_that_is_missing_is_no_argument(more: str, string_if_invalid: str) -> None:
    def missing() -> None:
        raise ObjectDoesNotExist

    engine = Engine(builtins=["thumbs.templatetags.thumbs"], string_if_invalid=string_if_invalid)
    context = Context({"image": a_file("a.jpg"), "missing": missing})
    options = f"quality=missing{more} version=missing.name{more} storage=missing{more}"
    made = engine.from_string(f'{{% thumb image "9x" {options} %}}{{% thumb missing{more} "9x" %}}').render(context)
    assert made == "/img/open/thumbs/9x/a.jpg"


def test_with_strict_the_error_names_the_template_and_the_name(templates: Write) -> None:
    engine = templates(page='{% load thumbs %}\n{% thumb image "card" storage="open" %}')
    urls().strict = True
    with pytest.raises(NoThumbnail, match=r"'a/\.\./b'.*\(page\.html, line 2\)"):
        engine.get_template("page.html").render(Context({"image": "a/../b"}))
    with pytest.raises(NoThumbnail, match=r"blank.*\(page\.html, line 2\)"):
        engine.get_template("page.html").render(Context())


# -------------------------------------------------------------------------------- mistakes

CONSTANT = {
    'thumb image "crad"': "card",
    'thumb image "400x300" formt="webp"': "filter",
    'thumb image "400x300" format="wepb"': "format",
    'thumb image "99999x99999"': "larger",
    'thumb image "card" storage="opem"': "open",
    "thumb image 400": "A spec is text",
    'thumb image "1500x1500" storage="small"': "larger",
    'thumb image "card" widths="400"': "filter",
    'thumb image "card" quality=70 quality=80': "twice",
    'thumb image quality=70 "card"': "after arguments with names",
    'thumb image "card" "400x300"': "too many positional",
    "thumb": "missing",
    'thumb_img image "crad"': "card",
    'thumb_img image "card" qualty=7': "quality",
    'thumb_img image "card" formats="webp"': "formats= is an option of thumb_picture",
    'thumb_img image "800x" ratio="16/9"': "ratio= is an option of thumb_picture",
    "thumb_img image spec widths=no": "widths= is an option of thumb_picture",
    'thumb_img image "card" densities="1 2"': "densities= is an option of thumb_picture",
    'thumb_img image "800x" grid="m6"': "grid= is an option of thumb_picture",
    'thumb_picture image "crad"': "card",
    'thumb_picture image "card" widths="400 a"': "widths",
    'thumb_picture image "card" densities="7"': "densities",
    'thumb_picture image "card" formats="wepb"': "webp",
    'thumb_picture image "card" ratio="wide"': "ratio",
    'thumb_picture image "card" grid="zz6"': "breakpoint",
    'thumb_picture image "card" storage="nope"': "nope",
    'thumb_url "open" image': "missing",
    'thumb_url "open" image "90x" nmae="b.jpg"': "nmae",
}


@pytest.mark.parametrize(("tag", "sentence"), CONSTANT.items(), ids=CONSTANT)
def test_a_mistake_in_constants_is_found_when_the_template_is_compiled(
    templates: Write, tag: str, sentence: str
) -> None:
    engine = templates(page="{% load thumbs %}\n\n{% if False %}{% " + tag + " %}{% endif %}")
    with pytest.raises(TemplateSyntaxError, match=r"\(page\.html, line 3\)") as raised:
        engine.get_template("page.html")
    assert sentence in str(raised.value)


def test_every_documented_argument_of_a_picture_is_accepted_by_the_compiler() -> None:
    assert _rendered(
        '{% thumb_picture image "hero" widths="400 800" densities="1 2" sizes="50vw" formats="webp" alt="x" '
        'storage="open" version=3 lifetime=60 ratio="16/9" empty="e.svg" priority=True class="c" data-x="y" @z="z" %}'
    )
    assert _rendered('{% thumb_picture image "hero" grid="m6 l4" ratio="16/9" %}')


@pytest.mark.parametrize(
    ("tag", "error"),
    [
        ('{% thumb image spec storage="open" %}', WrongSpec),
        ('{% thumb_img image spec storage="open" %}', WrongSpec),
        ('{% thumb_picture image spec storage="open" %}', WrongSpec),
        ('{% thumb image "card" storage=spec %}', UnknownStorage),
        ('{% thumb image "card" lifetime=spec %}', WrongSpec),
        ("{% thumb forloop %}", TypeError),
        ('{% thumb_url spec image "90x" %}', UnknownStorage),
    ],
)
def test_a_mistake_in_variables_names_the_template_and_the_line(
    templates: Write, tag: str, error: type[Exception]
) -> None:
    files = {
        "base": "{% load thumbs %}<h1>\n</h1>{% block main %}{% endblock %}",
        "row": "{% load thumbs %}\n\n\n" + tag,
        "page": '{% extends "base.html" %}{% load thumbs %}\n{% block main %}\n{% for x in "ab" %}{% if x == "b" %}\n'
        + tag
        + "{% endif %}{% endfor %}{% endblock %}",
        "list": '{% for x in "ab" %}{% include "row.html" %}{% endfor %}',
    }
    engine = templates(**files)
    context = {"image": a_file("a.jpg"), "spec": "nope"}
    with pytest.raises(error, match=r"\(page\.html, line 4\)"):
        engine.get_template("page.html").render(Context(context))
    if error is not TypeError:
        with pytest.raises(error, match=r"\(row\.html, line 4\)"):
            engine.get_template("list.html").render(Context(context))


@pytest.mark.parametrize("image", [a_file("a.jpg"), None])
@pytest.mark.parametrize("tag", TAGS)
def test_a_preset_that_is_removed_under_a_compiled_template_raises(templates: Write, tag: str, image: object) -> None:
    engine = templates(page="{% load thumbs %}\n{% " + tag + ' image "hero" %}')
    template = engine.get_template("page.html")
    template.render(Context({"image": image}))
    removed = pytest.raises(WrongSpec, match=r"'hero'.*\(page\.html, line 2\)")
    with configured(PRESETS={"card": PRESETS["card"]}), removed:
        template.render(Context({"image": image}))


def test_a_file_that_no_storage_serves_names_the_field_and_the_template(templates: Write, tmp_path: Path) -> None:
    engine = templates(page="{% load thumbs %}\n{% thumb image %}")
    named = pytest.raises(UnknownStorage, match=r"image.*uploads.*\(page\.html, line 2\)")
    with configured([toolkit_site.storage("uploads", tmp_path / "a")]), named:
        engine.get_template("page.html").render(Context({"image": a_file("a.jpg", tmp_path / "b")}))


def test_tags_keep_the_types_of_their_functions() -> None:
    context = Context({"image": a_file("a.jpg")})
    Template('{% load thumbs %}{% thumb image as t %}{% thumb_picture image "card" as p %}').render(context)
    assert isinstance(context["t"], Thumb)
    assert isinstance(context["p"], Picture)
