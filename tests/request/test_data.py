"""`format(json)`: where it is offered, what does not go with it, and that its URLs are read as those of pictures."""

import pytest

from thumbs.errors import BadFilter, NotOffered, SizeOverLimit, ThumbError
from thumbs.image.geometry import OutputLimits
from thumbs.image.quality import DEFAULT_QUALITIES
from thumbs.request.grammar import Target, build, parse, preset
from thumbs.request.mistakes.paths import path_mistakes, target_mistakes
from thumbs.request.mistakes.specs import spec_mistakes
from thumbs.request.policy import StoragePolicy
from thumbs.request.resolve import ThumbRequest, resolve
from thumbs.request.signing import Signer

SIGNER = Signer((b"secret",))
PRESETS = {
    "about": preset("400x", "format(json);data(color)"),
    "sharp": preset("400x300", "quality(90)"),
    "card": preset("400x300"),
}
WITH_DATA = ("json", "webp")


def policy(**fields: object) -> StoragePolicy:
    usual = {"name": "s", "qualities": DEFAULT_QUALITIES, "output": OutputLimits(), "presets": PRESETS}
    return StoragePolicy(**usual | {"watermarks": {"logo": "1"}} | fields)  # type: ignore[arg-type]


def offering(*formats: str, **fields: object) -> StoragePolicy:
    return policy(formats=frozenset(formats), **fields)


def asked(target: str, storage: StoragePolicy, *, accepted: tuple[str, ...] = ()) -> ThumbRequest:
    return resolve(path_of(target, storage).encode(), accepted, {"s": storage})


def path_of(target: str, storage: StoragePolicy) -> str:
    message = f"/s/thumbs/{target}"
    signature = "" if storage.signer is None else f"{storage.signer.sign(message)}/"
    return f"/s/thumbs/{signature}{target}"


def mistakes(target: str, storage: StoragePolicy) -> list[tuple[str, str]]:
    found = path_mistakes(path_of(target, storage), {"s": storage})
    return [(each.text, each.nearest) for each in found]


def refused(target: str, storage: StoragePolicy) -> ThumbError:
    """The error, of a URL in which a mistake is found too."""
    with pytest.raises(ThumbError) as caught:
        asked(target, storage)
    assert mistakes(target, storage)
    return caught.value


# --------------------------------------------------------------------------------- where it is offered


@pytest.mark.parametrize("target", ["400x/f:format(json)/a.jpg", "400x/a.jpg/as/b.json", "x/f:p(about)/a.jpg"])
def test_a_storage_offers_data_where_it_is_signed_or_names_json(target: str) -> None:
    for storage in (policy(signer=SIGNER), offering("json"), offering(*WITH_DATA, signer=SIGNER)):
        assert asked(target, storage).transform.format == "json"
        assert mistakes(target, storage) == []
    for storage in (policy(), offering("webp"), offering("webp", signer=SIGNER), offering(), policy(private=True)):
        assert type(refused(target, storage)) is NotOffered


def test_the_nearest_part_is_a_format_that_is_offered() -> None:
    assert mistakes("x/f:fmt(json)/a.webp", offering("webp")) == [("json", "webp")]
    assert mistakes("x/f:fmt(json)/a.webp", policy()) == [("json", "")]
    assert mistakes("x/a.webp/as/b.json", offering("webp")) == [("json", "webp")]
    (mistake,) = path_mistakes("/s/thumbs/x/f:fmt(json)/a", {"s": policy()})
    assert "formats do not name json" in mistake.sentence


@pytest.mark.parametrize("key", ["a.jpg", "a.webp", "a.json", "a"])
@pytest.mark.parametrize("accepted", [(), ("avif", "webp")])
def test_nothing_but_its_name_chooses_data(key: str, accepted: tuple[str, ...]) -> None:
    for more in ("", ";frames(all)", ";bg(transparent)"):
        target = f"x/f:format(auto){more}/{key}"
        assert asked(target, offering(*WITH_DATA), accepted=accepted).transform.format == "webp"
        with pytest.raises((NotOffered, BadFilter)):
            asked(target, offering("json"), accepted=accepted)
    assert asked(f"x/{key}", policy(signer=SIGNER)).transform.format != "json"


def test_sizes_presets_and_limits_are_those_of_pictures() -> None:
    sized = offering(*WITH_DATA, sizes=frozenset({"400x"}))
    assert asked("400x/f:fmt(json)/a", sized)
    assert type(refused("401x/f:fmt(json)/a", sized)) is NotOffered
    assert type(refused("400x/f:fmt(json);pad(1)/a", sized)) is NotOffered
    only = offering(*WITH_DATA, presets_only=True)
    assert asked("x/f:p(about);v(3)/a", only)
    assert asked("400x/f:fmt(json);data(color)/a", only)
    assert type(refused("400x300/f:fmt(json)/a", only)) is NotOffered
    assert type(refused("x/f:p(card);fmt(json)/a", only)) is NotOffered
    assert type(refused("9000x/f:fmt(json)/a", offering("json"))) is SizeOverLimit
    assert type(refused("3000x/f:fmt(json);dpr(2)/a", offering("json"))) is SizeOverLimit


# ------------------------------------------------------------------------------ what does not go together


@pytest.mark.parametrize("filters", ["quality(70)", "max_bytes(9000)", "watermark(logo)", "p(sharp)", "q(1);mb(1)"])
def test_what_only_a_file_has_is_refused_with_data(filters: str) -> None:
    for target in (f"400x/f:format(json);{filters}/a.jpg", f"400x/f:{filters}/a.jpg/as/b.json"):
        error = refused(target, policy(signer=SIGNER))
        assert type(error) is BadFilter
        assert error.detail == "format(json) makes no picture: quality, max_bytes and watermark do not go with it."


@pytest.mark.parametrize(
    "filters", ["data(color)", "data(color);fmt(webp)", "fmt(auto);data(thumbhash)", "p(about);fmt(png)"]
)
def test_data_without_their_format_are_refused(filters: str) -> None:
    error = refused(f"400x/f:{filters}/a.jpg", policy(signer=SIGNER))
    assert type(error) is BadFilter
    assert error.detail == "data needs format(json)."


@pytest.mark.parametrize(
    "filters",
    [
        *("fit(fill,transparent)", "bg(transparent)", "frames(all)", "trim(10)", "gravity(smart)", "crop(1,2,3,4)"),
        *("r(90)", "flip", "blur(3)", "padding(4)", "dpr(2)", "v(7)", "exp(99999999999)", "upscale(no)", "p(card)"),
    ],
)
def test_all_other_filters_go_with_data(filters: str) -> None:
    target = f"400x/f:format(json);{filters}/a.jpg"
    assert asked(target, policy(signer=SIGNER)).transform.format == "json"
    assert mistakes(target, policy(signer=SIGNER)) == []


def test_a_download_name_and_the_format_agree() -> None:
    assert asked("x/f:fmt(json)/a.jpg/as/b.JSON", policy(signer=SIGNER)).transform.format == "json"
    for target in ("x/f:fmt(json)/a/as/b.webp", "x/f:fmt(webp)/a/as/b.json", "x/f:fmt(auto)/a/as/b.json"):
        assert type(refused(target, policy(signer=SIGNER))) is BadFilter
    assert mistakes("x/f:fmt(webp)/a/as/b.json", policy(signer=SIGNER)) == [("json", "webp")]
    assert mistakes("x/f:fmt(json)/a/as/b.webp", policy(signer=SIGNER)) == [("webp", "json")]
    assert mistakes("x/a/as/b.jsn", policy(signer=SIGNER)) == [("jsn", "json")]


# ---------------------------------------------------------------------------------------- one request


def test_each_spelling_of_a_request_has_one_key() -> None:
    targets = ("format(json);data(color,thumbhash)", "data(thumbhash,color);fmt(json)")
    keys = {asked(f"400x/f:{filters}/a.jpg", policy(signer=SIGNER)).key for filters in targets}
    assert len(keys) == 1
    others = ("fmt(json)", "fmt(json);data(color)", "fmt(json);data(thumbhash)", "fmt(jpeg)")
    keys |= {asked(f"400x/f:{filters}/a.jpg", policy(signer=SIGNER)).key for filters in others}
    assert len(keys) == 5


def test_the_canonical_url_says_the_same() -> None:
    for text in ("400x/filters:format(json);data(thumbhash,color)/a.jpg", "x/filters:data(color)/a.jpg/as/b.json"):
        assert build(parse(text)) == text
    named = Target("a/as/b.jpg", parse("x/f:fmt(json)/a").transform, "b.json")
    assert build(named) == "x/a/as/b.jpg/as/b.json"


def test_data_are_never_chosen_by_accept() -> None:
    headers = dict(asked("x/f:fmt(json)/a", policy(signer=SIGNER)).headers)
    assert b"Vary" not in headers


# ------------------------------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    ("arguments", "wrong", "near"),
    [
        ("colr", "colr", "color"),
        ("Thumbhash", "Thumbhash", "thumbhash"),
        ("blurhash", "blurhash", "thumbhash"),
        ("dominant", "dominant", "color"),
        ("thumbhash, color", " color", "color"),
        ("color,color", "color,color", "color"),
        ("size", "size", ""),
        ("color,thumbhash,color", ",color", ""),
    ],
)
def test_a_wrong_part_of_the_data_is_shown_with_the_nearest(arguments: str, wrong: str, near: str) -> None:
    found = target_mistakes(f"x/f:fmt(json);data({arguments})/a", policy(signer=SIGNER))
    assert [(each.text, each.nearest) for each in found] == [(wrong, near)]


def test_a_spec_has_the_same_mistakes() -> None:
    signed = policy(signer=SIGNER)

    def wrong(options: dict[str, object], storage: StoragePolicy = signed) -> list[str]:
        return [each.option for each in spec_mistakes("card", options, policy=storage)]

    assert wrong({"format": "json", "data": ("thumbhash", "color")}) == []
    assert wrong({"format": "json", "quality": 70}) == ["quality"]
    assert wrong({"data": "color"}) == ["data"]
    assert wrong({"format": "json"}, policy()) == ["format"]
    assert spec_mistakes("unknown", {"data": "color"}, presets=None) == ()
