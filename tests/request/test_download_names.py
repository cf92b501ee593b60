"""Download names: the extension says the output format, and a name is one segment that is not hidden."""

import pytest

from thumbs.errors import BadFilter, BadPath
from thumbs.image.transforms import Transform
from thumbs.request.download_names import named_again
from thumbs.request.grammar import Target, format_of_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [("photo.webp", "webp"), ("a b.jpg", "jpeg"), ("photo.JPEG", "jpeg"), ("p.tar.png", "png"), ("x.avif", "avif")],
)
def test_the_extension_says_the_format(name: str, expected: str) -> None:
    assert format_of_name(name) == expected


@pytest.mark.parametrize("name", ["a/b.webp", "/b.webp", ".webp", ".a.webp", "photo", "photo.txt", "photo.svg"])
def test_a_name_of_several_segments_or_hidden_or_of_another_format_is_refused(name: str) -> None:
    with pytest.raises((BadFilter, BadPath)):
        format_of_name(name)


def test_a_name_with_a_slash_is_a_bad_filter_as_the_key_before_it_is_good() -> None:
    with pytest.raises(BadFilter):
        format_of_name("a/b.webp")


@pytest.mark.parametrize(("length", "name"), [(250, f"{'b' * 250}.webp"), (251, "thumbnail.webp")])
def test_a_key_that_ends_like_a_name_gets_one_of_at_most_255_bytes(length: int, name: str) -> None:
    target = Target(f"a.png/as/{'b' * length}.png", Transform(width=40))
    assert named_again(target, "webp").name == name
