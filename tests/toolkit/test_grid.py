"""`grid="m6 l4"`: at every width of the viewport, `sizes` says how wide the columns are, and a width suffices."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.toolkit_site import configured
from thumbs import WrongSpec, picture
from thumbs.conf.document import BREAKPOINTS, DocumentConf
from thumbs.conf.keys import read
from thumbs.toolkit.grid import parse_grid

_CLAUSE = re.compile(r"(?:\(min-width: (\d+)px\) )?([\d.]+)(px|vw)")
_grids = st.dictionaries(st.sampled_from(sorted(BREAKPOINTS)), st.integers(1, 12))


def _css_width(sizes: str, viewport: int) -> float:
    """The width that a browser takes from `sizes`: the first clause whose condition holds (HTML, 'sizes')."""
    for clause in sizes.split(", "):
        match = _CLAUSE.fullmatch(clause)
        assert match is not None, clause
        if match[1] is None or viewport >= int(match[1]):
            return float(match[2]) * (viewport / 100 if match[3] == "vw" else 1)
    raise AssertionError(f"no clause of {sizes!r} holds for {viewport}")


def _true_width(spans: dict[str, int], container: int | None, viewport: int) -> float:
    """The width of the columns: those of the largest breakpoint that is reached, of a container that ends growing."""
    reached = [(BREAKPOINTS[name], span) for name, span in spans.items() if viewport >= BREAKPOINTS[name]]
    span = max(reached)[1] if reached else 12
    return min(viewport, container or viewport) * span / 12


@given(
    _grids, st.none() | st.integers(300, 2000), st.integers(320, 2600), st.sampled_from([(1.0,), (1.0, 2.0), (3.0,)])
)
def test_sizes_are_the_width_of_the_columns(
    spans: dict[str, int], container: int | None, viewport: int, densities: tuple[float, ...]
) -> None:
    text = " ".join(f"{name}{span}" for name, span in spans.items())
    grid = parse_grid(text, BREAKPOINTS, container, densities)
    width = _true_width(spans, container, viewport)
    assert abs(_css_width(grid.sizes, viewport) - width) <= 1.5
    if container is not None or viewport <= 1400:
        assert max(grid.widths) >= width * max(densities)
    assert list(grid.widths) == sorted(set(grid.widths))


def test_the_breakpoints_are_those_of_bootstrap_unless_they_are_given() -> None:
    assert read(DocumentConf, {"storages": []}, "", []).breakpoints == BREAKPOINTS
    with configured():
        made = picture("a.jpg", "hero", storage="open", grid="m6 l4")
        assert made.sizes == "(min-width: 992px) 33.33vw, (min-width: 768px) 50vw, 100vw"
    with configured(BREAKPOINTS={"tablet": 700}, CONTAINER_WIDTH=1000):
        made = picture("a.jpg", "hero", storage="open", grid="tablet6")
        assert made.sizes == "(min-width: 1000px) 500px, (min-width: 700px) 50vw, 100vw"
        with pytest.raises(WrongSpec, match="tablet"):
            picture("a.jpg", "hero", storage="open", grid="m6")


def test_widths_of_the_call_replace_those_of_the_grid() -> None:
    with configured():
        made = picture("a.jpg", "hero", storage="open", grid="m6", widths="300 600")
        assert made.fallback is not None
        assert [descriptor for _, descriptor in made.fallback.urls] == ["300w", "600w"]
