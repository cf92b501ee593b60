"""SVG drawings that are expensive: filters, gradients, text, references, dashes, transparent layers."""

_SPACES = b"xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink'"
_SIDE = 5000


def _svg(body: str, *, side: int = _SIDE) -> bytes:
    return b"<svg %s width='%d' height='%d'>%s</svg>" % (_SPACES, side, side, body.encode())


def _filtered(primitives: str, *, side: int = _SIDE, times: int = 1) -> bytes:
    rect = f"<rect width='{side}' height='{side}' fill='#258' filter='url(#f)'/>"
    return _svg(f"<filter id='f' x='0' y='0' width='1' height='1'>{primitives}</filter>{rect * times}", side=side)


def _nested(levels: int) -> str:
    """Each group uses the one before it ten times."""
    groups = (
        f"<g id='g{level}'>" + f"<use xlink:href='#g{level - 1}' x='3'/>" * 10 + "</g>" for level in range(1, levels)
    )
    first = "<circle id='g0' r='900' cx='1000' cy='1000' fill-opacity='0.1'/>"
    return f"<defs>{first}{''.join(groups)}</defs><use xlink:href='#g{levels - 1}'/>"


def _gradients(count: int) -> str:
    stops = "".join(f"<stop offset='{at / 1000}' stop-color='#{at % 10}4{at % 7}'/>" for at in range(1000))
    kinds = f"<radialGradient id='r'>{stops}</radialGradient><linearGradient id='l'>{stops}</linearGradient>"
    rects = "<rect width='5000' height='5000' fill='url(#r)'/><rect width='5000' height='5000' fill='url(#l)'/>"
    return f"<defs>{kinds}</defs>{rects * count}"


def _layers(depth: int) -> str:
    return "<g opacity='0.99'>" * depth + "<rect width='5000' height='5000' fill='#258'/>" + "</g>" * depth


_MASK = "<mask id='m'><rect width='5000' height='5000' fill='#888'/></mask>"
_PATTERN = "<pattern id='p' width='3' height='3' patternUnits='userSpaceOnUse'><circle r='2' fill='#258'/></pattern>"
_TURBULENCE = "<feTurbulence type='turbulence' baseFrequency='0.5' numOctaves='{octaves}'/>"
_LIGHT = "<feSpecularLighting surfaceScale='5'><fePointLight x='90' y='90' z='99'/></feSpecularLighting>"
_MATRIX = "<feConvolveMatrix order='{side}' kernelMatrix='{values}'/>"

DRAWINGS: dict[str, bytes] = {
    "blur": _filtered("<feGaussianBlur stdDeviation='300'/>"),
    "ten blurs": _filtered("<feGaussianBlur stdDeviation='77'/>" * 10),
    "turbulence": _filtered(_TURBULENCE.format(octaves=9)),
    "turbulence of 1,000,000 octaves": _filtered(_TURBULENCE.format(octaves=1_000_000), side=1000),
    "turbulence, small": _filtered(_TURBULENCE.format(octaves=9), side=500),
    "morphology": _filtered("<feMorphology operator='dilate' radius='200'/>"),
    "convolution of 19 × 19": _filtered(_MATRIX.format(side=19, values="1 " * 361)),
    "lighting": _filtered(_TURBULENCE.format(octaves=2) + _LIGHT),
    "50 filters": _filtered("<feOffset dx='1'/>" * 5, times=50),
    "gradients": _svg(_gradients(10)),
    "uses, 1,000": _svg(_nested(4)),
    "uses, 10,000": _svg(_nested(5)),
    "20 layers": _svg(_layers(20)),
    "100 layers": _svg(_layers(100)),
    "masks": _svg(_MASK + "<rect width='5000' height='5000' mask='url(#m)'/>" * 20),
    "pattern": _svg(_PATTERN + "<rect width='5000' height='5000' fill='url(#p)'/>" * 5),
    "text of 5,000 pixels": _svg("<text y='4000' font-size='5000'>Ag&amp;%</text>" * 20),
    "text of 200,000 letters": _svg(f"<text y='90' font-size='20'>{'Wörter ' * 30_000}</text>"),
    "dashes": _svg("<path d='M0 0L5000 5000' stroke='#000' stroke-width='9' stroke-dasharray='0.001'/>" * 10),
    "90,000 circles": _svg("<circle r='99' cx='2000' cy='2000' opacity='.5'/>" * 90_000),
}
