"""Cuts by size, offsets from an edge, points in pixels, the place on a canvas: read, written, and planned."""

import pytest

from thumbs.errors import BadFilter
from thumbs.image.geometry import Layout, plan
from thumbs.image.transforms import Anchor, Compass, Crop, Fit, Focus, SizedCrop, Transform, Upscale, Watermark
from thumbs.request import grammar
from thumbs.request.filters import build_filters, parse_filters
from thumbs.request.mistakes.paths import path_mistakes

LANDSCAPE, SMALL, PORTRAIT = (1200, 800), (120, 80), (600, 900)

SPELLED = {
    "upscale(ratio)": {"upscale": Upscale.RATIO},
    "fit(outside)": {"fit": Fit.OUTSIDE, "fill": None},
    "fit(auto)": {"fit": Fit.AUTO, "fill": None},
    "crop(400,300,northwest)": {"crop": SizedCrop(400, 300, Compass.NORTHWEST)},
    "crop(0.5,0,southeast,10,-20)": {"crop": SizedCrop(0.5, 0, Anchor(Compass.SOUTHEAST, 10, -20))},
    "crop(400,300,focus,0.9,0.1)": {"crop": SizedCrop(400, 300, Focus(0.9, 0.1))},
    "crop(100,100,5000,4000,clamp)": {"crop": Crop(100, 100, 5000, 4000, clamp=True)},
    "gravity(east,50,0)": {"gravity": Anchor(Compass.EAST, 50, 0)},
    "gravity(west,0.1,-0.25)": {"gravity": Anchor(Compass.WEST, 0.1, -0.25)},
    "gravity(1000px,200px)": {"gravity": Focus(1000, 200, pixels=True)},
    "align(southeast)": {"align": Compass.SOUTHEAST},
    "align(0.2,0.8)": {"align": Focus(0.2, 0.8)},
    "align(north,5,7)": {"align": Anchor(Compass.NORTH, 5, 7)},
    "swap": {"swap": True},
    "keep": {"keep": True},
    "watermark(logo,southeast,100,0.25,10,-5)": {"watermark": Watermark("logo", Compass.SOUTHEAST, 100, 0.25, 10, -5)},
    "watermark(logo,center,100,0,1,0)": {"watermark": Watermark("logo", x=1)},
}

WRONG = (
    *("upscale(shape)", "crop(400,300,middle)", "crop(400,300,focus)", "crop(400,300,north,1)", "crop(1.5,300,north)"),
    *("crop(400,300,smart)", "crop(1,2,3,4,cut)", "gravity(east,50)", "gravity(east,0.5.1,0)", "gravity(smart,1,1)"),
    *("gravity(10px,20)", "gravity(east,1.5,0)", "gravity(east,-0,0)", "align(smart)", "align(10px,20px)", "swap(1)"),
    *("crop(400,300)", "align()"),
)


def planned(source: tuple[int, int], size: str, spelled: str) -> Layout:
    return plan(source, grammar.compose(size, spelled, "a.jpg").transform)


@pytest.mark.parametrize(("spelled", "fields"), SPELLED.items())
def test_a_filter_is_read_and_written_back(spelled: str, fields: dict[str, object]) -> None:
    assert parse_filters(spelled) == fields
    assert build_filters(Transform(**fields)) == spelled  # type: ignore[arg-type]


@pytest.mark.parametrize("spelled", WRONG)
def test_wrong_arguments_are_refused_and_located(spelled: str) -> None:
    with pytest.raises(BadFilter):
        parse_filters(spelled)
    policies = {"photos": None}
    assert path_mistakes(f"/photos/thumbs/400x300/filters:{spelled}/a.jpg", policies, now=0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "size", "spelled", "output"),
    [
        # By ratio, both sides of a target that is too large shrink by one factor.
        (SMALL, "300x300", "upscale(ratio)", (80, 80)),
        (SMALL, "300x100", "upscale(ratio)", (120, 40)),
        (SMALL, "300x300", "fit(contain);upscale(ratio)", (80, 53)),
        (SMALL, "300x300", "fit(stretch);upscale(ratio)", (80, 80)),
        (SMALL, "300x300", "fit(fill);upscale(ratio)", (80, 80)),
        (LANDSCAPE, "1000x500", "dpr(2);upscale(ratio)", (1200, 600)),
        (LANDSCAPE, "300x400", "upscale(ratio)", (300, 400)),
        (SMALL, "300x", "upscale(ratio)", (120, 80)),
        # `outside` covers the size, and nothing is cut off.
        (LANDSCAPE, "300x400", "fit(outside)", (600, 400)),
        (SMALL, "300x300", "fit(outside)", (120, 80)),
        (SMALL, "300x300", "fit(outside);upscale(yes)", (450, 300)),
        # `auto` covers where source and target lie the same way.
        (LANDSCAPE, "300x400", "fit(auto)", (300, 200)),
        (LANDSCAPE, "400x300", "fit(auto)", (400, 300)),
        (PORTRAIT, "300x400", "fit(auto)", (300, 400)),
        # `swap` exchanges the sides for a source that lies the other way.
        (LANDSCAPE, "300x400", "fit(contain);swap", (400, 267)),
        (PORTRAIT, "300x400", "fit(contain);swap", (267, 400)),
        # `keep` leaves the side that is not given as long as it is.
        (LANDSCAPE, "300x", "fit(stretch);keep", (300, 800)),
        (LANDSCAPE, "x300", "upscale(yes);keep", (1200, 300)),
        (LANDSCAPE, "x", "keep", (1200, 800)),
        (SMALL, "300x", "fit(stretch);upscale(ratio);keep", (120, 32)),
    ],
)
def test_the_size_follows_from_the_source(
    source: tuple[int, int], size: str, spelled: str, output: tuple[int, int]
) -> None:
    assert planned(source, size, spelled).output == output


@pytest.mark.parametrize(
    ("spelled", "region"),
    [
        ("crop(400,300,northwest,100,50)", (100, 50, 400, 300)),
        ("crop(400,300,center)", (400, 250, 400, 300)),
        ("crop(0.5,0.5,southeast)", (600, 400, 600, 400)),
        ("crop(400,0,west)", (0, 0, 400, 800)),
        ("crop(2000,400,center)", (0, 200, 1200, 400)),
        ("crop(400,400,east,50,0)", (750, 200, 400, 400)),
        ("crop(400,400,south,0,5000)", (400, 0, 400, 400)),
        ("crop(400,400,focus,0.9,0.1)", (800, 0, 400, 400)),
        ("crop(1000,700,5000,4000,clamp)", (1000, 700, 200, 100)),
    ],
)
def test_a_crop_is_cut_to_the_source(spelled: str, region: tuple[int, int, int, int]) -> None:
    box = planned(LANDSCAPE, "x", spelled).region
    assert (box.left, box.top, *box.size) == region


def test_a_crop_that_lies_outside_altogether_is_refused() -> None:
    with pytest.raises(BadFilter):
        planned(LANDSCAPE, "x", "crop(1200,0,1300,10,clamp)")


@pytest.mark.parametrize(
    ("gravity", "left"),
    [("west,50,0", 50), ("east,50,0", 50), ("center,10,0", 60), ("center,-10,0", 40), ("west,0.1,0", 30)],
)
def test_an_offset_leads_inwards(gravity: str, left: int) -> None:
    assert planned(LANDSCAPE, "200x200", f"gravity({gravity})").window.left == left


@pytest.mark.parametrize(("point", "left"), [("1200px,0px", 100), ("0px,800px", 0), ("600px,400px", 50)])
def test_a_point_in_pixels_is_one_of_the_source(point: str, left: int) -> None:
    assert planned(LANDSCAPE, "200x200", f"gravity({point})").window.left == left


def test_a_point_in_pixels_is_one_of_the_source_also_behind_a_crop() -> None:
    layout = planned(LANDSCAPE, "200x200", "crop(600,0,1200,300);gravity(900px,0px)")
    assert layout.window.left == 100


@pytest.mark.parametrize(
    ("align", "offset"),
    [("southeast", (0, 100)), ("north", (0, 0)), ("0.5,0.2", (0, 0)), ("south,0,20", (0, 80)), ("center", (0, 50))],
)
def test_a_picture_lies_on_its_canvas_where_it_is_aligned_to(align: str, offset: tuple[int, int]) -> None:
    assert planned(LANDSCAPE, "300x300", f"fit(fill);align({align})").offset == offset
