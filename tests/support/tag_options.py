"""Hypothesis strategies for the options of a thumbnail, each beside its text in a URL: the oracle of the toolkit."""

from hypothesis import strategies as st

from tests.support.strategies import decimals

Option = tuple[object, str]  # what a caller gives, and its text in a URL


def _decimal(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _option(name: str, value: object) -> Option:
    if value is True:
        return value, name
    if isinstance(value, tuple):
        return value, f"{name}({','.join(_decimal(part) if isinstance(part, float) else str(part) for part in value)})"
    return value, f"{name}({_decimal(value) if isinstance(value, float) else value})"


_VALUES: dict[str, st.SearchStrategy[object]] = {
    "format": st.sampled_from(["webp", "png", "jpg", "jpeg", "avif", "gif", "auto", "json"]),
    "quality": st.integers(1, 100),
    "fit": st.sampled_from(["cover", "contain", "fill", "stretch", ("fill", "ffcc00"), ("fill", "transparent")]),
    "gravity": st.sampled_from(["north", "southeast", "smart", "entropy"]) | st.tuples(decimals(0, 1), decimals(0, 1)),
    "dpr": decimals(1, 4) | st.integers(1, 4),
    "blur": decimals(1, 100),
    "rotate": st.sampled_from([90, 180, 270]),
    "flip": st.just(True),
    "grayscale": st.just(True),
    "padding": st.integers(0, 300) | st.tuples(st.integers(0, 300), st.integers(0, 300)),
    "background": st.sampled_from(["ffcc00", "rebeccapurple", "transparent"]),
    "trim": st.integers(0, 255),
    "max_bytes": st.integers(1, 10**9 - 1),
    "brightness": st.integers(-100, 100),
    "pcrop": st.just((0, 0, 50.5, 100)),
    "frames": st.sampled_from(["all", "first", 3]),
    "data": st.sampled_from(["color", ("thumbhash", "color")]),
}


@st.composite
def options(draw: st.DrawFn) -> dict[str, Option]:
    """Some options by name."""
    names = draw(st.lists(st.sampled_from(sorted(_VALUES)), max_size=4, unique=True))
    found = {name: _option(name, draw(_VALUES[name])) for name in names}
    for name in ("upscale", "linear"):
        chosen = draw(st.none() | st.booleans())
        if chosen is not None:
            found[name] = (chosen, f"{name}({'yes' if chosen else 'no'})")
    return found
