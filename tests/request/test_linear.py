"""The filter `linear`, its default from the configuration, and the cache key of both."""

import pytest

from thumbs.errors import BadFilter
from thumbs.image.encoding import Encoding
from thumbs.image.geometry import OutputLimits
from thumbs.image.quality import DEFAULT_QUALITIES
from thumbs.image.transforms import Transform
from thumbs.request.filters import build_filters, parse_filters
from thumbs.request.policy import StoragePolicy
from thumbs.request.resolve import ThumbRequest, resolve


def asked(filters: str = "", *, linear: bool = False, turbo: bool = False) -> ThumbRequest:
    policy = StoragePolicy("photos", DEFAULT_QUALITIES, OutputLimits(), encoding=Encoding(linear=linear), turbo=turbo)
    part = f"filters:{filters}/" if filters else ""
    return resolve(f"/photos/thumbs/400x300/{part}tom.jpg".encode(), (), {"photos": policy})


@pytest.mark.parametrize(("text", "value"), [("yes", True), ("no", False)])
def test_the_filter_is_read_and_written(text: str, value: object) -> None:
    assert parse_filters(f"linear({text})") == {"linear": value}
    assert build_filters(Transform(linear=bool(value))) == f"linear({text})"


@pytest.mark.parametrize("text", ["linear", "linear()", "linear(1)", "linear(true)", "linear(yes,no)"])
def test_nothing_but_yes_and_no_is_taken(text: str) -> None:
    with pytest.raises(BadFilter, match="linear takes yes or no"):
        parse_filters(text)


@pytest.mark.parametrize("setting", [False, True])
def test_the_configuration_says_the_default_and_the_url_wins(*, setting: bool) -> None:
    assert asked(linear=setting).transform.linear is setting
    assert asked("linear(yes)", linear=setting).transform.linear is True
    assert asked("linear(no)", linear=setting).transform.linear is False


def test_the_light_of_a_resize_is_part_of_the_key_and_its_spelling_is_not() -> None:
    assert asked("linear(no)").key == asked().key
    assert asked("linear(yes)").key != asked().key
    assert asked("linear(yes)", linear=True).key == asked(linear=True).key
    assert asked("linear(no)", linear=True).key != asked(linear=True).key


def test_the_decoder_is_part_of_the_key() -> None:
    assert asked(turbo=True).key != asked().key
