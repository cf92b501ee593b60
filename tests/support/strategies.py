"""Hypothesis strategies for what a thumbnail URL can say, and how long the property tests look."""

import os
import re
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st

from thumbs.image.formats import BY_EXTENSION, OUTPUT_NAMES
from thumbs.image.outputs import JSON, output_of_name
from thumbs.image.transforms import (
    AUTO,
    Attention,
    Color,
    Compass,
    Crop,
    Fit,
    Focus,
    Gravity,
    Padding,
    Transform,
    Trim,
    Watermark,
)
from thumbs.request.grammar import MAX_PATH_BYTES, MAX_SEGMENT_BYTES, Target
from thumbs.request.scalars import NAME

# How many examples a property test looks at when all are wanted: in `script/test --slow`, which CI runs once. Each run
# draws others, so fewer do in a loop that runs often, with further versions of Python and Django and on many mutants.
# MAGE_TEST_EXAMPLES says how many.
_ALL, _IN_A_LOOP = 200, 25
_EXAMPLES = int(os.environ.get("MAGE_TEST_EXAMPLES", _IN_A_LOOP))

# No database: a failure is written down as an example in a test, not in a directory of this machine.
settings.register_profile("mage", max_examples=_EXAMPLES, deadline=None, database=None)
settings.load_profile("mage")


def examples(number: int) -> int:
    """How many examples a property test looks at that takes `number` when all are wanted, and not 200."""
    return max(1, number * _EXAMPLES // _ALL)


def decimals(least: int, most: int) -> st.SearchStrategy[float]:
    """Numbers as URLs can spell them: at most six decimals."""
    millionths = st.integers(least * 1_000_000, most * 1_000_000).map(lambda whole: whole / 1_000_000)
    return st.integers(least, most).map(float) | millionths


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
# What the patterns of `observability.redaction` look for, with quotes and backslashes around it.
telling = st.lists(
    st.sampled_from(["token", "secret=", "password':", "cookie: ", "<token>", "</token>", "://", "/thumbs/", "%2f"])
    | st.sampled_from([*"='\"\\ :@?,{}\n", "é", "x.jpg", "0123456789abcdefABCDEF"])
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    max_size=8,
).map("".join)
sizes = st.tuples(st.integers(1, 3000), st.integers(1, 3000))
colors = st.builds(Color, *[st.integers(0, 255)] * 4)
gravities: st.SearchStrategy[Gravity] = st.sampled_from([*Compass, *Attention]) | st.builds(
    Focus, decimals(0, 1), decimals(0, 1)
)


@st.composite
def crops(draw: st.DrawFn) -> Crop:
    percent = draw(st.booleans())
    numbers = decimals(0, 100) if percent else st.integers(0, 3500).map(float)
    (x1, x2), (y1, y2) = (draw(st.lists(numbers, min_size=2, max_size=2, unique=True).map(sorted)) for _ in range(2))
    return Crop(x1, y1, x2, y2, percent)


_sigmas = st.none() | decimals(1, 100) | st.just(0.3)
_sharpen_sigmas = st.none() | decimals(1, 10) | st.just(0.3)
_amounts = st.integers(-100, 100)
_effects: st.SearchStrategy[dict[str, object]] = st.fixed_dictionaries(
    {},
    optional={
        "rotate": st.sampled_from([0, 90, 180, 270]),
        "flip": st.booleans(),
        "flop": st.booleans(),
        "blur": _sigmas,
        "sharpen": _sharpen_sigmas,
        "grayscale": st.booleans(),
        "brightness": _amounts,
        "contrast": _amounts,
        "saturation": _amounts,
        "background": st.none() | colors,
        "padding": st.builds(Padding, *[st.integers(0, 300)] * 4),
        "max_bytes": st.none() | st.integers(1, 10**9 - 1),
        "trim": st.none() | st.builds(Trim, st.integers(0, 255), st.none() | colors),
        "watermark": st.none()
        | st.builds(
            Watermark,
            st.from_regex(NAME, fullmatch=True),
            st.sampled_from(Compass),
            st.integers(0, 100),
            decimals(0, 1),
        ),
        "frames": st.integers(0, 10**9 - 1),
        "data": st.sampled_from([(), ("thumbhash",), ("color",), ("thumbhash", "color")]),
    },
)


@st.composite
def transforms(
    draw: st.DrawFn, *, crop: st.SearchStrategy[Crop | None] | None = None, effects: bool = False
) -> Transform:
    """Any transform; with `effects`, also what is done after resizing."""
    fit = draw(st.sampled_from([Fit.COVER, Fit.CONTAIN, Fit.FILL, Fit.STRETCH]))
    side = st.none() | st.integers(1, 3000)
    more: dict[str, object] = draw(_effects) if effects else {}
    transform = Transform(
        width=draw(side),
        height=draw(side),
        format=draw(st.none() | st.sampled_from([*sorted(set(OUTPUT_NAMES.values())), AUTO, JSON])),
        quality=draw(st.none() | st.integers(1, 100)),
        fit=fit,
        fill=draw(st.none() | colors) if fit is Fit.FILL else None,
        crop=draw(st.none() | crops() if crop is None else crop),
        gravity=draw(gravities),
        upscale=draw(st.none() | st.booleans()),
        linear=draw(st.none() | st.booleans()),
        dpr=draw(st.just(1.0) | decimals(1, 4)),
        version=draw(st.none() | st.from_regex(r"[A-Za-z0-9._~-]{1,64}", fullmatch=True)),
        **more,  # type: ignore[arg-type]
    )
    return coherent(transform)


def coherent(transform: Transform) -> Transform:
    """`transform` without what does not go with its format."""
    if transform.format == JSON:
        return replace(transform, quality=None, max_bytes=None, watermark=None)
    return replace(transform, data=())


_letters = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/\\")
# Segments that mean something elsewhere in a URL.
_lookalikes = st.sampled_from(
    [
        "as",
        "thumbs",
        "400x300",
        "x",
        "filters:",
        "filters:quality(1)",
        "f:nonsense",
        "filters",
        "a%2Fb",
        "x?y#z;w",
        "...",
    ]
)
segments = (_lookalikes | st.text(_letters, min_size=1, max_size=80)).filter(
    lambda text: text not in (".", "..") and len(text.encode()) <= MAX_SEGMENT_BYTES
)
paths = (
    st.lists(segments, min_size=1, max_size=8).map("/".join).filter(lambda path: len(path.encode()) <= MAX_PATH_BYTES)
)
_OUTPUT_EXTENSIONS = sorted([JSON, *(extension for extension, name in BY_EXTENSION.items() if name in OUTPUT_NAMES)])
names = st.builds("{}.{}".format, segments, st.sampled_from(_OUTPUT_EXTENSIONS)).filter(
    lambda name: not name.startswith(".") and len(name.encode()) <= MAX_SEGMENT_BYTES
)


@st.composite
def targets(draw: st.DrawFn) -> Target:
    """Every target that has a URL."""
    transform = draw(transforms(effects=True))
    name = draw(st.none() | names)
    if name is not None:
        named = output_of_name(name)
        transform = coherent(replace(transform, format=named))
    expires = draw(st.none() | st.integers(1, 10**12 - 1))
    # A key that ends in `/as/{name}` is only reached with a download name of its own.
    path = draw(paths.filter(lambda path: name is not None or re.search(r"/as/[^/]*\Z", path) is None))
    return Target(path, transform, name, expires)
