"""The grammar of URLs: parsing and building are inverses, and every rule of the contract's first two sections holds."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import ImageColor

from tests.support import strategies
from tests.support.spellings import spellings
from thumbs.errors import BadFilter, BadPath, BadRequest, BadSize, SignatureMissing, SignatureUnexpected, ThumbError
from thumbs.image import colors
from thumbs.image.transforms import Attention, Color, Compass, Crop, Fit, Focus, Padding, Transform, Trim, Watermark
from thumbs.request.filters import FILTERS, build_filters, parse_filters
from thumbs.request.grammar import Address, Target, address, build, compose, parse, preset, split

# ---------------------------------------------------------------------------- parse and build


@given(strategies.targets())
@example(Target("filters:format(webp)/tom.jpg", Transform()))
@example(Target("f:x", Transform(width=1)))
@example(Target("as/tom.jpg", Transform()))
@example(Target("cats/as/tom.jpg", Transform(format="png"), "as.png"))
@example(Target("cats/as/as", Transform(format="jpeg"), "as.jpg"))
def test_parsing_what_was_built_gives_the_same_target(target: Target) -> None:
    assert parse(build(target)) == target


@given(
    st.text(max_size=60)
    | st.from_regex(r"4?00x[0-9]{0,3}/(f:[a-z]{1,3}\([0-9,.]{0,9}\)/)?[a-z./]{1,9}", fullmatch=True)
)
def test_any_text_is_a_target_or_a_bad_request(text: str) -> None:
    try:
        target = parse(text)
    except BadRequest:
        return
    assert parse(build(target)) == target


def test_fifty_spellings_of_one_request_are_one_target() -> None:
    assert len(set(spellings())) == 50
    targets = {parse(spelling) for spelling in spellings()}
    assert targets == {
        Target(
            "cats/tom.jpg",
            Transform(width=400, height=300, format="jpeg", quality=70, gravity=Compass.NORTH, dpr=2),
        )
    }
    assert build(targets.pop()) == "400x300/filters:format(jpeg);quality(70);gravity(north);dpr(2)/cats/tom.jpg"


def test_the_shortest_url_has_a_size_and_a_key() -> None:
    assert parse("x/tom.jpg") == Target("tom.jpg", Transform())
    assert build(Target("tom.jpg", Transform())) == "x/tom.jpg"


@pytest.mark.parametrize("key", ["filters:q(1)/tom.jpg", "f:", "filters:", "f:cats/tom.jpg"])
def test_a_key_that_looks_like_filters_is_reached_behind_a_filter(key: str) -> None:
    built = build(Target(key, Transform(width=40)))
    assert built == f"40x/filters:fit(cover)/{key}"
    assert parse(built).path == key
    assert parse(f"40x/f:q(9)/{key}").path == key


@pytest.mark.parametrize("key", ["cats/as/tom.jpg", "a/as/b/as/c.png", "cats/as/readme"])
def test_a_key_that_ends_in_as_and_a_name_is_reached_with_a_download_name(key: str) -> None:
    with pytest.raises(BadPath):
        build(Target(key, Transform()))
    target = Target(key, Transform(format="webp"), "saved.webp")
    assert build(target) == f"x/{key}/as/saved.webp"
    assert parse(build(target)) == target


@pytest.mark.parametrize("key", ["as/tom.jpg", "cats/as/more/tom.jpg", "cats/as", "cats/has/tom.jpg", "as"])
def test_a_key_with_as_elsewhere_is_an_ordinary_key(key: str) -> None:
    assert parse(f"x/{key}") == Target(key, Transform())


# ------------------------------------------------------------------------------- the whole path


def test_a_path_is_split_at_its_storage() -> None:
    assert split("/photos/thumbs/400x300/cats/tom.jpg") == ("photos", "400x300/cats/tom.jpg")
    assert split("/photos/thumbs/x/a/thumbs/b") == ("photos", "x/a/thumbs/b")


@pytest.mark.parametrize(
    "path", ["", "/", "/photos", "/photos/thumbs", "photos/thumbs/x/a", "/photos/Thumbs/x/a", "//thumbs"]
)
def test_a_path_of_another_shape_is_a_bad_request(path: str) -> None:
    with pytest.raises(BadRequest):
        split(path)


def test_an_unsigned_address_is_all_target() -> None:
    found = address("photos", "400x300/tom.jpg", signed=False)
    assert found == Address("photos", None, "400x300/tom.jpg")
    assert found.message == "/photos/thumbs/400x300/tom.jpg"


def test_the_signature_is_taken_out_of_the_message() -> None:
    found = address("photos", "AbC-_123/400x300/filters:format(webp)/cats/tom.jpg", signed=True)
    assert found.signature == "AbC-_123"
    assert found.message == "/photos/thumbs/400x300/filters:format(webp)/cats/tom.jpg"


@pytest.mark.parametrize("rest", ["400x300/tom.jpg", "x/tom.jpg", "x300/tom.jpg"])
def test_a_signed_storage_misses_the_signature(rest: str) -> None:
    with pytest.raises(SignatureMissing):
        address("photos", rest, signed=True)


def test_an_unsigned_storage_expects_no_signature() -> None:
    with pytest.raises(SignatureUnexpected):
        address("photos", "AbC-_123/400x300/tom.jpg", signed=False)


@pytest.mark.parametrize("rest", ["", "tom.jpg", "cats/tom.jpg", "AbC/0400x300/tom.jpg"])
def test_what_is_neither_a_size_nor_a_signature_before_one_is_a_bad_size(rest: str) -> None:
    with pytest.raises(BadSize):
        address("photos", rest, signed=False)


# ---------------------------------------------------------------------------------------- sizes


@pytest.mark.parametrize(
    ("size", "sides"),
    [("400x300", (400, 300)), ("400x", (400, None)), ("x300", (None, 300)), ("x", (None, None)), ("1x1", (1, 1))],
)
def test_a_size_has_two_sides_one_or_none(size: str, sides: tuple[int | None, int | None]) -> None:
    transform = parse(f"{size}/a").transform
    assert (transform.width, transform.height) == sides


@pytest.mark.parametrize(
    "size",
    [
        *("", "400", "400X300", "0x300", "400x0", "0400x300", "400x0300", "-4x3", "+4x3", "4.0x3", "4e2x3"),
        *(" 4x3", "4x3 "),
        *("4x3x2", "xx", "400×300", "٤٠٠x300", "４００x300", "1234567890x", "4_0x3"),
    ],
)
def test_a_size_in_any_other_spelling_is_refused(size: str) -> None:
    with pytest.raises(BadSize):
        parse(f"{size}/tom.jpg")


# ---------------------------------------------------------------------------------------- paths


@pytest.mark.parametrize(
    "path",
    [
        *("", "/a", "a/", "a//b", ".", "..", "a/./b", "a/../b", "../a", "a/..", "a\\b", "a\0b", "a\nb"),
        *("a\x7f", "a\x85b"),
        *("a" * 256, "ü" * 128, "/".join(["a" * 204] * 5) + "/", "/".join(["a" * 127] * 8) + "/bc", "\udc80"),
    ],
)
def test_a_path_that_storages_might_read_differently_is_refused(path: str) -> None:
    with pytest.raises(BadPath):
        parse(f"x/{path}")


@pytest.mark.parametrize(
    "path",
    [
        *("a", "...", ".hidden", "a.b/..c", "a b", "a?b#c", "%2e%2e", "a:b;c", "ü" * 127 + "a", "日本/été.jpg"),
        *("a" * 255,),
        *("/".join(["a" * 127] * 8), "~", "*", "a'\"b"),
    ],
)
def test_any_other_path_is_a_key(path: str) -> None:
    assert parse(f"x/{path}").path == path


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
    ("upscale(yes)", "up(yes)", {"upscale": True}),
    ("upscale(no)", "up(no)", {"upscale": False}),
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
    "upscale": ["", "true", "1", "Yes", "maybe"],
    "dpr": ["", "0", "0.99", "4.000001", "5", "two", "inf", "nan", "1.", "1.0000001"],
    "rotate": ["", "0", "45", "-90", "360", "090"],
    "flip": ["yes", "1"],
    "flop": ["no"],
    "blur": ["", "0", "0.29", "100.1", "-1", "big"],
    "sharpen": ["0", "0.2", "101", "1,2"],
    "grayscale": ["100"],
    "brightness": ["", "101", "-101", "1.5", "+5", "--5", "-"],
    "contrast": ["", "200", "-0x1"],
    "saturation": ["", "-101", "ten"],
    "padding": ["", "-1", "1,2,3,4,5", "1,,2", "1.5", "5121", "1 2"],
    "background": ["", "notacolour", "#fff", "12", "fff,50"],
    "max_bytes": ["", "0", "-1", "20k", "1.5"],
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


# -------------------------------------------------------------------------------------- colours


def test_every_css_name_is_the_colour_that_pillow_knows() -> None:
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
def test_a_colour_may_be_hex_with_or_without_alpha(text: str, color: Color) -> None:
    assert colors.parse(text) == color


@pytest.mark.parametrize(
    "text", ["", "f", "ff", "fffff", "fffffff", "fffffffff", "#fff", "ggg", "Red", "red ", "0x1", "١٢٣"]
)
def test_any_other_text_is_no_colour(text: str) -> None:
    with pytest.raises(ValueError, match="not a color"):
        colors.parse(text)


@given(strategies.colors)
def test_a_colour_is_read_back_as_it_was_written(color: Color) -> None:
    assert colors.parse(colors.build(color)) == color


def test_an_opaque_colour_is_written_without_its_alpha() -> None:
    assert colors.build(Color(255, 204, 0)) == "ffcc00"
    assert colors.build(Color(255, 204, 0, 254)) == "ffcc00fe"


# ----------------------------------------------------------------------------------- transforms


@pytest.mark.parametrize(
    "fields",
    [
        {"width": 0},
        {"height": -1},
        {"format": "tiff"},
        {"format": "jpg"},
        {"quality": 0},
        {"quality": 101},
        {"fill": Color(0, 0, 0)},
        {"fit": Fit.CONTAIN, "fill": Color(0, 0, 0)},
        {"dpr": 0.5},
        {"dpr": 5},
        {"dpr": float("nan")},
    ],
)
def test_no_transform_can_be_invalid(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the sentence is for who reads the traceback
        Transform(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("edges", [(1, 0, 1, 5), (5, 0, 1, 5), (-1, 0, 5, 5), (0, 0, 1.5, 2), (0, 0, float("nan"), 1)])
def test_no_crop_can_be_invalid(edges: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - as above
        Crop(*edges)


def test_no_crop_in_percent_ends_past_a_hundred() -> None:
    with pytest.raises(ValueError, match="percent end at 100"):
        Crop(0, 0, 100.5, 50, percent=True)


@pytest.mark.parametrize("values", [(256, 0, 0), (0, -1, 0), (0, 0, 0, 256)])
def test_no_colour_can_be_invalid(values: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="0–255"):
        Color(*values)


@pytest.mark.parametrize(("x", "y"), [(1.01, 0), (-0.01, 0), (0, -0.01), (0, 1.01), (float("nan"), 0)])
def test_no_focal_point_lies_outside_the_picture(x: float, y: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Focus(x, y)


# --------------------------------------------------------------------------------------- presets

PRESETS = {"card": preset("400x300", "format(webp);quality(70);fit(fill,fff)"), "plain": preset("80x")}


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("x/f:preset(card)/a", "400x300/f:format(webp);quality(70);fit(fill,fff)/a"),
        ("x/f:p(card);q(20)/a", "400x300/f:format(webp);quality(20);fit(fill,fff)/a"),
        ("x/f:fit(cover);p(card)/a", "400x300/f:format(webp);quality(70)/a"),
        ("10x/f:p(card)/a", "10x/f:format(webp);quality(70);fit(fill,fff)/a"),
        ("x/f:p(plain);g(north);exp(9)/a", "80x/f:g(north);exp(9)/a"),
        ("x/f:p(plain)/a/as/b.png", "80x/a/as/b.png"),
    ],
)
def test_a_preset_stands_for_its_size_and_filters_and_what_the_url_says_wins(short: str, long: str) -> None:
    assert parse(short, PRESETS) == parse(long)


@pytest.mark.parametrize("spelled", ["p(none)", "p(card);p(plain)", "p(card);preset(card)"])
def test_a_preset_must_be_there_and_only_one(spelled: str) -> None:
    with pytest.raises(BadFilter):
        parse(f"x/f:{spelled}/a", PRESETS)


@pytest.mark.parametrize(
    ("size", "spelled"), [("0x1", ""), ("x", "quality(0)"), ("x", "preset(card)"), ("x", "expires(1)"), ("", "")]
)
def test_a_preset_is_checked_when_it_is_made(size: str, spelled: str) -> None:
    with pytest.raises((BadSize, BadFilter)):
        preset(size, spelled)
