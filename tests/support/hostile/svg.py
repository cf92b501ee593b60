"""SVGs: what a server reads only when configured to."""

from collections.abc import Iterator
from functools import partial

from tests.support.hostile.parts import (
    BROKEN,
    EITHER,
    FINE,
    LISTENER,
    Hostile,
)


def svg(body: bytes, *, attributes: bytes = b"width='200' height='150'", before: bytes = b"") -> bytes:
    namespaces = b"xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink'"
    return before + b"<svg " + namespaces + b" " + attributes + b">" + body + b"</svg>"


def _nested(count: int) -> bytes:
    """Each group uses the one before it ten times."""
    groups = (b"<g id='g%d'>" % n + b"<use xlink:href='#g%d'/>" % (n - 1) * 10 + b"</g>" for n in range(1, count))
    return (
        b"<defs><rect id='g0' width='9' height='9'/>"
        + b"".join(groups)
        + b"</defs><use xlink:href='#g%d'/>" % (count - 1)
    )


def svgs() -> Iterator[Hostile]:
    outside = b"http://" + LISTENER
    doctype = b"<?xml version='1.0'?><!DOCTYPE svg [%s]>"
    laughs = b"".join(b"<!ENTITY l%d '%s'>" % (number, b"&l%d;" % (number - 1) * 10) for number in range(1, 10))
    rows: dict[str, tuple[set[int], bytes]] = {
        "plain": (FINE, svg(b"<circle r='90'/>")),
        "of-100000x100000": (BROKEN, svg(b"", attributes=b"width='100000' height='100000'")),
        "of-1000-km": (BROKEN, svg(b"", attributes=b"width='99999999cm' height='99999999cm'")),
        "of-nothing": (EITHER, svg(b"", attributes=b"width='0' height='0'")),
        "of-less-than-nothing": (EITHER, svg(b"", attributes=b"width='-9' height='-9'")),
        "without-size": (EITHER, svg(b"<circle r='90'/>", attributes=b"")),
        "view-of-1e30": (EITHER, svg(b"<circle r='90'/>", attributes=b"viewBox='0 0 1e30 1e30'")),
        "image-outside": (EITHER, svg(b"<image width='9' height='9' xlink:href='%s/a.png'/>" % outside)),
        "image-of-a-file": (EITHER, svg(b"<image width='9' height='9' xlink:href='file:///etc/passwd'/>")),
        "style-outside": (EITHER, svg(b"<style>@import url('%s/a.css');</style><circle r='9'/>" % outside)),
        "use-outside": (EITHER, svg(b"<use xlink:href='%s/a.svg#a'/>" % outside)),
        "script": (EITHER, svg(b"<script>alert(1)</script><circle r='9'/>")),
        "entity-of-a-file": (
            EITHER,
            svg(b"<text y='20'>&x;</text>", before=doctype % b"<!ENTITY x SYSTEM 'file:///etc/passwd'>"),
        ),
        "entity-outside": (
            EITHER,
            svg(b"<text y='20'>&x;</text>", before=doctype % (b"<!ENTITY x SYSTEM '%s/x'>" % outside)),
        ),
        "document-type-outside": (EITHER, svg(b"", before=b"<!DOCTYPE svg SYSTEM '%s/x.dtd'>" % outside)),
        "laughs": (EITHER, svg(b"<text y='20'>&l9;</text>", before=doctype % (b"<!ENTITY l0 'lol'>" + laughs))),
        "uses-10000": (EITHER, svg(_nested(5))),
        "groups-100000-deep": (EITHER, svg(b"<g>" * 100_000 + b"</g>" * 100_000)),
        "pattern-of-itself": (
            EITHER,
            svg(
                b"<pattern id='a' width='9' height='9'><rect width='9' height='9' fill='url(#a)'/></pattern>"
                b"<rect width='90' height='90' fill='url(#a)'/>"
            ),
        ),
        "blur-of-1e9": (
            EITHER,
            svg(b"<filter id='a'><feGaussianBlur stdDeviation='1e9'/></filter><circle r='90' filter='url(#a)'/>"),
        ),
        "turbulence": (
            EITHER,
            svg(
                b"<filter id='a'><feTurbulence baseFrequency='0.5' numOctaves='1000000'/></filter>"
                b"<rect width='200' height='150' filter='url(#a)'/>"
            ),
        ),
        "cut-short": (BROKEN, svg(b"<circle r='90'/>")[:-12]),
    }
    for name, (right, data) in rows.items():
        yield Hostile(f"svg-{name}", right, partial(bytes, data), wide=True)
    yield Hostile("svg-uses-10-to-the-11", EITHER, lambda: svg(_nested(12)), wide=True, slow=True)
    namespace = b"xmlns:a='http://" + b"\xff" * 5000 + b"'"
    yield Hostile("svg-namespace-that-is-not-utf-8", BROKEN, partial(svg, b"", attributes=namespace), wide=True)
