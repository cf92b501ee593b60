"""`format(original)`: the stored bytes, offered only where the configuration names them."""

import pytest

from thumbs.errors import BadFilter, NotOffered
from thumbs.image.geometry import OutputLimits
from thumbs.image.quality import DEFAULT_QUALITIES
from thumbs.request.grammar import build, parse
from thumbs.request.mistakes.paths import path_mistakes
from thumbs.request.policy import StoragePolicy
from thumbs.request.resolve import ThumbRequest, resolve


def _policy(*formats: str) -> StoragePolicy:
    return StoragePolicy("photos", DEFAULT_QUALITIES, OutputLimits(), formats=frozenset(formats) if formats else None)


def _resolved(target: str, *formats: str) -> ThumbRequest:
    return resolve(f"/photos/thumbs/{target}".encode(), ("avif", "webp"), {"photos": _policy(*formats)})


def test_it_is_offered_where_formats_name_it() -> None:
    assert _resolved("x/filters:format(original)/a.jpg", "webp", "original").transform.format == "original"
    for formats in ((), ("webp",)):
        with pytest.raises(NotOffered):
            _resolved("x/filters:format(original)/a.jpg", *formats)
        assert path_mistakes("/photos/thumbs/x/filters:format(original)/a.jpg", {"photos": _policy(*formats)})


@pytest.mark.parametrize("filters", ["format(original)", "fmt(original);v(2)", "format(original);expires(99999999999)"])
def test_a_version_and_an_expiry_go_with_it(filters: str) -> None:
    thumb = _resolved(f"x/filters:{filters}/a.jpg", "original")
    assert thumb.transform.quality is None
    assert build(parse(f"x/filters:{filters}/a.jpg"))
    assert not path_mistakes(f"/photos/thumbs/x/filters:{filters}/a.jpg", {"photos": _policy("original")})


@pytest.mark.parametrize(
    "target",
    [
        *("400x300/filters:format(original)/a.jpg", "400x/filters:format(original)/a.jpg"),
        *("x/filters:format(original);quality(80)/a.jpg", "x/filters:format(original);grayscale/a.jpg"),
        *("x/filters:format(original);frames(all)/a.jpg", "x/filters:format(original);dpr(2)/a.jpg"),
        *("x/filters:format(original);background(fff)/a.jpg", "x/filters:format(original);upscale(no)/a.jpg"),
        *("x/filters:format(original)/a.jpg/as/a.jpg", "x/filters:format(original);background(transparent)/a.jpg"),
    ],
)
def test_nothing_that_changes_it_goes_with_it(target: str) -> None:
    with pytest.raises(BadFilter):
        _resolved(target, "original")
    assert path_mistakes(f"/photos/thumbs/{target}", {"photos": _policy("original")})


def test_auto_never_chooses_it() -> None:
    assert _resolved("40x/filters:format(auto)/a.jpg", "original", "png").transform.format == "png"
