"""Forty templates with every documented form: each is converted or named, and a second run changes nothing."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.template import engines
from django.test import override_settings

from tests.support.migrating import LOADS
from tests.support.migration_forms import ALIASES, FORMS, LEFT, MORE, PRESETS
from tests.support.peers import mage_site

# A page around forms: `LOADS` is where the `{% load %}` stands, `FORMS` where the forms stand.
_PAGES = [
    "LOADS\n<p>FORMS</p>\n",
    "{% extends 'base.html' %}\nLOADS\n{% block main %}\n<ul>FORMS</ul>\n{% endblock %}\n",
    "<!doctype html>\r\nLOADS\r\n<!-- FORMS -->\r\n<p>é</p>\r\n",
    "LOADS{% load i18n %}{% for p in photos %}{% if p %}FORMS{% else %}–{% endif %}{% empty %}none{% endfor %}",
    "{% load static %}LOADS\n\t<a href=\"{% static 'a.css' %}\">FORMS</a>",
    "LOADS{% with p=page.photo %}\nFORMS\n{% endwith %}{% include 'other.html' with p=p %}",
    "{% comment %} a note {% endcomment %}LOADS{% spaceless %} FORMS {% endspaceless %}",
    "LOADS{# a note #}{% verbatim %}{{ raw }}{% endverbatim %}<i title='FORMS'></i>",
]
_SETTINGS = {"BREAKPOINTS": {"xs": 576, "s": 768, "m": 992, "l": 1200, "xl": 1400}, "CONTAINER_WIDTH": 1200}
_OWN = {"myapp_thumbnail": {"size": "30x30"}}


def write_tree(root: Path, peer: str) -> dict[Path, list[str]]:
    """Eight templates that convert, with all forms among them, and one for each form that does not."""
    forms = FORMS[peer] + MORE.get(peer, [])
    pages = {}
    for number, page in enumerate(_PAGES):
        mine = forms[number :: len(_PAGES)] or forms[:1]
        path = root / f"{peer}{number}.html"
        path.write_bytes(page.replace("LOADS", LOADS[peer]).replace("FORMS", "\n".join(mine)).encode())
        pages[path] = mine
    for number, form in enumerate(LEFT[peer]):
        (root / f"{peer}-left{number}.html").write_bytes((LOADS[peer] + form).encode())
    return pages


def migrate(capsys: pytest.CaptureFixture[str], peer: str, root: Path) -> tuple[str, int]:
    try:
        with override_settings(THUMBNAIL_ALIASES=ALIASES):
            call_command("thumb_migrate", "--from", peer, "--write", str(root))
    except SystemExit as error:
        return capsys.readouterr().out, int(str(error.code))
    return capsys.readouterr().out, 0


@pytest.mark.parametrize("peer", FORMS)
def test_every_documented_form_is_converted_or_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, peer: str
) -> None:
    pages = write_tree(tmp_path, peer)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    out, status = migrate(capsys, peer, tmp_path)
    assert status == 1
    for path, old in before.items():
        if path in pages:
            assert f"  {path}:" not in out.partition("Left alone:")[2]
            assert path.read_bytes() != old
        else:
            assert f"  {path}:1: " in out.partition("Left alone:")[2]
            assert path.read_bytes() == old
    assert len(pages) == 8


def test_the_url_of_a_file_field_of_a_model_stays_though_an_alias_has_its_name(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "person.html"
    path.write_text('<img src="{{ gallery.image.url }}">{{ gallery.image.small.url }}')
    aliases = {"": {"image": {"size": (50, 50)}, "small": {"size": (9, 9)}}}
    with override_settings(THUMBNAIL_ALIASES=aliases), pytest.raises(SystemExit, match="1"):
        call_command("thumb_migrate", "--from", "easy", "--write", str(path))
    assert path.read_text() == '{% load thumbs %}<img src="{{ gallery.image.url }}">{% thumb gallery.image "small" %}'
    known, _, left = capsys.readouterr().out.partition("Left alone:")
    assert f"  {path}:1: {{{{ gallery.image.small.url }}}}" in known
    assert f"  {path}:1: {{{{ gallery.image.url }}}}" in left


@pytest.mark.parametrize("peer", FORMS)
def test_converted_templates_have_nothing_of_the_peer_and_compile(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, peer: str
) -> None:
    pages = write_tree(tmp_path, peer)
    migrate(capsys, peer, tmp_path)
    with mage_site(tmp_path, PRESETS={**PRESETS, **_OWN}, **_SETTINGS):
        for path in pages:
            text = path.read_text(encoding="utf-8")
            assert re.search(r"{% (?:thumbnail|endthumbnail|generateimage|picture|img_url)\b", text) is None
            assert re.search(r"load[^%]*\b(?:thumbnail|imagekit|pictures)\b", text) is None
            assert len(re.findall(r"{% load (?:\w+ )*thumbs %}", text)) == 1
            engines["django"].from_string(text)


@pytest.mark.parametrize("peer", FORMS)
def test_a_second_conversion_changes_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path, peer: str) -> None:
    write_tree(tmp_path, peer)
    first, status = migrate(capsys, peer, tmp_path)
    after = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()}
    second, again = migrate(capsys, peer, tmp_path)
    assert after == {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()}
    assert second.partition("Left alone:")[2].replace("0 files", "8 files") == first.partition("Left alone:")[2]
    assert status == again == 1


@pytest.mark.parametrize("peer", FORMS)
def test_what_stands_around_the_forms_stays_byte_for_byte(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, peer: str
) -> None:
    pages = write_tree(tmp_path, peer)
    migrate(capsys, peer, tmp_path)
    for path, page in zip(pages, _PAGES, strict=True):
        before, _, after = page.partition("FORMS")
        assert path.read_bytes().endswith(after.encode())
        start = before.partition("LOADS")[2] if peer != "versatile" else ""
        assert start.encode() in path.read_bytes()
