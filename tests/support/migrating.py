"""Templates and Python code through the conversion, as `thumb_migrate` does it, without files."""

from thumbs.toolkit.migration import convert
from thumbs.toolkit.migration.convert import Converted
from thumbs.toolkit.migration.editing.site import SiteSettings
from thumbs.toolkit.migration.peers import PEERS

LOADS = {
    "sorl": "{% load thumbnail %}",
    "easy": "{% load thumbnail %}",
    "imagekit": "{% load imagekit %}",
    "pictures": "{% load pictures %}",
    "versatile": "",
    "wagtail": "{% load wagtailimages_tags %}",
}
OURS = "{% load thumbs %}"


def template(peer: str, text: str, **settings: object) -> Converted:
    """A whole template."""
    return convert.template(text, PEERS[peer], SiteSettings(**settings))  # type: ignore[arg-type]


def body(peer: str, text: str, **settings: object) -> str:
    """What becomes of a template after its `{% load %}`. Fails when something is left alone."""
    done = template(peer, LOADS[peer] + text, **settings)
    assert done.left == ()
    assert done.text.startswith(OURS)
    return done.text.removeprefix(OURS)


def left(peer: str, text: str, **settings: object) -> list[str]:
    """Why a template is left alone, a sentence for each place. Fails when it is changed."""
    whole = LOADS[peer] + text
    done = template(peer, whole, **settings)
    assert done.text == whole
    return [remark.sentence for remark in done.left]


def python(peer: str, text: str, **settings: object) -> Converted:
    """A whole module."""
    return convert.python(text, PEERS[peer], SiteSettings(**settings))  # type: ignore[arg-type]
