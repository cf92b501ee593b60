"""Width and height of a thumbnail, computed without its original, are those of the picture that is rendered."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from hypothesis import event, example, given
from hypothesis import strategies as st

from tests.support import pictures
from tests.support.tag_options import Option, options
from tests.support.toolkit_site import a_file, configured, storage
from thumbs import Thumb, WrongSpec, thumb

# Upright sizes of originals. The second is stored turned, as a telephone does.
SOURCES = {"wide.png": (600, 400), "tall.jpg": (90, 160), "square.png": (300, 300), "tiny.png": (31, 7)}
_side = st.none() | st.integers(1, 300)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sizes")
    for name, (width, height) in SOURCES.items():
        image = pictures.quarters(width, height)
        turned = name == "tall.jpg"
        (root / name).write_bytes(pictures.stored_turned(image, 6) if turned else pictures.encoded(image, "PNG"))
    return root


def _size(made: Thumb) -> tuple[int | None, int | None]:
    return made.width, made.height


def _check(root: Path, name: str, size: tuple[int | None, int | None], chosen: dict[str, Option]) -> None:
    """Compare what is said of an original of a known size, and of an unknown one, with the picture."""
    width, height = size
    given_options: dict[str, Any] = {
        key: value for key, (value, _) in chosen.items() if key not in ("format", "max_bytes", "data")
    }
    spec = f"{width or ''}x{height or ''}"
    try:
        made = thumb(a_file(name, root, size=SOURCES[name]), spec, format="png", **given_options)
        unknown = thumb(name, spec, storage="all", format="png", **given_options)
    except WrongSpec:
        return
    answer = Client().get(made.url)
    if answer.status_code != 200:
        event(f"refused with {answer.status_code}")
        return
    true = pictures.decoded(answer.content).size
    known = "trim" not in given_options or None not in _size(unknown)
    event("known" if known else "unknown")
    assert _size(made) == (true if known else (None, None))
    assert _size(unknown) in (true, (None, None))
    two_sides = width is not None and height is not None
    fit = str(given_options.get("fit", "cover"))
    if two_sides and ("fill" in fit or (fit in ("cover", "stretch") and given_options.get("upscale") is not False)):
        assert _size(unknown) == true


def test_the_size_is_that_of_the_picture(root: Path) -> None:
    @given(st.sampled_from(sorted(SOURCES)), st.tuples(_side, _side), options())
    @example("tall.jpg", (None, None), {})
    @example("tall.jpg", (200, None), {"rotate": (90, "")})
    @example("tiny.png", (100, 100), {"fit": ("contain", "")})
    @example("tiny.png", (100, 100), {"upscale": (False, "")})
    @example("wide.png", (100, 100), {"fit": (("fill", "ffcc00"), ""), "padding": ((10, 3), ""), "rotate": (270, "")})
    @example("wide.png", (100, 100), {"trim": (10, "")})
    @example("wide.png", (None, 77), {"dpr": (1.5, ""), "trim": (10, "")})
    @example("square.png", (99, 33), {"pcrop": ((0, 0, 50.5, 100), ""), "fit": ("stretch", "")})
    def check(name: str, size: tuple[int | None, int | None], chosen: dict[str, Option]) -> None:
        _check(root, name, size, chosen)

    with configured([storage("all", root)]):
        check()


@pytest.mark.parametrize("fit", ["cover", "contain", "fill", "stretch"])
@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize(
    "more", [{}, {"dpr": 2}, {"rotate": 90}, {"padding": 7}, {"upscale": True}, {"upscale": False}]
)
def test_every_fit_has_the_size_of_the_picture(root: Path, fit: str, name: str, more: dict[str, Any]) -> None:
    with configured([storage("all", root)]):
        for spec in ("120x80", "50x", "x50", "400x700", "x"):
            made = thumb(a_file(name, root, size=SOURCES[name]), spec, fit=fit, **more)
            assert _size(made) == pictures.decoded(Client().get(made.url).content).size
            assert f'width="{made.width}" height="{made.height}"' in made.img()


def test_a_size_that_cannot_be_known_is_none(root: Path) -> None:
    with configured([storage("all", root)]):
        for spec, more in (("50x", {}), ("x", {}), ("50x50", {"fit": "contain"}), ("50x50", {"upscale": False})):
            made = thumb("wide.png", spec, storage="all", **more)
            assert _size(made) == (None, None)
            assert "width" not in made.img()
