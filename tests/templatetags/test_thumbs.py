"""The template tag `thumb_url`: URLs that work, escaped, and errors that name the mistake."""

from pathlib import Path

import pytest
from django.db.models import FileField
from django.db.models.fields.files import FieldFile
from django.template import Context, Template
from django.test import Client

from thumbs.errors import BadRequest
from thumbs.site.links import UnknownStorage


def _rendered(source: str, **context: object) -> str:
    return Template("{% load thumbs %}" + source).render(Context(context))


def test_a_template_gives_urls_that_work(storages: object) -> None:
    url = _rendered('{% thumb_url "signed" path "90x60" "format(webp)" %}', path="quarters.jpg")
    assert Client().get(url).headers["Content-Type"] == "image/webp"
    named = _rendered('{% thumb_url "signed" path "90x60" name="tom.webp" as url %}<{{ url }}>', path="quarters.jpg")
    assert Client().get(named.strip("<>")).headers["Content-Disposition"] == 'inline; filename="tom.webp"'


def test_a_template_escapes_urls_and_takes_a_models_file(storages: object, originals: Path) -> None:
    file = FieldFile(instance=None, field=FileField(), name="cats/tom & jerry?.jpg")  # type: ignore[arg-type]
    url = _rendered('<img src="{% thumb_url "on-disk" file "90x" %}">', file=file)
    assert url == '<img src="/img/on-disk/thumbs/90x/cats/tom%20&amp;%20jerry%3F.jpg">'


def test_a_template_with_a_mistake_says_which(storages: object) -> None:
    with pytest.raises(UnknownStorage, match="Did you mean 'on-disk'"):
        _rendered('{% thumb_url "on-dsk" "quarters.jpg" "90x" %}')
    with pytest.raises(BadRequest, match="The size must be"):
        _rendered('{% thumb_url "on-disk" "quarters.jpg" "90" %}')
