"""Download names: the extension says the output format, and a name is one segment that is not hidden."""

import pytest

from thumbs.errors import BadFilter, BadPath
from thumbs.request.grammar import format_of_name


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
