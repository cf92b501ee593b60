"""Tags and functions refuse what URLs refuse of `frames`, and know the format that is chosen."""

from collections.abc import Iterator

import pytest

from tests.support.srcsets import only, parse_html
from tests.support.toolkit_site import configured
from thumbs import WrongSpec, picture, thumb


@pytest.fixture(autouse=True)
def _configured() -> Iterator[None]:
    with configured():
        yield


@pytest.mark.parametrize("output", ["jpeg", "png", "avif"])
def test_more_frames_in_a_format_that_is_never_animated_are_a_mistake_of_the_options(output: str) -> None:
    with pytest.raises(WrongSpec, match="animated output format") as refused:
        thumb("a.gif", "9x", storage="open", frames="all", format=output)
    assert [(mistake.option, mistake.nearest) for mistake in refused.value.mistakes] == [("format", "webp")]
    assert thumb("a.gif", "9x", storage="open", frames="first", format=output).content_type == f"image/{output}"


@pytest.mark.parametrize(
    ("key", "content_type"),
    [("a.gif", "image/gif"), ("a.webp", "image/webp"), ("a.jpg", "image/webp"), ("a.png", "image/webp")],
)
def test_a_thumb_says_which_animated_format_was_chosen(key: str, content_type: str) -> None:
    assert thumb(key, "9x", storage="open", frames="all").content_type == content_type


@pytest.mark.parametrize("key", ["a.gif", "a.jpg"])
def test_a_picture_has_no_source_that_would_stop_the_animation(key: str) -> None:
    made = only(parse_html(picture(key, "90x60", storage="open", frames="all", alt="").html))
    sources = {made.get("type", "")} if made.tag == "img" else {each.get("type") for each in made if each.tag != "img"}
    assert "image/avif" not in sources


def test_a_sharpen_over_ten_is_a_mistake_of_the_options() -> None:
    with pytest.raises(WrongSpec) as refused:
        thumb("a.jpg", "9x", storage="open", sharpen=11)
    assert [(mistake.option, mistake.nearest) for mistake in refused.value.mistakes] == [("sharpen", "10")]
    assert "sharpen(10)" in thumb("a.jpg", "9x", storage="open", sharpen=10).url


@pytest.mark.parametrize("key", ["a.gif", "a.webp", "a.jpg"])
def test_a_picture_of_a_storage_without_animated_formats_stands_still(key: str) -> None:
    made = picture(key, "90x60", storage="jpeg-only", frames="all", alt="")
    assert made.img.content_type == "image/jpeg"
    assert "/jpeg-only/thumbs/" in made.img.url
