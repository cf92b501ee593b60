"""What the converted templates show has the same size as what the peers make of the templates before.

Each peer runs in an environment of its own; its pictures and Mage's are measured.
"""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.template import engines
from PIL import Image

from tests.support import peers
from tests.support.migrating import LOADS, python, template
from tests.support.migration_forms import ALIASES, FORMS, PRESETS
from tests.support.peers import Case, Size
from thumbs import thumb
from thumbs.wagtail import focus_of

pytestmark = pytest.mark.slow

IMAGES = ("wide.jpg", "tall.jpg", "small.jpg", "odd.jpg", "turned.jpg", "margins.png", "clear.png")
# docs/migrating.md names these differences: django-imagekit does not turn a picture upright, and sorl-thumbnail cuts
# a cropbox before it does.
_NOT_UPRIGHT = "turned.jpg"
# Of files without a ratio, django-pictures rounds sides down.
_TOLERANCE = {"pictures": 1}
# The others write attributes of an `<img>` in an order of their own, or more of them.
_SAME_TEXT = ("sorl", "easy", "versatile")

Python = Callable[[str], Path]


@pytest.fixture(scope="module")
def python_of(tmp_path_factory: pytest.TempPathFactory) -> Python:
    """The Python with a peer; its environment is made once."""
    root = tmp_path_factory.mktemp("peers")
    return cache(lambda peer: peers.python_of(peer, root / peer))


@pytest.fixture
def media(tmp_path: Path) -> Path:
    peers.originals(tmp_path / "media")
    return tmp_path / "media"


def is_compared(peer: str, case: Case) -> bool:
    return case.image != _NOT_UPRIGHT or not (peer == "imagekit" or "cropbox" in case.template)


def sizes(made: dict[str, object]) -> list[Size]:
    assert "sizes" in made, made
    return [(width, height) for width, height in made["sizes"]]  # type: ignore[attr-defined]


@pytest.mark.parametrize("peer", FORMS)
def test_a_converted_template_shows_pictures_of_the_same_size(peer: str, python_of: Python, media: Path) -> None:
    cases = [Case(LOADS[peer] + form, image) for form in FORMS[peer] for image in IMAGES]
    cases = [case for case in cases if is_compared(peer, case)]
    theirs = peers.of_peer(python_of(peer), peer, media, cases, {"THUMBNAIL_ALIASES": ALIASES})
    different = []
    with peers.mage_site(media, PRESETS=PRESETS):
        for case, made in zip(cases, theirs, strict=True):
            converted = template(peer, case.template, aliases=ALIASES)
            assert converted.left == (), case
            text, (ours,) = peers.of_mage(converted.text, peers.row_of(case.image, media))
            (expected,) = sizes(made)
            if peer in _SAME_TEXT:
                assert peers.without_urls(text) == peers.without_urls(str(made["text"])), case
            exact = "ratio" in case.template
            if any(abs(a - b) > (0 if exact else _TOLERANCE.get(peer, 0)) for a, b in zip(expected, ours, strict=True)):
                different.append((case, expected, ours))
    assert different == []
    assert len(cases) >= 6 * len(FORMS[peer])


_MODEL = """
from imagekit.models import ImageSpecField
from imagekit.processors import Resize, ResizeToFill, ResizeToFit, SmartResize
class Photo:
    filled = ImageSpecField(source="image", processors=[ResizeToFill(100, 50)])
    grown = ImageSpecField(source="image", processors=[ResizeToFit(900, 900)])
    kept = ImageSpecField(source="image", processors=[ResizeToFill(900, 900, upscale=False)])
    matted = ImageSpecField(source="image", processors=[ResizeToFit(120, 120, mat_color=(255, 0, 0))])
    stretched = ImageSpecField(source="image", processors=[Resize(90, 91)])
    smart = ImageSpecField(source="image", processors=[SmartResize(90, 30)])
    tall = ImageSpecField(source="image", processors=[ResizeToFit(height=77)])
"""


def test_a_descriptor_has_the_size_of_the_spec_field_before_it(python_of: Python, media: Path) -> None:
    done = python("imagekit", _MODEL)
    assert done.left == ()
    specs = dict(re.findall(r'(\w+) = ThumbDescriptor\("image", (.*)\)', done.text))
    cases = [Case(f"{{{{ p.{name}.url }}}}", image) for name in specs for image in IMAGES if image != _NOT_UPRIGHT]
    theirs = peers.of_peer(python_of("imagekit"), "imagekit", media, cases, {})
    with peers.mage_site(media):
        for case, made in zip(cases, theirs, strict=True):
            name = case.template[5:-7]
            descriptor = eval(f"thumb(image, {specs[name]})", {"thumb": thumb, "image": case.image})
            ours = peers.size_of(descriptor.url)
            assert [ours] == sizes(made), (name, case.image)
    assert len(specs) == 7


def test_a_thumb_picture_is_shown_as_wide_as_that_of_django_pictures(python_of: Python, media: Path) -> None:
    # Of two breakpoints, the second at the container's width, django-pictures takes the second for both.
    forms = [f'{form} img_alt="x"' for form in ('ratio="3/2" s=6 m=3', 'ratio="16/9"', 'ratio="1/1" xs=6', "m=6")]
    cases = [Case(f"{{% load pictures %}}{{% picture p.image {form} %}}", "wide.jpg") for form in forms]
    theirs = peers.of_peer(python_of("pictures"), "pictures", media, cases, {})
    grid = {"BREAKPOINTS": {"xs": 576, "s": 768, "m": 992, "l": 1200, "xl": 1400}, "CONTAINER_WIDTH": 1200}
    with peers.mage_site(media, **grid):
        for case, made in zip(cases, theirs, strict=True):
            text = template("pictures", case.template).text
            ours = engines["django"].from_string(text).render({"p": SimpleNamespace(image=case.image)})
            before = str(made["text"])
            for window in (600, 800, 1000, 1199, 1200, 1500):
                assert shown_width(ours, window) == shown_width(before, window), (case, window)
            both = candidates(ours).keys() & candidates(before).keys()
            assert len(both) >= 2
            for width in both:
                expected, real = (
                    (width, height_of(media, candidates(before)[width])),
                    peers.size_of(candidates(ours)[width]),
                )
                assert real[0] == expected[0]
                assert 0 <= real[1] - expected[1] <= 1  # django-pictures rounds down


def candidates(html: str) -> dict[int, str]:
    """The URLs of the WebP source, by their widths."""
    found = re.search(r'type="image/webp"\s+srcset="([^"]*)"', html)
    assert found is not None, html
    return {int(width): url for url, width in re.findall(r"(\S+) (\d+)w", found[1])}


def height_of(media: Path, url: str) -> int:
    with Image.open(media / url.removeprefix("/media/")) as picture:
        return picture.height


def shown_width(html: str, window: int) -> float:
    """How wide a browser shows the picture in a window, in CSS pixels, by its `sizes`."""
    found = re.search(r'sizes="([^"]*)"', html)
    assert found is not None, html
    for part in found[1].split(","):
        least, most = re.search(r"min-width: (\d+)px", part), re.search(r"max-width: (\d+)px", part)
        if (least is None or window >= int(least[1])) and (most is None or window <= int(most[1])):
            number, unit = re.findall(r"([\d.]+)(vw|px)$", part.strip())[0]
            return float(number) if unit == "px" else float(number) * window / 100
    raise AssertionError(f"no size for {window} in {found[1]}")


def test_the_line_that_a_wagtail_tag_gets_makes_the_same_size(python_of: Python, media: Path) -> None:
    specs = (
        "fill-200x100",
        "fill-200x100-c50",
        "max-120x90",
        "width-150",
        "height-75",
        "width-150 format-webp",
        "original",
    )
    images = [image for image in IMAGES if image not in ("small.jpg", _NOT_UPRIGHT, "odd.jpg")]
    cases = [
        Case(f"{{% load wagtailimages_tags %}}{{% image p {spec} %}}", image) for spec in specs for image in images
    ]
    theirs = peers.of_peer(python_of("wagtail"), "wagtail", media, cases, {})
    with peers.mage_site(media):
        for case, made in zip(cases, theirs, strict=True):
            (remark,) = template("wagtail", case.template).left
            call = re.search(r"Mage: (thumb\(.*\))\.$", remark.sentence)
            assert call is not None
            names = {"thumb": thumb, "focus_of": focus_of, "p": SimpleNamespace(file=case.image)}
            (expected,), ours = sizes(made), peers.size_of(eval(call[1], names).url)
            # wagtail rounds sides down.
            assert all(0 <= b - a <= 1 for a, b in zip(expected, ours, strict=True)), (case, expected, ours)
