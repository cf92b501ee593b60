"""The page has a control for every row of the table of filters, and names its files by their content."""

import re
from collections.abc import Iterator
from pathlib import Path

import html5lib
import pytest
from django.test import Client, override_settings

from tests.support.playgrounds import playground
from thumbs.image.transforms import Transform
from thumbs.playground import assets
from thumbs.request import filters
from thumbs.request.filter_kinds import Filter
from thumbs.request.parameters import Kind, Parameter


@pytest.fixture
def client(originals: Path) -> Iterator[Client]:
    with playground(originals) as made:
        yield made


def page(client: Client) -> str:
    answer = client.get("/")
    assert answer.status_code == 200
    text = answer.content.decode()
    html5lib.HTMLParser(strict=False).parse(text)
    return text


def control(html: str, name: str) -> str:
    found = re.search(rf'data-filter="{name}".*?(?=data-filter=|</form>)', html, re.DOTALL)
    assert found is not None, name
    return found[0]


@pytest.mark.parametrize("name", filters.FILTERS)
def test_every_filter_has_a_control_with_a_label(client: Client, name: str) -> None:
    html = control(page(client), name)
    assert f'for="on-{name}"' in html
    assert [f'data-field="{each.kind}"' in html for each in filters.FILTERS[name].parameters] == [True] * len(
        filters.FILTERS[name].parameters
    )


@pytest.mark.parametrize("kind", Kind)
def test_a_new_row_of_each_kind_appears_by_itself(client: Client, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    parameter = Parameter(kind, "strength", choices=("mild", "wild"), least=2, most=9, step=0.5, start=4)
    row = Filter("sparkle", "sparks", lambda _: {}, lambda _: None, parameters=(parameter,))
    monkeypatch.setitem(filters.FILTERS, "sparkle", row)
    html = control(page(client), "sparkle")
    assert f'data-field="{kind}"' in html
    expected = {
        Kind.RANGE: ['type="range"', 'min="2"', 'max="9"', 'step="0.5"'],
        Kind.CHOICE: ['<option value="mild">mild</option>'],
        Kind.COLOR: ['type="color"'],
        Kind.POINT: ['data-drawn="point"', ">x<input"],
        Kind.BOX: ['data-drawn="box"', ">left "],
        Kind.OFFSETS: [">strength x "],
        Kind.NAME: ["<select"],
        Kind.TEXT: ['type="text"'],
    }
    assert [part for part in expected[kind] if part not in html] == []
    assert Transform() == Transform()


def test_only_what_is_a_part_of_the_original_is_dragged_on_it(client: Client) -> None:
    assert re.findall(r'name="tool" value="(\w+)"', page(client)) == ["crop", "pcrop", "gravity"]


def test_a_row_that_says_nothing_of_its_arguments_has_a_text(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(filters.FILTERS, "sparkle", Filter("sparkle", "sparks", lambda _: {}, lambda _: None))
    assert 'data-field="text"' in control(page(client), "sparkle")


def test_names_of_the_configuration_are_choices_and_their_absence_is_said(originals: Path, client: Client) -> None:
    assert "The configuration has no presets." in control(page(client), "preset")
    with playground(originals, PRESETS={"card": {"size": "40x30"}}) as other:
        html = control(page(other), "preset")
        assert '<option value="card">card</option>' in html
        assert "disabled" not in html


@override_settings(LANGUAGE_CODE="de", USE_I18N=True, USE_THOUSAND_SEPARATOR=True)
def test_numbers_are_those_of_urls_in_every_language(client: Client) -> None:
    html = control(page(client), "blur")
    assert 'min="0.3"' in html
    assert 'step="0.1"' in html
    assert 'max="5120"' in control(page(client), "padding")


def test_nothing_of_the_page_is_inline_or_of_another_host(client: Client) -> None:
    html = page(client)
    assert re.findall(r"<style|<script(?![^>]+src=)|\son[a-z]+=|\sstyle=", html) == []
    assert [url for url in re.findall(r'(?:src|href)="([^"]+)"', html) if not url.startswith(("/", "#", "data:"))] == []


@pytest.mark.parametrize(("extension", "kind"), [("css", "text/css"), ("js", "text/javascript")])
def test_a_file_is_kept_for_good_under_the_digest_of_its_content(client: Client, extension: str, kind: str) -> None:
    name = assets.name_of(extension)
    answer = client.get(f"/playground/{name}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(kind)
    assert "immutable" in answer.headers["Cache-Control"]
    assert f"/playground/{name}" in page(client)
    for other in (f"playground.{extension}", name.replace(".", ".0", 1), "../views.py", "page.html"):
        assert client.get(f"/playground/{other}").status_code == 404


def test_names_of_storages_are_text(originals: Path) -> None:
    with playground(originals, "on", PRESETS={"card": {"size": "40x30"}}) as client:
        html = page(client)
        assert 'data-listable="no"' in html
        assert "signed (signed)" in html
