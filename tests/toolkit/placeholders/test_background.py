"""Placeholders in columns of text and of bytes, and as the URL of a tiny picture."""

import base64

import pytest

from tests.support import pictures
from tests.support.thumbhash_vectors import REFERENCE_HASHES
from thumbs.image.placeholders import thumbhash
from thumbs.toolkit.placeholders import background as placeholders

HASHES = {name: bytes.fromhex(text) for name, text in REFERENCE_HASHES.items()}


@pytest.mark.parametrize("name", HASHES)
def test_a_hash_fits_its_column_and_comes_back(name: str) -> None:
    text = placeholders.as_text(HASHES[name])
    assert len(text) <= placeholders.TEXT_LENGTH
    assert placeholders.as_bytes(text) == placeholders.as_bytes(text.rstrip("=")) == HASHES[name]
    for kind in (bytes, bytearray, memoryview):
        assert placeholders.as_bytes(kind(HASHES[name])) == HASHES[name]


@pytest.mark.parametrize("name", HASHES)
def test_the_url_is_a_png_that_looks_like_the_hash(name: str) -> None:
    url = placeholders.data_url(placeholders.as_text(HASHES[name]))
    head, _, body = url.partition(",")
    assert head == "data:image/png;base64"
    assert len(url) < 1000
    picture = pictures.decoded(base64.b64decode(body)).convert("RGBA")
    expected = thumbhash.decode(HASHES[name], side=12)
    assert (picture.size, picture.tobytes()) == ((expected.width, expected.height), expected.rgba)


@pytest.mark.parametrize("value", [None, "", b"", "center", "ä", 7, "AAAA", b"\0" * 24, "A" * 200])
def test_what_is_no_hash_is_no_placeholder(value: object) -> None:
    assert placeholders.data_url(value) == ""
