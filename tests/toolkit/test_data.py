"""`format="json"` in templates and Python code: a URL of data, and no element, preview or source of a picture."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from django.template import Context, Template, TemplateSyntaxError

from tests.support.toolkit_site import PRESETS, a_file, configured, storage
from thumbs import WrongSpec, picture, thumb, thumb_url
from thumbs.request.resolve import resolve
from thumbs.toolkit.forms.previews import preview
from thumbs.wiring import process

DATA = {"about": {"size": "480x", "filters": "format(json)"}}


@pytest.fixture(autouse=True)
def _storages() -> Iterator[None]:
    storages = [
        storage("media", signature_secret_key="secret" * 6),
        storage("open"),
        storage("with-data", formats=["jpeg", "json"]),
        storage("presets", presets_only=True, formats=["jpeg", "json"]),
    ]
    with configured(storages, PRESETS={**PRESETS, **DATA}):
        yield


def _rendered(template: str, **context: object) -> str:
    return Template("{% load thumbs %}" + template).render(Context(context))


@pytest.mark.parametrize("name", ["media", "with-data"])
def test_a_url_of_data_has_the_media_type_and_the_size_of_the_thumbnail(name: str) -> None:
    made = thumb("a.jpg", "card", storage=name, format="json", data=("color", "thumbhash"))
    assert (made.content_type, made.width, made.height) == ("application/json", 400, 300)
    found = resolve(unquote_to_bytes(made.url.removeprefix("/img")), (), process.current().policies)
    assert (found.transform.format, found.transform.data) == ("json", ("thumbhash", "color"))
    assert thumb_url(name, "a.jpg", "x", filters="preset(about)").endswith("a.jpg")
    assert ".json" in thumb("a/as/b.jpg", "card", storage=name, format="json").url
    assert thumb("a.jpg", "card", storage=name, name="tom.json").content_type == "application/json"


def test_a_tag_gives_the_url() -> None:
    url = _rendered('{% thumb "a.jpg" "card" storage="media" format="json" data="thumbhash" %}')
    assert "filters:format(json);data(thumbhash)/a.jpg" in url
    assert _rendered('{% thumb_url "with-data" "a.jpg" "9x" "format(json)" %}').endswith("a.jpg")


@pytest.mark.parametrize(
    "options",
    [
        *[{"quality": 70}, {"max_bytes": 9}, {"data": "size"}, {"data": "color,color"}, {"data": ("color", "color")}],
        {"format": "webp", "data": "color"},
    ],
)
def test_what_does_not_go_together_is_a_mistake_in_the_code(options: dict[str, Any]) -> None:
    with pytest.raises(WrongSpec):
        thumb("a.jpg", "card", storage="media", **{"format": "json", **options})


def test_an_unsigned_storage_whose_formats_do_not_name_it_refuses_it() -> None:
    with pytest.raises(WrongSpec, match="formats do not name json"):
        thumb("a.jpg", "card", storage="open", format="json")


def test_no_element_shows_data() -> None:
    with pytest.raises(WrongSpec, match="no element shows them"):
        thumb("a.jpg", "card", storage="media", format="json").img("tom")
    for options in ({"format": "json"}, {"fmt": "json"}):
        with pytest.raises(WrongSpec, match="no element shows them"):
            picture("a.jpg", "card", storage="media", **options)  # type: ignore[arg-type]
    with pytest.raises(WrongSpec, match="'json' is not a format of thumbnails"):
        picture("a.jpg", "card", storage="media", formats="json")
    with pytest.raises(WrongSpec, match="no element shows them"):
        picture("a.jpg", "about", storage="media")


@pytest.mark.parametrize("tag", ["thumb_img", "thumb_picture"])
def test_a_tag_of_an_element_is_refused_when_it_is_compiled(tag: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="no element shows them"):
        Template("{% load thumbs %}{% " + tag + ' "a.jpg" "card" storage="media" format="json" %}')
    with pytest.raises(WrongSpec, match="no element shows them"):
        _rendered("{% " + tag + ' "a.jpg" "card" storage="media" format=wanted %}', wanted="json")


def test_a_preview_is_never_data() -> None:
    only = [storage("presets", presets_only=True, formats=["jpeg", "json"])]
    with configured(only, PRESETS=DATA):
        assert not preview(a_file("a.jpg"))
    with configured(only, PRESETS={**DATA, "small": {"size": "90x"}}):
        assert preview(a_file("a.jpg")).content_type == "image/jpeg"


def test_a_storage_with_data_among_its_formats_shows_pictures_as_ever() -> None:
    assert thumb("a.jpg", "card", storage="with-data").content_type == "image/jpeg"
    made = picture("a.png", "card", storage="with-data")
    assert made.img.content_type == "image/jpeg"
    assert all(each.content_type != "application/json" for each in made.sources)
