"""The path of a thumbnail: storage, signature, size, filters and key, read in one way and written back the same."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support import strategies
from tests.support.spellings import spellings
from thumbs.errors import BadFilter, BadPath, BadRequest, BadSize, SignatureMissing, SignatureUnexpected
from thumbs.image.transforms import Color, Compass, Crop, Fit, Focus, Transform
from thumbs.request.grammar import Address, Target, address, build, parse, preset, split

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
        *("/".join(["a" * 204] * 5) + "/", "/".join(["a" * 127] * 8) + "/bc", "\udc80"),
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
    with pytest.raises(ValueError):  # noqa: PT011 - the message is for readers of the traceback
        Transform(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("edges", [(1, 0, 1, 5), (5, 0, 1, 5), (-1, 0, 5, 5), (0, 0, 1.5, 2), (0, 0, float("nan"), 1)])
def test_no_crop_can_be_invalid(edges: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - as above
        Crop(*edges)


def test_no_crop_in_percent_ends_past_a_hundred() -> None:
    with pytest.raises(ValueError, match="percent end at 100"):
        Crop(0, 0, 100.5, 50, percent=True)


@pytest.mark.parametrize("values", [(256, 0, 0), (0, -1, 0), (0, 0, 0, 256)])
def test_no_color_can_be_invalid(values: tuple[int, ...]) -> None:
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
    ("size", "spelled"),
    [
        *(("0x1", ""), ("", ""), ("x", "quality(0)")),
        *(("x", "preset(card)"), ("x", "expires(1)"), ("x", "version(2)"), ("x", "q(9);v(2)")),
    ],
)
def test_a_preset_is_checked_when_it_is_made(size: str, spelled: str) -> None:
    with pytest.raises((BadSize, BadFilter)):
        preset(size, spelled)
