"""`{% load %}`: which tags are a peer's at a place of a template, and which libraries it must load afterwards."""

import re
from collections.abc import Iterator

from thumbs.toolkit.migration.editing.edits import Edit
from thumbs.toolkit.migration.editing.peer import Owns, Peer
from thumbs.toolkit.migration.editing.site import SiteSettings
from thumbs.toolkit.migration.editing.templates import Template, Token, filters_of

OURS = "thumbs"
_SHARED = {"thumbnail": ("sorl.thumbnail", "easy_thumbnails")}
OUR_TAGS = ("thumb", "thumb_img", "thumb_picture", "thumb_url")


def names_of(peer: Peer, site: SiteSettings) -> frozenset[str]:
    """The names under which templates load the peer's libraries: its own ones, and those that TEMPLATES gives them."""
    given = {name: peer.owns_module(module) for name, module in site.libraries.items()}
    own = {name for name in peer.libraries if name not in given and _is_its_own(name, peer, site)}
    return frozenset(own | {name for name, is_own in given.items() if is_own})


def _is_its_own(name: str, peer: Peer, site: SiteSettings) -> bool:
    """Whether a name that several packages use is the peer's: Django takes the library of the last app that has it."""
    sharing = _SHARED.get(name, ())
    installed = [package for app in site.apps for package in sharing if f"{app}.".startswith(f"{package}.")]
    return not installed or installed[-1] == peer.package


def ownership(template: Template, peer: Peer, site: SiteSettings, others: Iterator[Peer]) -> Owns:
    """Whether a name is the peer's at a token: the last library before it that has the name is the peer's."""
    ours = names_of(peer, site)
    theirs = {name: other for other in others if other is not peer for name in names_of(other, site) - ours}
    builtin = any(peer.owns_module(module) for module in site.builtins)

    def owns(token: Token, name: str) -> bool:
        owned = builtin
        for load in template.tags("load"):
            if load.start > token.start:
                break
            for library in loaded(load):
                if load.bits[-2:-1] == ("from",) and name not in load.bits[1:-2]:
                    continue
                if library in ours:
                    owned = True
                elif library in theirs and name in theirs[library].tags | theirs[library].filters:
                    owned = False
        return owned

    return owns


def loaded(load: Token) -> tuple[str, ...]:
    """The libraries that a `{% load %}` names."""
    return load.bits[-1:] if load.bits[-2:-1] == ("from",) else load.bits[1:]


def loads(template: Template, peer: Peer, site: SiteSettings, owns: Owns) -> Iterator[Edit]:
    """The edits that load what the converted template uses, and no library of the peer that it does not use."""
    ours = names_of(peer, site)
    kept = {name for token in template.tokens for name in _names_used(token, peer) if owns(token, name)}
    first_use = next((token.start for token in template.tokens if token.name in OUR_TAGS), None)
    needed = first_use is not None and not any(
        OURS in loaded(load) and load.bits[-2:-1] != ("from",) and load.start < first_use
        for load in template.tags("load")
    )
    for load in template.tags("load"):
        adds = needed and first_use is not None and load.start < first_use
        words = _words(load, ours, kept)
        if words == list(load.bits):
            continue
        text = _load_of(load, words, adds=adds)
        needed = needed and not adds
        yield load.replaced(text) if text else _without(template.text, load)
    if needed and first_use is not None:
        yield _added(template, first_use)


def _names_used(token: Token, peer: Peer) -> Iterator[str]:
    if token.name in peer.tags:
        yield token.name
    yield from (name for name in filters_of(token) if name in peer.filters)


def _words(load: Token, ours: frozenset[str], kept: set[str]) -> list[str]:
    """The words of a `{% load %}` without what is not used any more; only `load` where nothing is left."""
    bits = list(load.bits)
    if bits[-2:-1] == ["from"]:
        if bits[-1] not in ours:
            return bits
        names = [name for name in bits[1:-2] if name in kept]
        return ["load", *names, *bits[-2:]] if names else ["load"]
    return bits if kept else [word for word in bits if word not in ours]


def _load_of(load: Token, words: list[str], *, adds: bool) -> str:
    """The tag with these words, spaced as before; with our library in the place of the first one that is gone."""
    if words == ["load"] and (not adds or load.bits[-2:-1] == ("from",)):
        return f"{{% load {OURS} %}}" if adds else ""
    if words[-2:-1] == ["from"]:
        return f"{{% {' '.join(words)} %}}" + (f"{{% load {OURS} %}}" if adds else "")
    source, add = load.source, adds
    for word in load.bits[1:]:
        if word not in words:
            pattern = rf"(\s+){re.escape(word)}(?=\s|%}})"
            source = re.sub(pattern, rf"\g<1>{OURS}" if add else "", source, count=1)
            add = False
    return source


def _without(text: str, load: Token) -> Edit:
    """Removes the tag, with its line where nothing else stands on it."""
    start = text.rfind("\n", 0, load.start) + 1
    end = text.find("\n", load.end)
    alone = not text[start : load.start].strip() and end >= 0 and not text[load.end : end].strip()
    return Edit(start, end + 1, "") if alone else load.replaced("")


def _added(template: Template, first_use: int) -> Edit:
    """Loads our library: in the last `{% load %}` before its first use, else after `{% extends %}`, else at the start.

    Nothing is added to what the page prints: there is no new line, except after `{% extends %}`.
    """
    for load in reversed([load for load in template.tags("load") if load.start < first_use]):
        if load.bits[-2:-1] != ("from",) and len(load.bits) > 1:
            last = load.source.rindex(load.bits[-1]) + len(load.bits[-1])
            return load.replaced(f"{load.source[:last]} {OURS}{load.source[last:]}")
        return Edit(load.end, load.end, f"{{% load {OURS} %}}")
    for extends in [each for each in template.tags("extends") if each.start < first_use]:
        newline = "\r\n" if "\r\n" in template.text else "\n"
        return Edit(extends.end, extends.end, f"{newline}{{% load {OURS} %}}")
    at = 1 if template.text.startswith("\ufeff") else 0
    return Edit(at, at, f"{{% load {OURS} %}}")
