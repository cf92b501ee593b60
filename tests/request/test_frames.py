"""More than one frame needs a format that can be animated: another one by name is refused, and none is chosen."""

import pytest

from thumbs.errors import BadFilter, ThumbError
from thumbs.image.formats import FORMATS, OUTPUT_NAMES
from thumbs.image.geometry import OutputLimits
from thumbs.image.quality import DEFAULT_QUALITIES
from thumbs.request.grammar import preset
from thumbs.request.mistakes.paths import path_mistakes
from thumbs.request.mistakes.specs import spec_mistakes
from thumbs.request.policy import StoragePolicy
from thumbs.request.resolve import resolve

BROWSER = ("avif", "webp")
STILL = sorted(name for name in OUTPUT_NAMES if not FORMATS[OUTPUT_NAMES[name]].animated)
PRESETS = {
    "moving": preset("x", "frames(all)"),
    "jpeg": preset("x", "format(jpeg)"),
    "both": preset("x", "frames(all);format(webp)"),
}


def policy(*formats: str) -> StoragePolicy:
    return StoragePolicy(
        "s",
        DEFAULT_QUALITIES,
        OutputLimits(),
        presets=PRESETS,
        formats=frozenset(formats) if formats else None,
        encoders={"jxl": "imagecodecs"},
    )


def output_of(target: str, *formats: str, accepted: tuple[str, ...] = ()) -> str | None:
    found = resolve(f"/s/thumbs/{target}".encode(), accepted, {"s": policy(*formats)})
    return found.transform.format


def mistakes_of(target: str, *formats: str) -> list[tuple[str, str]]:
    found = path_mistakes(f"/s/thumbs/{target}", {"s": policy(*formats)})
    return [(mistake.text, mistake.nearest) for mistake in found]


@pytest.mark.parametrize("frames", ["all", "2", "1000"])
@pytest.mark.parametrize("output", STILL)
def test_an_explicit_format_that_is_never_animated_is_refused(output: str, frames: str) -> None:
    for target in (
        f"x/f:frames({frames});format({output})/a.gif",
        f"x/f:frames({frames})/a.gif/as/b.{output}",
        f"x/f:preset(moving);fmt({output})/a.gif",
        f"x/f:preset(jpeg);frames({frames})/a.gif",
        f"x/f:preset(both);fmt({output})/a.webp",
    ):
        with pytest.raises(BadFilter, match="frames over 1"):
            output_of(target)
        assert mistakes_of(target) != []


@pytest.mark.parametrize("frames", ["first", "1"])
@pytest.mark.parametrize("output", STILL)
def test_one_frame_goes_into_any_format(output: str, frames: str) -> None:
    target = f"x/f:preset(moving);frames({frames});format({output})/a.gif"
    assert output_of(target) == OUTPUT_NAMES[output]
    assert mistakes_of(target) == []


@pytest.mark.parametrize(
    ("target", "formats", "accepted", "output"),
    [
        ("x/f:frames(all)/a.gif", (), (), "gif"),
        ("x/f:frames(all)/a.gif", (), BROWSER, "gif"),
        ("x/f:frames(all)/a.webp", (), (), "webp"),
        ("x/f:frames(2)/a.png", (), (), "webp"),
        ("x/f:frames(2)/a.jpg", ("gif", "jpeg"), (), "gif"),
        ("x/f:frames(2)/a.gif", ("webp", "jpeg"), (), "webp"),
        ("x/f:frames(all)/a", (), (), "webp"),
        ("x/f:frames(all)/a.jpg", ("jpeg",), (), "jpeg"),
        ("x/f:frames(all)/a.png/as/b.gif", (), (), "gif"),
        ("x/f:preset(moving)/a.jpg", (), (), "webp"),
        ("x/f:frames(all);format(auto)/a.jpg", (), BROWSER, "webp"),
        ("x/f:frames(all);format(auto)/a.jpg", (), ("avif",), "webp"),
        ("x/f:frames(all);format(auto)/a.jpg", ("gif", "avif"), ("avif",), "gif"),
        ("x/f:preset(moving);format(auto)/a.jpg", (), (), "webp"),
        ("x/f:frames(all);format(auto)/a.gif", (), (), "gif"),
    ],
)
def test_an_animated_format_is_chosen_where_none_is_named(
    target: str, formats: tuple[str, ...], accepted: tuple[str, ...], output: str
) -> None:
    assert output_of(target, *formats, accepted=accepted) == output
    assert mistakes_of(target, *formats) == []


@pytest.mark.parametrize(
    ("target", "formats", "wrong", "nearest"),
    [
        ("x/f:frames(all);format(jpeg)/a.gif", (), "jpeg", "webp"),
        ("x/f:frames(all);format(avif)/a.gif", ("avif", "gif"), "avif", "gif"),
        ("x/f:frames(all);format(jpeg)/a.gif", ("jpeg",), "all", "first"),
        ("x/f:frames(3)/a.gif/as/b.jpg", (), "3", "first"),
        ("x/f:preset(jpeg);frames(3)/a.gif", (), "3", "first"),
        ("x/f:preset(moving);format(png)/a.gif", (), "png", "webp"),
        ("x/f:preset(moving)/a.gif/as/b.png", (), "moving", ""),
    ],
)
def test_the_mistake_is_where_it_can_be_mended(target: str, formats: tuple[str, ...], wrong: str, nearest: str) -> None:
    assert mistakes_of(target, *formats) == [(wrong, nearest)]


@pytest.mark.parametrize("output", STILL)
def test_options_of_a_tag_are_refused_as_a_url_is(output: str) -> None:
    found = spec_mistakes("100x", {"frames": "all", "format": output}, policy=policy())
    assert [(mistake.option, mistake.nearest) for mistake in found] == [("format", "webp")]
    assert spec_mistakes("100x", {"frames": "all", "format": "webp"}, policy=policy()) == ()


def test_a_refusal_is_a_bad_request() -> None:
    with pytest.raises(ThumbError) as refused:
        output_of("x/f:frames(all);format(png)/a.gif")
    assert refused.value.status == 400
