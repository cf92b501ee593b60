"""The document that clients get of an original: its keys, their kinds, and what stands there only where asked for."""

import base64
import json
from dataclasses import replace

from thumbs.image.description import COLOR_SPACES, Description

PLAIN = Description("jpeg", (600, 400), 1, 6, has_alpha=False, color_space="srgb", output=(90, 60))


def test_a_document_says_what_the_original_is_and_how_large_the_thumbnail() -> None:
    assert json.loads(PLAIN.document(1234)) == {
        "source": {
            "width": 600,
            "height": 400,
            "format": "jpeg",
            "bytes": 1234,
            "frames": 1,
            "orientation": 6,
            "has_alpha": False,
            "color_space": "srgb",
        },
        "output": {"width": 90, "height": 60},
    }


def test_what_was_asked_for_stands_beside_the_source() -> None:
    document = json.loads(replace(PLAIN, thumbhash=bytes(range(25)), color=(1, 171, 255)).document(1))
    assert base64.b64decode(document["thumbhash"], validate=True) == bytes(range(25))
    assert document["color"] == "#01abff"
    assert list(document) == ["source", "output", "thumbhash", "color"]


def test_each_may_stand_there_alone() -> None:
    assert list(json.loads(replace(PLAIN, color=(0, 0, 0)).document(1))) == ["source", "output", "color"]
    assert list(json.loads(replace(PLAIN, thumbhash=bytes(6)).document(1))) == ["source", "output", "thumbhash"]


def test_the_names_of_color_spaces_are_different() -> None:
    assert len(set(COLOR_SPACES)) == len(COLOR_SPACES)
