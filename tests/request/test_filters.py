"""Filters: what each takes, what it refuses, and how it is written in a URL."""

import pytest
from hypothesis import given
from PIL import ImageColor

from tests.support import strategies
from thumbs.errors import BadFilter, BadRequest, ThumbError
from thumbs.image import colors
from thumbs.image.transforms import Attention, Color, Compass, Crop, Fit, Focus, Padding, Transform, Trim, Watermark
from thumbs.request.filters import FILTERS, build_filters, parse_filters
from thumbs.request.grammar import Target, compose, parse

# -------------------------------------------------------------------------------------- filters


GOOD: list[tuple[str, str, dict[str, object]]] = [
    ("format(jpeg)", "fmt(jpeg)", {"format": "jpeg"}),
    ("trim(10)", "", {"trim": Trim(10)}),
    ("trim(0,ffffff)", "", {"trim": Trim(0, Color(255, 255, 255))}),
    ("trim(255,transparent)", "", {"trim": Trim(255, Color(0, 0, 0, 0))}),
    ("watermark(logo)", "wm(logo)", {"watermark": Watermark("logo")}),
    (
        "watermark(my-logo_2,southeast)",
        "wm(my-logo_2,southeast)",
        {"watermark": Watermark("my-logo_2", Compass.SOUTHEAST)},
    ),
    ("watermark(a,center,0,0.25)", "wm(a,center,0,0.25)", {"watermark": Watermark("a", opacity=0, scale=0.25)}),
    ("frames(first)", "", {"frames": 1}),
    ("frames(all)", "", {"frames": 0}),
    ("frames(12)", "", {"frames": 12}),
    ("format(jpg)", "fmt(jpg)", {"format": "jpeg"}),
    ("format(png)", "fmt(png)", {"format": "png"}),
    ("format(webp)", "fmt(webp)", {"format": "webp"}),
    ("format(avif)", "fmt(avif)", {"format": "avif"}),
    ("format(gif)", "fmt(gif)", {"format": "gif"}),
    ("format(auto)", "fmt(auto)", {"format": "auto"}),
    ("quality(1)", "q(1)", {"quality": 1}),
    ("quality(100)", "q(100)", {"quality": 100}),
    ("fit(cover)", "", {"fit": Fit.COVER}),
    ("fit(contain)", "", {"fit": Fit.CONTAIN}),
    ("fit(stretch)", "", {"fit": Fit.STRETCH}),
    ("fit(fill)", "", {"fit": Fit.FILL}),
    ("fit(fill,teal)", "", {"fit": Fit.FILL, "fill": Color(0, 128, 128)}),
    ("fit(fill,fc0)", "", {"fit": Fit.FILL, "fill": Color(255, 204, 0)}),
    ("fit(fill,transparent)", "", {"fit": Fit.FILL, "fill": Color(0, 0, 0, 0)}),
    ("crop(0,0,10,20)", "c(0,0,10,20)", {"crop": Crop(0, 0, 10, 20)}),
    ("pcrop(0,12.5,100,99.999999)", "pc(0,12.5,100,99.999999)", {"crop": Crop(0, 12.5, 100, 99.999999, percent=True)}),
    *((f"gravity({place})", f"g({place})", {"gravity": place}) for place in (*Compass, *Attention)),
    ("gravity(0.31,0.62)", "g(0.31,0.62)", {"gravity": Focus(0.31, 0.62)}),
    ("gravity(0,1)", "g(0,1)", {"gravity": Focus(0, 1)}),
    ("align(southeast)", "align(southeast)", {"align": Compass.SOUTHEAST}),
    ("swap", "swap", {"swap": True}),
    ("keep", "keep", {"keep": True}),
    ("upscale(yes)", "up(yes)", {"upscale": True}),
    ("upscale(no)", "up(no)", {"upscale": False}),
    ("linear(yes)", "linear(yes)", {"linear": True}),
    ("dpr(1)", "", {"dpr": 1}),
    ("dpr(1.5)", "", {"dpr": 1.5}),
    ("dpr(4)", "", {"dpr": 4}),
    ("rotate(90)", "r(90)", {"rotate": 90}),
    ("rotate(180)", "r(180)", {"rotate": 180}),
    ("rotate(270)", "r(270)", {"rotate": 270}),
    ("flip", "flip()", {"flip": True}),
    ("flop", "flop()", {"flop": True}),
    ("blur(0.3)", "", {"blur": 0.3}),
    ("blur(100)", "", {"blur": 100}),
    ("sharpen", "sharpen()", {"sharpen": 0.8}),
    ("sharpen(2.5)", "", {"sharpen": 2.5}),
    ("grayscale", "gray", {"grayscale": True}),
    ("brightness(-100)", "", {"brightness": -100}),
    ("contrast(7)", "", {"contrast": 7}),
    ("saturation(100)", "", {"saturation": 100}),
    ("padding(5)", "pad(5)", {"padding": Padding(5, 5, 5, 5)}),
    ("padding(5,6)", "pad(5,6)", {"padding": Padding(5, 6, 5, 6)}),
    ("padding(5,6,7)", "pad(5,6,7)", {"padding": Padding(5, 6, 7, 6)}),
    ("padding(5,6,7,0)", "pad(5,6,7,0)", {"padding": Padding(5, 6, 7, 0)}),
    ("background(navy)", "bg(navy)", {"background": Color(0, 0, 128)}),
    ("background(12345678)", "bg(12345678)", {"background": Color(0x12, 0x34, 0x56, 0x78)}),
    ("background(transparent)", "bg(transparent)", {"background": Color(0, 0, 0, 0)}),
    ("max_bytes(20000)", "mb(20000)", {"max_bytes": 20000}),
    ("format(json)", "fmt(json)", {"format": "json"}),
    ("data(thumbhash)", "", {"data": ("thumbhash",)}),
    ("data(color)", "", {"data": ("color",)}),
    ("data(color,thumbhash)", "data(thumbhash,color)", {"data": ("thumbhash", "color")}),
    ("version(1)", "v(1)", {"version": "1"}),
    ("version(a.B_c~d-9)", "v(a.B_c~d-9)", {"version": "a.B_c~d-9"}),
]


@pytest.mark.parametrize(("long", "short", "fields"), GOOD)
def test_each_filter_sets_its_field_in_both_spellings(long: str, short: str, fields: dict[str, object]) -> None:
    for spelled in filter(None, (long, short)):
        transform = parse(f"1x1/filters:{spelled}/a").transform
        assert {name: getattr(transform, name) for name in fields} == fields


def test_every_filter_of_the_table_has_a_good_example() -> None:
    assert {spelled.partition("(")[0] for spelled, _, _ in GOOD} | {"expires", "preset"} == set(FILTERS)


BAD = {
    "trim": ["", "256", "-1", "1.5", "10,", "10,nocolour", "10,fff,fff", "ten"],
    "watermark": [
        "",
        "Logo",
        "a,",
        "a,smart",
        "a,0.5",
        "a,center,101",
        "a,center,-1",
        "a,center,50,1.5",
        "a,center,50,1,2",
    ],
    "frames": ["", "0", "-1", "last", "1.5", "01"],
    "format": ["", "tiff", "svg", "JPEG", "jpe", "webp,png", " webp", "apng"],
    "quality": ["", "0", "101", "-1", "080", "8.5", "1e1", "+5", "auto", "٨"],
    "fit": ["", "crop", "Cover", "cover,fff", "contain,white", "stretch,", "fill,", "fill,notacolour", "fill,#fff"],
    "crop": [
        "",
        "1,2,3",
        "1,2,3,4,5",
        "10,0,10,5",
        "10,0,5,5",
        "0,9,5,9",
        "-1,0,5,5",
        "0.5,0,5,5",
        "a,b,c,d",
        "0,0,1,",
    ],
    "pcrop": ["", "0,0,100,100.1", "50,0,50,10", "0,0,101,10", "1e1,0,50,10", "0,0,10", ".5,0,10,10", "5.,0,10,10"],
    "gravity": [
        "",
        "middle",
        "North",
        "north east",
        "0.5",
        "1.1,0",
        "0,-0.1",
        "0.1,0.2,0.3",
        "0.5,",
        "50%,50%",
        "auto",
    ],
    "align": ["", "smart", "middle", "10px,20px", "north,1", "1.1,0"],
    "swap": ["yes"],
    "keep": ["yes"],
    "upscale": ["", "true", "1", "Yes", "maybe"],
    "linear": ["", "true", "1", "Yes", "yes,no"],
    "dpr": ["", "0", "0.99", "4.000001", "5", "two", "inf", "nan", "1.", "1.0000001"],
    "rotate": ["", "0", "45", "-90", "360", "090"],
    "flip": ["yes", "1"],
    "flop": ["no"],
    "blur": ["", "0", "0.29", "100.1", "-1", "big"],
    "sharpen": ["0", "0.2", "10.1", "101", "1,2"],
    "grayscale": ["100"],
    "brightness": ["", "101", "-101", "1.5", "+5", "--5", "-"],
    "contrast": ["", "200", "-0x1"],
    "saturation": ["", "-101", "ten"],
    "padding": ["", "-1", "1,2,3,4,5", "1,,2", "1.5", "5121", "1 2"],
    "background": ["", "notacolour", "#fff", "12", "fff,50"],
    "max_bytes": ["", "0", "-1", "20k", "1.5"],
    "data": ["", "size", "Color", "color,", "color,color", "thumbhash,color,color", "thumbhash, color"],
    "preset": ["", "Card", "a b", "a,b", "-card"],
    "version": ["", "a b", "a,b", "ü", "a" * 65],
    "expires": ["", "0", "-1", "1.5", "tomorrow", "01", "1" * 13],
}


@pytest.mark.parametrize(("name", "argument"), [(name, text) for name, texts in BAD.items() for text in texts])
def test_a_bad_argument_is_refused_with_what_the_filter_takes(name: str, argument: str) -> None:
    with pytest.raises(BadFilter) as caught:
        parse(f"1x1/filters:{name}({argument})/a")
    assert caught.value.detail == f"{name} takes {FILTERS[name].takes}."


def test_every_filter_of_the_table_has_bad_examples() -> None:
    assert set(BAD) == set(FILTERS)


@pytest.mark.parametrize(
    "spelled",
    [
        *("fit_cover", "qualit(1)", "wibble"),
    ],
)
def test_an_unknown_filter_is_refused_with_the_names_of_all(spelled: str) -> None:
    with pytest.raises(BadFilter) as caught:
        parse(f"1x1/filters:{spelled}/a")
    assert all(name in caught.value.detail for name in FILTERS)
    assert spelled.partition("(")[0] not in caught.value.detail.replace(", ", " ").split()


@pytest.mark.parametrize(
    "segment",
    [
        *("", ";", "quality(1);", ";quality(1)", "quality(1);;fit(cover)", "quality(1", "quality1)"),
        *("quality((1))", "Quality(1)"),
        *("quality(1),fit(cover)", "quality (1)", " quality(1)", "quality(1)x", "quality[1]"),
        *("filters:quality(1)", "q" * 33),
    ],
)
def test_filters_in_any_other_shape_are_refused(segment: str) -> None:
    with pytest.raises(BadFilter):
        parse(f"1x1/filters:{segment}/a")


@pytest.mark.parametrize(
    "segment",
    [
        *("quality(1);quality(1)", "quality(1);q(2)", "fit(cover);fit(cover)", "fit(fill,fff);fit(contain)"),
        *("crop(0,0,1,1);c(0,0,1,1)",),
        *("expires(1);exp(1)", "version(1);v(1)", "gravity(north);g(0,0)", "dpr(1);dpr(1)"),
        *("upscale(no);up(no)", "format(png);fmt(png)"),
    ],
)
def test_a_filter_may_stand_only_once(segment: str) -> None:
    with pytest.raises(BadFilter):
        parse(f"1x1/f:{segment}/a")


@pytest.mark.parametrize("segment", ["crop(0,0,1,1);pcrop(0,0,1,1)", "pc(0,0,1,1);c(0,0,1,1)"])
def test_crop_and_pcrop_do_not_go_together(segment: str) -> None:
    with pytest.raises(BadFilter, match="crop and pcrop do not go together"):
        parse(f"1x1/f:{segment}/a")


def test_the_expiry_stands_beside_the_transform() -> None:
    target = parse("1x1/f:exp(1700000000);q(5)/a")
    assert target == Target("a", Transform(1, 1, quality=5), expires=1_700_000_000)


@given(strategies.transforms())
def test_the_canonical_filters_parse_to_the_same_fields(transform: Transform) -> None:
    spelled = build_filters(transform)
    fields = parse_filters(spelled) if spelled else {}
    assert Transform(transform.width, transform.height, **fields) == transform  # type: ignore[arg-type]


def test_a_constant_sentence_never_repeats_what_the_client_sent() -> None:
    marker = "zxqj"
    for target in (
        f"{marker}/a",
        f"1x1/f:{marker}(1)/a",
        f"1x1/f:q({marker})/a",
        f"x/{marker}/../a",
        f"x/a/as/{marker}",
    ):
        with pytest.raises(ThumbError) as caught:
            parse(target)
        assert marker not in caught.value.detail


# ------------------------------------------------------------------------------ the download name


def test_the_extension_of_the_download_name_is_the_format() -> None:
    assert parse("x/tom.jpg/as/Tom at home.PNG") == Target("tom.jpg", Transform(format="png"), "Tom at home.PNG")
    assert parse("x/tom.jpg/as/tom.jfif").transform.format == "jpeg"


def test_a_format_that_agrees_with_the_download_name_is_no_second_one() -> None:
    assert parse("x/f:fmt(jpg)/a/as/b.jpeg") == parse("x/a/as/b.jpeg")


@pytest.mark.parametrize("format_name", ["webp", "auto", "png"])
def test_a_format_that_differs_from_the_download_name_is_refused(format_name: str) -> None:
    with pytest.raises(BadFilter, match="name different formats"):
        parse(f"x/f:format({format_name})/a/as/b.jpg")


@pytest.mark.parametrize("name", ["b", "b.tiff", "b.svg", "b.txt", ".jpg", "..jpg", "b.", "jpg"])
def test_a_download_name_needs_the_extension_of_an_output_format(name: str) -> None:
    with pytest.raises(BadFilter, match="After /as/ comes one name"):
        parse(f"x/a/as/{name}")


@pytest.mark.parametrize("name", ["a\nb.jpg", "a\\b.jpg", "a" * 252 + ".jpg", "", "..", "a\x9f.jpg"])
def test_a_download_name_is_held_to_the_rules_of_a_path(name: str) -> None:
    with pytest.raises(BadRequest):
        parse(f"x/a/as/{name}")


def test_parts_compose_to_what_their_url_parses_to() -> None:
    assert compose("40x", "q(5)", "a/b", "c.png") == parse("40x/f:q(5)/a/b/as/c.png")
    assert compose("40x", None, "filters:q(5)/a") == Target("filters:q(5)/a", Transform(40))


# --------------------------------------------------------------------------------------- colors


def test_every_css_name_is_the_color_that_pillow_knows() -> None:
    assert set(colors.NAMED) == set(ImageColor.colormap)
    for name in ImageColor.colormap:
        assert colors.parse(name).values[:3] == ImageColor.getrgb(name)


@pytest.mark.parametrize(
    ("text", "color"),
    [
        ("fc0", Color(255, 204, 0)),
        ("fc08", Color(255, 204, 0, 136)),
        ("FFcc01", Color(255, 204, 1)),
        ("ffcc0180", Color(255, 204, 1, 128)),
        ("transparent", Color(0, 0, 0, 0)),
    ],
)
def test_a_color_may_be_hex_with_or_without_alpha(text: str, color: Color) -> None:
    assert colors.parse(text) == color


@pytest.mark.parametrize(
    "text", ["", "f", "ff", "fffff", "fffffff", "fffffffff", "#fff", "ggg", "Red", "red ", "0x1", "١٢٣"]
)
def test_any_other_text_is_no_color(text: str) -> None:
    with pytest.raises(ValueError, match="not a color"):
        colors.parse(text)


@given(strategies.colors)
def test_a_color_is_read_back_as_it_was_written(color: Color) -> None:
    assert colors.parse(colors.build(color)) == color


def test_an_opaque_color_is_written_without_its_alpha() -> None:
    assert colors.build(Color(255, 204, 0)) == "ffcc00"
    assert colors.build(Color(255, 204, 0, 254)) == "ffcc00fe"
