"""Mistakes of a spec and options: what the toolkit refuses has one, at its place in the checked text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import mistaken
from tests.support.mistaken import OPEN, POLICIES, PRESETS
from thumbs.errors import ThumbError
from thumbs.image.formats import OUTPUT_NAMES
from thumbs.request.grammar import expand
from thumbs.request.mistakes.located import Mistake
from thumbs.request.mistakes.specs import option_text, spec_mistakes, spec_text
from thumbs.request.policy import StoragePolicy
from thumbs.request.resolve import with_defaults
from thumbs.toolkit.errors import WrongSpec
from thumbs.toolkit.spec import spelled

UNSIGNED = sorted(name for name, policy in POLICIES.items() if policy.signer is None)


def is_offered(spec: str, options: dict[str, object], policy: StoragePolicy) -> bool:
    """Whether there is an original of which the storage makes this."""
    try:
        transform, _ = expand(*spelled(spec, options, policy.presets), policy.presets)
    except (WrongSpec, ThumbError):
        return False
    for extension in OUTPUT_NAMES:
        try:
            policy.check(transform, with_defaults(transform, f"a.{extension}", (), policy)[0])
        except ThumbError:
            continue
        return True
    return False


def only(spec: str, options: dict[str, object], policy: StoragePolicy | None = OPEN) -> Mistake:
    (mistake,) = spec_mistakes(spec, options, policy=policy, presets=PRESETS)
    text = spec_text(spec, options)
    assert text[mistake.offset : mistake.end] == mistake.text
    return mistake


@given(mistaken.specs(), st.sampled_from(UNSIGNED))
def test_a_spec_has_mistakes_exactly_when_no_original_can_be_made_so(
    given_spec: tuple[str, dict[str, object]], name: str
) -> None:
    spec, options = given_spec
    mistakes = spec_mistakes(spec, options, policy=POLICIES[name])
    text = spec_text(spec, options)
    assert [text[each.offset : each.end] for each in mistakes] == [each.text for each in mistakes]
    assert {each.option for each in mistakes} <= {*options, ""}
    assert (not mistakes) == is_offered(spec, options, POLICIES[name])


@pytest.mark.parametrize(
    ("spec", "part", "near"),
    [
        ("crad", "crad", "card"),
        ("card 800y", "800y", "800x"),
        ("card 400", "400", "400x"),
        ("zzz", "zzz", ""),
        ("card strip", "strip", ""),
        ("80x 90x", "90x", ""),
        ("format(webp)", "format(webp)", ""),
        ("card 9000x", "9000x", "5120x"),
    ],
)
def test_a_wrong_token_has_the_nearest_preset_or_size(spec: str, part: str, near: str) -> None:
    mistake = only(spec, {})
    assert (mistake.text, mistake.nearest, mistake.option) == (part, near, "")


@pytest.mark.parametrize(
    ("options", "part", "near"),
    [
        ({"formt": "webp"}, "formt", "format"),
        ({"format": "wepb"}, "wepb", "webp"),
        ({"quality": 101}, "101", "100"),
        ({"quality": True}, "yes", ""),
        ({"background": "#fff"}, "#fff", "fff"),
        ({"gravity": (31, 62)}, "31,62", "0.31,0.62"),
        ({"flip": "yes"}, "yes", ""),
        ({"background": "transparent", "format": "jpeg"}, "transparent", ""),
        ({"preset": "strip"}, "preset=strip", ""),
        ({"watermark": "lgo"}, "lgo", "logo"),
        ({"dpr": 20}, "20", "4"),
    ],
)
def test_a_wrong_option_is_named_with_its_value(options: dict[str, object], part: str, near: str) -> None:
    mistake = only("card" if "format" not in options else "80x", options)
    assert (mistake.text, mistake.nearest, mistake.option) == (part, near, next(iter(options)))


def test_the_text_of_a_spec_is_as_a_tag_has_it() -> None:
    options = {"format": "webp", "flip": True, "flop": False, "upscale": False, "quality": None, "dpr": 1.50}
    assert spec_text(" card  800x ", options) == "card 800x format=webp flip upscale=no dpr=1.5"
    assert spec_text("", {"crop": [0, 0, 10, 20]}) == "crop=0,0,10,20"
    assert option_text("gravity", (0.31, 0.62)) == "0.31,0.62"


def test_an_option_for_a_time_is_given_by_its_lifetime() -> None:
    assert "lifetime=" in only("card", {"expires": 1_900_000_000}).sentence


def test_without_a_storage_only_names_of_presets_are_known() -> None:
    assert spec_mistakes("card 9000x", {"format": "png"}, presets=PRESETS) == ()
    assert spec_mistakes("anything", {}) == ()
    assert only("crad", {}, None).nearest == "card"


def test_where_only_presets_are_offered_the_nearest_is_named_as_a_spec() -> None:
    mistake = only("card 401x", {"version": "3"}, POLICIES["presets"])
    assert (mistake.text, mistake.nearest, mistake.option) == ("card 401x version=3", "card version=3", "")
