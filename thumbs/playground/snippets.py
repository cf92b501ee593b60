"""The same picture as a URL, for a shell, for a template of Django, and as HTML."""

import shlex
from collections.abc import Iterator
from dataclasses import replace
from html import escape

from thumbs.image.formats import FORMATS
from thumbs.image.outputs import JSON
from thumbs.image.transforms import Fit
from thumbs.playground.links import Link, file_name, link
from thumbs.playground.wanted import Wanted
from thumbs.request.filters import find

_MODERN = ("avif", "webp")
_EXACT = (Fit.COVER, Fit.FILL, Fit.STRETCH)


def snippets(wanted: Wanted, made: Link, origin: str) -> dict[str, str]:
    """Texts to copy by their names. `origin` is the scheme and host of this server, without a slash at its end."""
    url = origin + made.url
    return {
        "url": url,
        "curl": f"curl --output {shlex.quote(file_name(wanted, made.thumb))} {shlex.quote(url)}",
        "tag": _tag(wanted),
        "picture": "" if _is_data(made) else _picture(wanted, made),
    }


def _is_data(made: Link) -> bool:
    """Whether the answer is no picture."""
    return made.thumb is not None and made.thumb.transform.format == JSON


def _tag(wanted: Wanted) -> str:
    """The template tag. Empty where no literal of a template can have the text."""
    spec = [wanted.size]
    options = [("storage", f'"{_literal(wanted.storage)}"')]
    for name, arguments in wanted.calls:
        row = find(name)
        if name == "preset":
            spec.insert(0, arguments)
        elif row is not None and not arguments:
            options.append((name, "True"))
        elif name != "expires":  # a tag takes a lifetime, which begins when the page is made
            options.append((name, f'"{_literal(arguments)}"'))
    if wanted.name:
        options.append(("name", f'"{_literal(wanted.name)}"'))
    size = " ".join(part for part in spec if part != "x") or "x"
    text = f'"{_literal(wanted.key)}" "{_literal(size)}" ' + " ".join(f"{name}={value}" for name, value in options)
    return "" if "%}" in text or "\n" in text else f"{{% load thumbs %}}\n{{% thumb {text} %}}"


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _picture(wanted: Wanted, made: Link) -> str:
    lines = ["<picture>"]
    if made.thumb is not None:
        lines += [f"  {source}" for source in _sources(wanted, made)]
    lines += [f"  <img {_attributes(made)}>", "</picture>"]
    return "\n".join(lines)


def _sources(wanted: Wanted, made: Link) -> Iterator[str]:
    own = None if made.thumb is None else made.thumb.transform.format
    for name in _MODERN:
        if name == own:
            continue
        plain = replace(wanted, name="").with_filter("format", name)
        if link(plain).thumb is not None:
            yield f'<source type="{FORMATS[name].content_type}" srcset="{_srcset(plain)}">'


def _srcset(wanted: Wanted) -> str:
    candidates = [escape(link(wanted).url)]
    double = link(wanted.with_filter("dpr", "2"))
    if double.thumb is not None and wanted.size != "x" and not any(name == "dpr" for name, _ in wanted.calls):
        candidates.append(f"{escape(double.url)} 2x")
    return ", ".join(url.replace(",", "%2C") for url in candidates)


def _attributes(made: Link) -> str:
    attributes = [f'src="{escape(made.url)}"']
    transform = None if made.thumb is None else made.thumb.transform
    if transform is not None and transform.width and transform.height and transform.fit in _EXACT:
        attributes.append(f'width="{transform.width}" height="{transform.height}"')
    return " ".join([*attributes, 'alt=""', 'loading="lazy"'])
