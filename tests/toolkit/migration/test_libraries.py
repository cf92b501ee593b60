"""`{% load %}` after a conversion: what the template uses is loaded, and nothing of the peer that it does not use."""

import re

import pytest
from django.template import base

from tests.support.migrating import template

_TAG, _OURS = '{% thumbnail f "9x9" crop="center" %}', '{% thumb f "9x9" %}'
_KEPT = "{{ text|html_thumbnails }}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"{{% load thumbnail %}}{_TAG}", f"{{% load thumbs %}}{_OURS}"),
        (f"{{%  load   static thumbnail  i18n %}}{_TAG}", f"{{%  load   static thumbs  i18n %}}{_OURS}"),
        (f"{{%load thumbnail%}}{_TAG}", f"{{%load thumbs%}}{_OURS}"),
        (f"{{% load sorl_thumbnail %}}{_TAG}", f"{{% load thumbs %}}{_OURS}"),
        (f"{{% load thumbnail from thumbnail %}}{_TAG}", f"{{% load thumbs %}}{_OURS}"),
        (f"{{% load thumbnail thumbs %}}{_TAG}", f"{{% load thumbs %}}{_OURS}"),
        (f"{{% load thumbs %}}\n{{% load thumbnail %}}\n{_TAG}", f"{{% load thumbs %}}\n{_OURS}"),
        (f"{{% load thumbnail %}}{_TAG}{{% load thumbnail i18n %}}{_TAG}",
         f"{{% load thumbs %}}{_OURS}{{% load i18n %}}{_OURS}"),
        (f"{{% load thumbnail %}}{_TAG}{_KEPT}", f"{{% load thumbnail thumbs %}}{_OURS}{_KEPT}"),
        (f"{{% load thumbnail html_thumbnails from thumbnail %}}{_TAG}{_KEPT}",
         f"{{% load html_thumbnails from thumbnail %}}{{% load thumbs %}}{_OURS}{_KEPT}"),
        ("{% load thumbnail %}\n<p>", "<p>"),
        ("a {% load thumbnail %} b", "a  b"),
        (f"{{% load thumbnail %}}{_KEPT}", f"{{% load thumbnail %}}{_KEPT}"),
        ("{% load static %}{% static 'x' %}", "{% load static %}{% static 'x' %}"),
    ],
)  # fmt: skip
def test_the_library_takes_the_place_of_the_peers(before: str, after: str) -> None:
    assert template("sorl", before).text == after


def test_our_library_is_loaded_where_there_was_nothing_to_load() -> None:
    tag, ours = "{{ i.image.crop.9x9 }}", '{% thumb i.image "9x9" %}'
    assert template("versatile", tag).text == f"{{% load thumbs %}}{ours}"
    assert template("versatile", f"\ufeff<?xml?>{tag}").text == f"\ufeff{{% load thumbs %}}<?xml?>{ours}"
    assert template("versatile", f"{{% load i18n static %}}\n{tag}").text == (
        f"{{% load i18n static thumbs %}}\n{ours}"
    )
    assert template("versatile", f"{{% load static from static %}}\n{tag}").text == (
        f"{{% load static from static %}}{{% load thumbs %}}\n{ours}"
    )
    assert template("versatile", f"{{% extends 'a' %}}\r\n{{% block b %}}{tag}{{% endblock %}}").text == (
        f"{{% extends 'a' %}}\r\n{{% load thumbs %}}\r\n{{% block b %}}{ours}{{% endblock %}}"
    )
    later = f"{tag}{{% load static %}}"
    assert template("versatile", later).text == f"{{% load thumbs %}}{ours}{{% load static %}}"


def test_tags_of_another_library_are_left_alone() -> None:
    for text in (_TAG, f"{{% load imagekit %}}{_TAG}", f"{{% load thumbnail imagekit %}}{_TAG}"):
        done = template("sorl", text)
        assert _TAG in done.text
        assert "loads no library of sorl-thumbnail" in done.left[0].sentence


def test_libraries_under_another_name_and_builtins_are_those_of_the_peer() -> None:
    module = "sorl.thumbnail.templatetags.thumbnail"
    named = template("sorl", f"{{% load pics %}}{_TAG}", libraries={"pics": module})
    assert named.text == f"{{% load thumbs %}}{_OURS}"
    assert template("sorl", _TAG, builtins=(module,)).text == f"{{% load thumbs %}}{_OURS}"


def test_a_name_of_two_installed_packages_is_that_of_the_last_app() -> None:
    text = f"{{% load thumbnail %}}{_TAG}"
    assert template("sorl", text, apps=("sorl.thumbnail", "easy_thumbnails")).text == text
    assert template("sorl", text, apps=("easy_thumbnails", "sorl.thumbnail.apps.Sorl")).text != text
    assert template("sorl", text, apps=("easy_thumbnails",)).text == text
    assert template("sorl", text, apps=("shop",)).text != text
    named = f"{{% load sorl_thumbnail %}}{_TAG}"
    assert template("sorl", named, apps=("sorl.thumbnail", "easy_thumbnails")).text != named
    assert template("easy", text, apps=("easy_thumbnails", "sorl.thumbnail")).text == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"{{% comment %}}{_TAG}{{% endcomment %}}", "{% comment %}"),
        (f'{{% comment "note" %}}{_TAG}{{% endcomment %}}', "{% comment %}"),
        (f"{{% verbatim %}}{_TAG}{{% endverbatim %}}", "{% verbatim %}"),
        (f"{{% verbatim a %}}{_TAG}{{% endverbatim a %}}", "{% verbatim %}"),
        (f"{{# {_TAG} #}}", "in a comment"),
        ('{% thumbnail f\n "9x9" %}', "over several lines"),
    ],
)
def test_tags_that_do_not_run_are_left_alone(text: str, reason: str) -> None:
    done = template("sorl", f"{text}{{% load thumbnail %}}{_TAG}")
    assert done.text == f"{text}{{% load thumbs %}}{_OURS}"
    assert reason in done.left[0].sentence


def test_tags_in_html_comments_run_and_are_converted() -> None:
    assert template("sorl", f"{{% load thumbnail %}}<!-- {_TAG} -->").text == f"{{% load thumbs %}}<!-- {_OURS} -->"


def test_line_numbers_are_those_of_the_file() -> None:
    done = template("sorl", "{% load thumbnail %}\n\n{% thumbnail f size %}\n{# a {% thumbnail f size %} #}\n")
    assert [remark.line for remark in done.left] == [3, 4]


def test_tags_over_several_lines_are_converted_where_the_site_lets_django_read_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(base, "tag_re", re.compile(base.tag_re.pattern, re.DOTALL))
    before = '{% load thumbnail %}\n{% thumbnail\n    f\n    "9x9"\n    crop="center"\n%}\n{% thumbnail f\nsize %}'
    done = template("sorl", before)
    assert done.text == '{% load thumbnail thumbs %}\n{% thumb f "9x9" %}\n{% thumbnail f\nsize %}'
    assert [(remark.line, remark.code) for remark in done.left] == [(7, "{% thumbnail f size %}")]
