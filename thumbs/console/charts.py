"""The geometry of the charts: numbers for SVG attributes, as texts. The templates draw them."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # prometheus-client is an extra
    from thumbs.observability.metrics import Totals

RING_RADIUS = 26
_BAR_WIDTH = 320.0
# In the order of a request through the layers, then what was made, then errors.
_ORDER = ("memory", "disk", "shared", "objects")


@dataclass(frozen=True, slots=True)
class Ring:
    """A part of a whole, 0 to 1, as the dashes of a circle with `RING_RADIUS`."""

    dashes: str
    percent: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of a bar chart: `width` of `full`, for `count` of all."""

    label: str
    count: str
    percent: str
    width: str
    full: str
    css: str


def ring(part: float) -> Ring:
    around = 2 * math.pi * RING_RADIUS
    return Ring(f"{part * around:.2f} {around:.2f}", f"{part:.1%}")


def bar(label: str, value: float, most: float, *, count: str, css: str = "") -> Bar:
    """`value` of `most`; a part beyond it is cut off."""
    share = min(1.0, value / most) if most else 0.0
    return Bar(label, count, f"{share:.0%}", f"{share * _BAR_WIDTH:.1f}", f"{_BAR_WIDTH:g}", css)


def layers(totals: "Totals") -> list[Bar]:
    """The answers by the layer that gave them, and the errors: those of clients apart from those of the server."""
    counts: dict[str, int] = {}
    for (status, layer), count in totals.requests.items():
        counts[_kind(status, layer)] = counts.get(_kind(status, layer), 0) + count
    whole = sum(counts.values())
    names = [*(name for name in _ORDER if name in counts), *sorted(_others(counts))]
    return [
        bar(_LABELS.get(name, name), counts[name], whole, count=f"{counts[name]:,}", css=_CSS.get(name, ""))
        for name in names
    ]


_LABELS = {"refused": "errors of requests (4xx)", "failed": "errors of the server (5xx)", "source": "made anew"}
_CSS = {"refused": "is-refused", "failed": "is-failed", "source": "is-made"}


def _kind(status: str, layer: str) -> str:
    if layer != "none" or status < "400":
        return layer if layer != "none" else "not modified"
    return "refused" if status < "500" else "failed"


def _others(counts: Mapping[str, int]) -> Iterable[str]:
    return (name for name in counts if name not in _ORDER)
