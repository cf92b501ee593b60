"""The key `dialects`: what is read, and each mistake with its id, its place and the nearest right spelling."""

from typing import Any

import pytest

from thumbs.conf.loading import load, may_have_dialects

HEX = "943b421c9eb07c83"
THUMBOR = {"dialect": "thumbor", "path": "/t/", "sources": {"": "photos"}}
IMGPROXY = {"dialect": "imgproxy", "sources": {"local:///": "photos"}}
SIGNED = IMGPROXY | {"key": HEX, "salt": HEX}
IMAGOR = {"dialect": "imagor", "sources": {"": "photos"}, "key": "k"}
MAGE = {"dialect": "mage", "sources": {"": "photos"}, "key": "k"}
Found = list[tuple[str, str]]


def _loaded(*dialects: object, **storage: Any) -> Any:
    photos = {"name": "photos", "driver": "local", "root": "/", "allowed_sizes": ["9x9"], **storage}
    others = {"name": "others", "driver": "local", "root": "/", "allowed_sizes": ["9x9"], "private": True}
    return load({"STORAGES": [photos, others], "DIALECTS": list(dialects)})


def _problems(*dialects: object, **storage: Any) -> Found:
    return [(problem.id, problem.where) for problem in _loaded(*dialects, **storage).problems]


@pytest.mark.parametrize(
    "dialect",
    [
        THUMBOR,
        IMGPROXY,
        SIGNED,
        IMGPROXY | {"key": [HEX, HEX], "salt": [HEX, HEX], "signature_size": 16, "base64_filename": True},
        IMGPROXY | {"presets": {"card": "rs:fill:200:150/f:webp", "small": "pr:card/w:50"}, "presets_only": True},
        THUMBOR | {"key": "text", "unsafe": True},
        SIGNED | {"signature_size": 6},
        IMAGOR,
        IMAGOR | {"signature_length": 8},
        IMAGOR | {"signer": "sha512", "signature_length": 40},
        {"dialect": "ipx", "path": "/_ipx/", "sources": {"/": "photos"}, "format": "auto"},
        MAGE | {"path": "/thumbs/", "signature_start": 4},
        MAGE | {"signature_start": 35},
        MAGE | {"signature_start": 19, "signer": "sha1"},
        MAGE | {"signature_start": 64, "signer": "sha512"},
        {"dialect": "mage", "sources": {"": "photos"}, "signature_start": 64},
    ],
)
def test_a_right_dialect_has_no_problem(dialect: dict[str, Any]) -> None:
    loaded = _loaded(dialect)
    assert loaded.problems == ()
    (conf,) = loaded.dialects
    assert (conf.dialect, conf.path) == (dialect["dialect"], dialect.get("path", "/"))


@pytest.mark.parametrize(
    ("dialect", "code", "place"),
    [
        ({}, "thumbs.E004", "[0].dialect"),
        (THUMBOR | {"dialect": "thumbr"}, "thumbs.E003", "[/t/].dialect"),
        (THUMBOR | {"sorces": {}}, "thumbs.E002", "[/t/].sorces"),
        (THUMBOR | {"path": "t/"}, "thumbs.E003", "[t/].path"),
        (THUMBOR | {"path": "/t"}, "thumbs.E003", "[/t].path"),
        (THUMBOR | {"path": "/a b/"}, "thumbs.E003", "[/a b/].path"),
        (THUMBOR | {"sources": {}}, "thumbs.E010", "[/t/].sources"),
        (THUMBOR | {"sources": {"": "fotos"}}, "thumbs.E003", "[/t/].sources[]"),
        (THUMBOR | {"sources": {"": "others"}}, "thumbs.E010", "[/t/].sources[]"),
        (THUMBOR | {"salt": HEX}, "thumbs.E011", "[/t/].salt"),
        (THUMBOR | {"unsafe": True}, "thumbs.E010", "[/t/].unsafe"),
        (THUMBOR | {"signature_start": 4}, "thumbs.E011", "[/t/].signature_start"),
        (THUMBOR | {"presets": {"a": "w:1"}}, "thumbs.E011", "[/t/].presets"),
        (IMGPROXY | {"key": HEX}, "thumbs.E010", "[0].salt"),
        (IMGPROXY | {"salt": HEX}, "thumbs.E010", "[0].salt"),
        (SIGNED | {"salt": [HEX, HEX]}, "thumbs.E010", "[0].salt"),
        (SIGNED | {"key": "no hex"}, "thumbs.E003", "[0].key"),
        (SIGNED | {"salt": "abc"}, "thumbs.E003", "[0].salt"),
        (SIGNED | {"signature_size": 33}, "thumbs.E003", "[0].signature_size"),
        (SIGNED | {"signature_size": 5}, "thumbs.E008", "[0].signature_size"),
        (SIGNED | {"signature_size": 1}, "thumbs.E008", "[0].signature_size"),
        (IMAGOR | {"signature_length": 7}, "thumbs.E008", "[0].signature_length"),
        (MAGE | {"signature_length": 1}, "thumbs.E008", "[0].signature_length"),
        (MAGE | {"signature_length": 7, "signature_start": 64}, "thumbs.E008", "[0].signature_length"),
        (MAGE | {"signature_start": 64}, "thumbs.E008", "[0].signature_start"),
        (MAGE | {"signature_start": 40}, "thumbs.E008", "[0].signature_start"),
        (MAGE | {"signature_start": 36}, "thumbs.E008", "[0].signature_start"),
        (MAGE | {"signature_start": 36, "signature_length": 88}, "thumbs.E008", "[0].signature_start"),
        (MAGE | {"signature_start": 20, "signer": "sha1"}, "thumbs.E008", "[0].signature_start"),
        (IMGPROXY | {"presets": {"card": "width:abc"}}, "thumbs.E003", "[0].presets[card]"),
        (IMGPROXY | {"presets": {"card": "pr:card"}}, "thumbs.E003", "[0].presets[card]"),
        (IMGPROXY | {"presets": {"card": "w:9/cb:2"}}, "thumbs.E003", "[0].presets[card]"),
        (IMGPROXY | {"presets": {"a": "w:9", "default": "cachebuster:2"}}, "thumbs.E003", "[0].presets[default]"),
        (IMGPROXY | {"presets_only": True}, "thumbs.E010", "[0].presets_only"),
        (IMGPROXY | {"watermark": "logo"}, "thumbs.E003", "[0].watermark"),
        (IMGPROXY | {"format": "tiff"}, "thumbs.E003", "[0].format"),
        (IMGPROXY | {"unsafe": True}, "thumbs.E011", "[0].unsafe"),
        ({"dialect": "ipx", "sources": {"/": "photos"}, "key": "k"}, "thumbs.E011", "[0].key"),
        ({"dialect": "imagor", "sources": {"": "photos"}, "signer": "md5"}, "thumbs.E003", "[0].signer"),
    ],
)
def test_a_mistake_has_its_place(dialect: dict[str, Any], code: str, place: str) -> None:
    assert (code, f"dialects{place}") in _problems(dialect)
    assert not _loaded(dialect).dialects


@pytest.mark.parametrize(
    ("dialect", "hint"),
    [
        (THUMBOR | {"dialect": "thumbr"}, "thumbor"),
        (THUMBOR | {"sorces": {"": "photos"}}, "sources"),
        (THUMBOR | {"sources": {"": "fotos"}}, "photos"),
        (THUMBOR | {"format": "wepb"}, "webp"),
    ],
)
def test_a_misspelled_name_gets_the_nearest_as_a_hint(dialect: dict[str, Any], hint: str) -> None:
    assert f"Did you mean '{hint}'?" in [problem.hint for problem in _loaded(dialect).problems]


def test_two_dialects_on_one_path_are_an_error() -> None:
    assert _problems(THUMBOR, IMGPROXY | {"path": "/t/"}) == [("thumbs.E035", "dialects[/t/].path")]


@pytest.mark.parametrize(
    "dialect",
    [
        THUMBOR,
        THUMBOR | {"key": "k", "unsafe": True},
        IMGPROXY | {"path": "/t/", "sources": {"": "photos"}},
        {"dialect": "ipx", "path": "/t/", "sources": {"": "photos"}},
    ],
)
def test_an_unsigned_dialect_reaches_no_storage_that_has_a_secret(dialect: dict[str, Any]) -> None:
    found = _problems(dialect, signature_secret_key="a long secret")
    assert found == [("thumbs.E036", "dialects[/t/].sources[]")]


def test_a_signature_of_no_characters_stands_in_for_no_secret() -> None:
    loaded = _loaded(MAGE | {"signature_start": 64}, signature_secret_key="a long secret")
    assert [problem.id for problem in loaded.problems] == ["thumbs.E008"]
    assert not loaded.dialects


@pytest.mark.parametrize("dialect", [THUMBOR | {"key": "k"}, SIGNED])
def test_a_signed_dialect_reaches_a_storage_that_has_a_secret(dialect: dict[str, Any]) -> None:
    assert _problems(dialect, signature_secret_key="a long secret") == []


def test_no_text_of_a_configuration_shows_keys_and_salts() -> None:
    loaded = _loaded(IMGPROXY | {"key": "feedfacefeedface", "salt": "deadbeefdeadbeef"})
    assert "feedface" not in repr(loaded)
    assert "deadbeef" not in repr(loaded)


@pytest.mark.parametrize(
    ("thumbs", "may"),
    [({}, False), ({"STORAGES": []}, False), ({"dialects": []}, True), ({"STORAGES_FILE": "x"}, True), (None, False)],
)
def test_a_site_without_dialects_is_known_without_reading_anything(thumbs: object, *, may: bool) -> None:
    assert may_have_dialects(thumbs) is may
