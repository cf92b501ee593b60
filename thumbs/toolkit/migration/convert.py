"""One file of a site, converted: a Django template, a Jinja2 template, or Python code."""

import re
from dataclasses import dataclass

from thumbs.toolkit.migration import wagtail
from thumbs.toolkit.migration.editing import libraries, templates
from thumbs.toolkit.migration.editing.edits import Remark, applied
from thumbs.toolkit.migration.editing.peer import Owns, Page, Peer
from thumbs.toolkit.migration.editing.python_code import Module
from thumbs.toolkit.migration.editing.python_imports import left_imports
from thumbs.toolkit.migration.editing.site import SiteSettings
from thumbs.toolkit.migration.peers import PEERS
from thumbs.toolkit.migration.python_calls import ADVICE

# A call or a filter of a peer in a Jinja2 template, by peer; versatile's sizes are items there.
_JINJA = {
    "sorl": re.compile(r"\bget_thumbnail\(|\{%-?\s*thumbnail\b|\bthumbnail\("),
    "easy": re.compile(r"\|\s*(?:thumbnail_url|thumbnailer)\b|\bget_thumbnailer\(|\bthumbnail\(|\bthumbnail_url\("),
    "imagekit": re.compile(r"\bgenerateimage\(|\bthumbnail\("),
    "pictures": re.compile(r"\bpicture\(|\bimg_url\("),
    "versatile": re.compile(r"\.(?:crop|thumbnail)(?:\[['\"][0-9]+x[0-9]+['\"]\]|\.get\()|\.filters\b"),
    "wagtail": wagtail.JINJA,
}
_JINJA_CALL = 'In Jinja2 it is a call: {{ thumb(file, "400x300") }}, with thumbs.jinja2 among the extensions.'


@dataclass(frozen=True, slots=True)
class Converted:
    """The new text of a file; what is left alone in it; what to know about the changes."""

    text: str
    left: tuple[Remark, ...] = ()
    notes: tuple[Remark, ...] = ()


def template(text: str, peer: Peer, site: SiteSettings) -> Converted:
    """A Django template."""
    read = templates.read(text)
    owns = libraries.ownership(read, peer, site, iter(PEERS.values()))
    done = peer.template(Page(read, site, owns))
    left = [*done.left, *templates.unread_tags(read, peer.tags), *_not_owned(read, peer, owns)]
    try:
        changed = applied(text, done.edits)
    except ValueError:
        sentence = "Two changes of this template overlap: convert it by hand."
        return Converted(text, (Remark(1, "", sentence), *left))
    again = templates.read(changed)
    owns = libraries.ownership(again, peer, site, iter(PEERS.values()))
    changed = applied(changed, libraries.loads(again, peer, site, owns))
    return Converted(changed, tuple(sorted(set(left))), tuple(sorted(set(done.notes))))


def _not_owned(read: templates.Template, peer: Peer, owns: Owns) -> list[Remark]:
    """Tags of the peer's names in a template that loads no library of the peer."""
    sentence = f"The template loads no library of {peer.name}: the tag is another package's, or comes from builtins."
    return [token.remark(sentence) for token in read.tags(*peer.tags) if not owns(token, token.name)]


def jinja(text: str, name: str) -> Converted:
    """A Jinja2 template: nothing is changed, and what reads a peer is listed."""
    left = []
    for number, line in enumerate(text.split("\n"), 1):
        for found in _JINJA[name].finditer(line):
            sentence = _JINJA_CALL
            if name == "wagtail":
                called = wagtail.suggestion(found["image"], found["specs"].split("|"))
                sentence = f"wagtail's tags are left alone. {called}"
            left.append(Remark(number, line.strip()[:120], sentence))
    return Converted(text, tuple(left))


def python(text: str, peer: Peer, site: SiteSettings, *, migration: bool = False) -> Converted:
    """A Python module; a database migration is never changed."""
    try:
        module = Module(text)
    except (SyntaxError, ValueError):
        return (
            Converted(text, (Remark(1, "", "It cannot be parsed as Python."),))
            if peer.package in text
            else Converted(text)
        )
    if migration:
        sentence = "A database migration needs the package until it is squashed or edited."
        left = left_imports(module, module, peer.package, dict.fromkeys(_names(module), sentence))
        return Converted(text, tuple(left.left))
    done = whole = peer.python(module, site)
    changed = module
    while done.edits:  # calls in the arguments of calls, from the outside
        changed = Module(applied(changed.text, done.edits))
        done = peer.python(changed, site)
        whole.notes += done.notes
    left = left_imports(module, changed, peer.package, ADVICE[peer.package])
    return Converted(changed.text, tuple(sorted({*whole.left, *left.left})), tuple(sorted(set(whole.notes))))


def _names(module: Module) -> set[str]:
    return {alias.name for node in module.imports() for alias in node.names}
