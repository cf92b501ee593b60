"""Mistakes of URLs: `resolve` refuses exactly what has one, and each has its place and what would be right."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import mistaken
from tests.support.mistaken import OPEN, POLICIES, SIGNER, is_refused
from thumbs.request.filters import FILTERS
from thumbs.request.mistakes.located import Mistake
from thumbs.request.mistakes.paths import path_mistakes, target_mistakes
from thumbs.request.policy import StoragePolicy

UNSIGNED = sorted(name for name, policy in POLICIES.items() if policy.signer is None)


def found(target: str, policy: StoragePolicy = OPEN, *, now: float | None = None) -> list[tuple[str, str]]:
    """The wrong parts of a target, each with the nearest right one."""
    mistakes = target_mistakes(target, policy, now=now)
    require_places(target, mistakes)
    return [(mistake.text, mistake.nearest) for mistake in mistakes]


def found_in_path(path: str) -> list[tuple[str, str]]:
    mistakes = path_mistakes(path, POLICIES)
    require_places(path, mistakes)
    return [(mistake.text, mistake.nearest) for mistake in mistakes]


def only(target: str, policy: StoragePolicy = OPEN) -> Mistake:
    (mistake,) = target_mistakes(target, policy)
    return mistake


def require_places(text: str, mistakes: Sequence[Mistake]) -> None:
    assert [text[each.offset : each.end] for each in mistakes] == [each.text for each in mistakes]
    assert [each.offset for each in mistakes] == sorted(each.offset for each in mistakes)
    assert all(type(each.nearest) is str and each.sentence for each in mistakes)


# ------------------------------------------------------------- `resolve` says what is a mistake


@given(mistaken.targets, st.sampled_from(UNSIGNED))
def test_a_target_has_mistakes_exactly_when_it_is_refused(target: str, name: str) -> None:
    mistakes = target_mistakes(target, POLICIES[name])
    require_places(target, mistakes)
    assert bool(mistakes) == is_refused(f"/{name}/thumbs/{target}".encode())


@given(mistaken.paths())
def test_a_path_has_mistakes_exactly_when_it_is_refused(path: str) -> None:
    mistakes = path_mistakes(path, POLICIES)
    require_places(path, mistakes)
    assert bool(mistakes) == is_refused(path.encode())


@given(mistaken.paths(), st.binary(min_size=1, max_size=3), st.integers(0, 200))
def test_bytes_that_are_not_utf_8_are_mistakes_wherever_they_stand(path: str, junk: bytes, place: int) -> None:
    raw = path.encode()
    raw = raw[:place] + junk + raw[place:]
    text = raw.decode(errors="surrogateescape")
    mistakes = path_mistakes(text, POLICIES)
    require_places(text, mistakes)
    assert bool(mistakes) == is_refused(raw)


@given(mistaken.targets, st.sampled_from(UNSIGNED))
def test_the_nearest_right_part_is_no_mistake_in_its_place(target: str, name: str) -> None:
    follow(target, lambda text: target_mistakes(text, POLICIES[name]))


@given(mistaken.paths())
def test_the_nearest_right_part_of_a_path_is_no_mistake_in_its_place(path: str) -> None:
    follow(path, lambda text: path_mistakes(text, POLICIES))


def follow(text: str, mistakes_of: Callable[[str], tuple[Mistake, ...]]) -> None:
    """Write the nearest part in the place of each wrong one, until no mistake has a nearest part."""
    for _ in range(30):
        wrong = next((each for each in mistakes_of(text) if each.nearest), None)
        if wrong is None:
            return
        text = text[: wrong.offset] + wrong.nearest + text[wrong.end :]
        assert (wrong.offset, wrong.sentence) not in [(each.offset, each.sentence) for each in mistakes_of(text)]
    pytest.fail(f"{text!r} has a mistake again and again")


# ------------------------------------------------------------------------------- all mistakes


def test_all_mistakes_are_found_each_with_its_place() -> None:
    target = "400X300/filters:formt(wepb);qualty(70);gravity(nort)/a//b.jpg/as/x.txt"
    assert found(target) == [
        ("400X300", "400x300"),
        ("formt", "format"),
        ("wepb", "webp"),
        ("qualty", "quality"),
        ("nort", "north"),
        ("/", ""),
        ("txt", ""),
    ]


def test_a_mistake_says_what_is_wrong_and_what_is_near() -> None:
    assert str(only("x/f:formt(webp)/a")) == "There is no filter 'formt'. Did you mean 'format'?"
    assert str(only("x/f:q(0)/a")) == "quality takes a whole number from 1 to 100. Did you mean '1'?"
    assert str(only("x/f:zzzzzz/a")).startswith("There is no filter 'zzzzzz'. Known here: align, background, bg, blur,")


# --------------------------------------------------------------------------------------- sizes


@pytest.mark.parametrize(
    ("size", "near"),
    [
        *[("400X300", "400x300"), ("400×300", "400x300"), ("400*300", "400x300"), ("400,300", "400x300")],
        *[("0400x300", "400x300"), ("0x300", "x300"), ("400x0", "400x"), ("400px", "400x"), ("400", "400x")],
        *[("w400", "400x"), ("h300", "x300"), ("w_400,h_300", "400x300"), ("400y300", "400x300"), ("xx", "x")],
        *[(" 4x3", "4x3"), ("-4x3", "4x3"), ("400.0x300.0", "400x300"), ("٤٠٠x300", "400x300"), ("", "x")],
        *[("4x3x2", ""), ("1234567890x", ""), ("4e2x3", ""), ("800y", "800x"), ("original", "x")],
    ],
)
def test_a_wrong_size_has_the_size_that_was_probably_meant(size: str, near: str) -> None:
    assert found(f"{size}/a") == [(size, near)]


@pytest.mark.parametrize(
    ("target", "part", "near"),
    [
        ("tom.jpg", "tom.jpg", "x/tom.jpg"),
        ("cats/tom.jpg", "cats", "x/cats"),
        ("photo1.jpg", "photo1.jpg", "x/photo1.jpg"),
        ("f:q(7)/tom.jpg", "", "x/"),
        ("f:q(7)/400x300/tom.jpg", "f:q(7)/400x300", "400x300/f:q(7)"),
    ],
)
def test_a_missing_or_misplaced_size_is_named_at_its_place(target: str, part: str, near: str) -> None:
    assert found(target) == [(part, near)]


@pytest.mark.parametrize(
    ("target", "part", "near"),
    [
        ("9000x/a", "9000x", "5120x"),
        ("x5121/a", "x5121", "x5120"),
        ("9000x3000/a", "9000x3000", "5120x1706"),
        ("4000x/f:dpr(2)/a", "4000x", "2560x"),
        ("x/f:p(huge)/a", "huge", ""),
    ],
)
def test_a_size_over_the_limits_has_the_largest_of_its_ratio(target: str, part: str, near: str) -> None:
    assert found(target, mistaken.with_preset("huge", "9000x")) == [(part, near)]


@pytest.mark.parametrize(
    ("target", "part", "near"),
    [
        ("400x301/a", "400x301", "400x300"),
        ("790x590/a", "790x590", "800x600"),
        ("90x/a", "90x", "80x"),
        ("201x150/f:dpr(2)/a", "201x150", "200x150"),
        ("x/f:p(clear)/a", "clear", ""),
        ("400x300/f:pad(4)/a", "4", ""),
    ],
)
def test_a_size_that_is_not_offered_has_the_nearest_that_is(target: str, part: str, near: str) -> None:
    assert found(target, POLICIES["sized"]) == [(part, near)]


# ------------------------------------------------------------------------------------- filters


@pytest.mark.parametrize(
    ("spelled", "part", "near"),
    [
        *[("formt(webp)", "formt", "format"), ("fmtt(webp)", "fmtt", "fmt"), ("grayscal", "grayscal", "grayscale")],
        *[("Format(webp)", "Format(webp)", "format(webp)"), ("format=webp", "format=webp", "format(webp)")],
        *[("format:webp", "format:webp", "format(webp)"), ("format(webp", "format(webp", "format(webp)")],
        *[("max-bytes(9)", "max-bytes(9)", "max_bytes(9)"), (" flip", " flip", "flip"), ("q[70]", "q[70]", "q(70)")],
        *[("q(70),fmt(webp)", "q(70),fmt(webp)", "q(70);fmt(webp)"), ("qualty=0", "qualty=0", "quality(1)")],
        *[("format(webp):q(7)", "format(webp):q(7)", "format(webp);q(7)"), ("9", "9", ""), ("zz=1", "zz=1", "")],
        *[("q(70);", ";", ""), (";q(70)", ";", ""), ("q(7);;flip", ";", ""), ("", "", ""), (";;", ";;", "")],
        *[("q(7);quality(8)", "quality(8)", ""), ("fit(fill);fit(cover)", "fit(cover)", "")],
        *[("crop(0,0,1,1);pcrop(0,0,1,1)", "pcrop(0,0,1,1)", ""), ("q(7);q(7)", "q(7)", "")],
    ],
)
def test_a_wrong_filter_has_the_nearest_right_one(spelled: str, part: str, near: str) -> None:
    assert found(f"x/f:{spelled}/a") == [(part, near)]


@pytest.mark.parametrize(
    ("spelled", "part", "near"),
    [
        *[("format(wepb)", "wepb", "webp"), ("format(JPEG)", "JPEG", "jpeg"), ("format(tiff)", "tiff", "")],
        *[("format(bmp)", "bmp", ""), ("format", "format", ""), ("fmt()", "fmt()", ""), ("q(101)", "101", "100")],
        *[("q(070)", "070", "70"), ("q(70%)", "70%", "70"), ("q(69.7)", "69.7", "70"), ("q(high)", "high", "")],
        *[("fit(covr)", "covr", "cover"), ("fit(crop)", "crop", "cover"), ("fit(cover,fff)", "cover,fff", "fill,fff")],
        *[("fit(fill,goldd)", "goldd", "gold"), ("fit(fill,fff,000)", ",000", ""), ("crop(1,2,3)", "1,2,3", "")],
        *[("crop(5,0,1,9)", "5,0,1,9", "1,0,5,9"), ("crop(1,0,1,9)", "1", ""), ("crop(0,0,1.5,9)", "1.5", "2")],
        *[("pcrop(0,0,101,50)", "101", "100"), ("g(nort)", "nort", "north"), ("g(top)", "top", "north")],
        *[("g(n)", "n", "north"), ("g(face)", "face", "smart"), ("g(31,62)", "31,62", "0.31,0.62")],
        *[("g(0.31x0.62)", "0.31x0.62", "0.31,0.62"), ("g(0.3,1.2)", "1.2", "1"), ("g(0.3)", "0.3", "")],
        *[("up(true)", "true", "yes"), ("up(0)", "0", "no"), ("dpr(5)", "5", "4"), ("dpr(2x)", "2x", "2")],
        *[("trim(256)", "256", "255"), ("trim(3,rde)", "rde", "red"), ("rotate(-90)", "-90", "270")],
        *[("rotate(450)", "450", "90"), ("rotate(0)", "0", ""), ("flip(yes)", "flip(yes)", "flip")],
        *[("blur(0.1)", "0.1", "0.3"), ("sharpen(200)", "200", "10"), ("contrast(+5)", "+5", "5")],
        *[("saturation(-101)", "-101", "-100"), ("pad(1,2,3,4,5)", ",5", ""), ("pad(-1)", "-1", "0")],
        *[("bg(#fff)", "#fff", "fff"), ("bg(Gold)", "Gold", "gold"), ("bg(ffcc0)", "ffcc0", "")],
        *[("wm(lgo)", "lgo", "logo"), ("wm(Logo)", "Logo", "logo"), ("wm(logo,smart)", "smart", "")],
        *[("wm(logo,north,101)", "101", "100"), ("wm(logo,north,50,2)", "2", "1"), ("frames(al)", "al", "all")],
        *[("frames(0)", "0", "1"), ("mb(20k)", "20k", "20000"), ("mb(0)", "0", "1"), ("v(a b)", "a b", "a-b")],
        *[("p(card,strip)", "card,strip", ""), ("fit(fill, fff)", " fff", "fff"), ('format("webp")', '"webp"', "webp")],
        *[("p(crad)", "crad", "card"), ("p(zzz)", "zzz", ""), ("exp(1900000000000)", "1900000000000", "1900000000")],
    ],
)
def test_a_wrong_argument_has_the_nearest_right_one(spelled: str, part: str, near: str) -> None:
    assert found(f"x/f:{spelled}/a") == [(part, near)]


@pytest.mark.parametrize(
    ("spelled", "policy", "expected"),
    [
        ("fmt=png", "webp", [("fmt=png", "fmt(png)"), ("fmt=png", "")]),
        ("p=crad", "photos", [("p=crad", "p(crad)"), ("p=crad", "")]),
        ("wm=lgo", "photos", [("wm=lgo", "wm(lgo)"), ("wm=lgo", "")]),
        ("p(CRAD)", "photos", [("CRAD", "crad"), ("CRAD", "card")]),
    ],
)
def test_a_filter_in_another_syntax_is_judged_as_the_nearest_one(
    spelled: str, policy: str, expected: list[tuple[str, str]]
) -> None:
    """What is near its arguments is not what may stand in place of all of it."""
    assert found(f"x/f:{spelled}/a.jpg", POLICIES[policy]) == expected


def test_of_several_arguments_each_wrong_one_is_named() -> None:
    assert found("x/f:wm(lgo,soutest,300,7)/a") == [
        ("lgo", "logo"),
        ("soutest", "southwest"),
        ("300", "100"),
        ("7", "1"),
    ]


def test_a_url_that_has_expired_is_a_mistake_at_its_time() -> None:
    assert found("x/f:exp(100)/a", now=100) == [("100", "")]
    assert found("x/f:exp(100)/a", now=99) == found("x/f:exp(100)/a") == []


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize(
    "argument", ["9" * 400, f"-{'9' * 400}", f"{'9' * 400}.5,1", ",", ",,,,,", "٣", "1e9", "nan", "-", "%"]
)
def test_any_argument_of_any_filter_is_read_or_has_a_mistake(name: str, argument: str) -> None:
    target = f"x/f:{name}({argument})/a.png"
    assert bool(found(target)) == is_refused(f"/photos/thumbs/{target}".encode())


@pytest.mark.parametrize("size", ["9" * 400, f"{'9' * 5000}x", f"x{'9' * 400}.5", "1x" * 900])
def test_a_size_of_any_length_has_a_mistake(size: str) -> None:
    assert found(f"{size}/a") == [(size, "")]


@pytest.mark.parametrize(
    "spelled",
    [
        *(
            "a=" + " " * 1900 + "(",
            " " * 1900 + "(",
            "a" * 1900 + "!",
            "q(7)" * 480 + "!",
            "q(7), " * 300 + "(",
            "]" * 1900,
        ),
        *("a=" + "]" * 1900 + "(", "a;" * 900, "v(" + "é" * 900 + ")", "g(" + "1," * 900 + ")", "-" * 1900, "a:" * 900),
    ],
)
def test_a_text_of_any_length_takes_no_time_that_grows_with_its_cube(spelled: str) -> None:
    """With such a pattern, the test runs into its timeout."""
    assert found(f"x/f:{spelled}/a")


# -------------------------------------------------------------- what does not go together


@pytest.mark.parametrize(
    ("target", "policy", "part", "near"),
    [
        ("x/f:bg(transparent);fmt(jpg)/a.png", "photos", "transparent", ""),
        ("x/f:fit(fill,fff0)/a.jpg", "photos", "fill,fff0", ""),
        ("x/f:bg(transparent)/a.png/as/b.jpg", "photos", "transparent", ""),
        ("x/f:fmt(auto);bg(transparent)/a.png", "jpeg", "transparent", ""),
        ("x/f:fmt(webp)/a/as/b.png", "photos", "png", "webp"),
        ("x/f:fmt(auto)/a/as/b.png", "photos", "auto", "png"),
        ("x/f:p(card)/a/as/b.png", "photos", "png", "webp"),
        ("x/f:fmt(png)/a", "webp", "png", "jpeg"),
        ("x/f:fmt(png);bg(fff0)/a", "webp", "png", "webp"),
        ("x/a.png", "webp", "", "/filters:format(jpeg)"),
        ("x/f:q(7)/a.png", "webp", "", ";format(jpeg)"),
        ("x/a.png/as/b.png", "webp", "png", "jpg"),
        ("x/f:p(card)/a", "jpeg", "card", ""),
        ("401x300/f:p(card)/a", "presets", "401x300/f:p(card)", "x/filters:preset(card)"),
        ("401x300/f:fmt(webp);v(3)/a", "presets", "401x300/f:fmt(webp);v(3)", "x/filters:preset(card);v(3)"),
        ("80x/a/as/b.png", "presets", "b.png", ""),
        ("x/f:p(card)/a/as/b.webp", "jpeg", "card", ""),
        ("x/f:zzz)/a.png", "webp", "", ";format(jpeg)"),
        ("x/f:/a.png", "webp", "", "format(jpeg)"),
        ("f:q(7)/x/a.png", "webp", "", ""),
        ("x/f:p(padded)/a", "sized", "padded", ""),
    ],
)
def test_what_the_storage_does_not_offer_is_named(target: str, policy: str, part: str, near: str) -> None:
    assert (part, near) in found(target, POLICIES[policy])


@pytest.mark.parametrize("target", ["80x/a.jpg/as/tom.jpg", "x/f:p(strip)/a.png/as/b.png", "x/f:p(card)/a/as/b.webp"])
def test_a_name_for_what_a_preset_describes_is_no_mistake(target: str) -> None:
    assert found(target, POLICIES["presets"]) == []


# ---------------------------------------------------------------------------- path and name


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("", [("", "")]),
        ("/a", [("/", "")]),
        ("a/", [("/", "")]),
        ("a//b///c", [("/", ""), ("/", ""), ("/", "")]),
        ("a/../b/.", [("..", ""), (".", "")]),
        ("a\\b\\c", [("\\", "/"), ("\\", "/")]),
        ("a\n\tb", [("\n\t", "")]),
        (f"a/{'ü' * 128}", [("ü" * 128, "")]),
        ("a/as/", [("", "tom.jpg")]),
        ("a.png/as/b", [("b", "b.png")]),
        ("a/as/b.wepb", [("wepb", "webp")]),
        ("a/as/b.tiff", [("tiff", "")]),
        ("a/as/.b.gif", [(".", "")]),
        ("a/as/é\n.jpg", [("\n", "")]),
    ],
)
def test_a_wrong_path_or_download_name_is_named_by_its_part(rest: str, expected: list[tuple[str, str]]) -> None:
    assert found(f"x/{rest}") == expected


def test_a_path_that_is_too_long_is_named_with_its_length() -> None:
    assert "1,029 bytes, and 1,024" in only(f"x/{'/'.join(['a' * 205] * 5)}").sentence


# -------------------------------------------------------------------------- storage and signature


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/fotos/thumbs/x/f:q(0)/a", [("fotos", "photos"), ("0", "1")]),
        ("/zzz/thumbs/x/a", [("zzz", "")]),
        ("/photos/thumb/x/a", [("thumb", "thumbs")]),
        ("/photos/x/a", [("", "thumbs/")]),
        ("photos/thumbs/x/a", [("", "/")]),
        ("/photos", [("", "")]),
        ("/photos/thumbs", [("", "")]),
        ("/photos/thumbs/", [("", "")]),
        ("/signed/thumbs/x/a", [("", "")]),
        ("/signed/thumbs/400y/a", [("", ""), ("400y", "400x")]),
        ("/signed/thumbs/AAAAAAAAAAAAAAAAAAAAAA/x/f:q(0)/a", [("AAAAAAAAAAAAAAAAAAAAAA", ""), ("0", "1")]),
        ("/photos/thumbs/AAAAAAAAAAAAAAAAAAAAAA/x/f:q(0)/a", [("AAAAAAAAAAAAAAAAAAAAAA", ""), ("0", "1")]),
        ("/photos/thumbs/f:q(7)/400x/a", [("f:q(7)/400x", "400x/f:q(7)")]),
    ],
)
def test_a_wrong_storage_shape_or_signature_is_named(path: str, expected: list[tuple[str, str]]) -> None:
    assert found_in_path(path) == expected


@pytest.mark.parametrize(
    ("signed", "sentence"),
    [
        ("/signed/thumbs/x/b.jpg", "made for another path or with another secret"),
        ("/signed/thumbs/x/%C3%A9.jpg", "that of the percent-encoded path"),
        ("signed/thumbs/x/é.jpg", "without its first slash"),
        ("x/é.jpg", "that of what follows the signature"),
        ("/x/é.jpg", "that of what follows the signature"),
    ],
)
def test_a_wrong_signature_says_what_it_was_made_for(signed: str, sentence: str) -> None:
    (mistake,) = path_mistakes(f"/signed/thumbs/{SIGNER.sign(signed)}/x/é.jpg", POLICIES)
    assert sentence in mistake.sentence


def test_no_mistake_says_the_right_signature() -> None:
    right = SIGNER.sign("/signed/thumbs/x/a")
    for before in ("", f"{right[:-1]}/", f"{right}=/", "A" * 22 + "/"):
        for mistake in path_mistakes(f"/signed/thumbs/{before}x/a", POLICIES):
            assert right not in f"{mistake.sentence}{mistake.nearest}"
    assert "21 characters, and those of this storage have 22" in str(
        path_mistakes(f"/signed/thumbs/{right[:-1]}/x/a", POLICIES)[0]
    )
