"""Versions of originals, and the one conditional request that asks whether one is current."""

import math
from collections.abc import Iterator

import pytest

from tests.support.origins import LOOPBACK, Origin, response, running_origin, source_of
from thumbs.errors import StorageFailed
from thumbs.sources.http.settings import HttpSettings
from thumbs.sources.http.source import HttpSource
from thumbs.sources.source import Original, Unchanged, Version

DATA = b"picture"
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
NOT_MODIFIED = b"HTTP/1.1 304 Not Modified\r\n%b\r\n"


@pytest.fixture
def origin() -> Iterator[Origin]:
    with running_origin() as origin:
        yield origin


def _source(origin: Origin, **keys: object) -> HttpSource:
    base = f"http://127.0.0.1:{origin.port}/"
    return source_of(HttpSettings(base_url=base, allowed_networks=LOOPBACK, **keys))  # type: ignore[arg-type]


def _conditions(origin: Origin) -> list[dict[str, str]]:
    return [{name: value for name, value in each.fields.items() if name.startswith("if-")} for each in origin.requests]


@pytest.mark.parametrize(
    ("fields", "token", "modified"),
    [
        ({"ETag": '"a"'}, '"a"', None),
        ({"ETag": 'W/"a"'}, 'W/"a"', None),
        ({"ETag": '"a"', "Last_Modified": DATE}, '"a"', 784111777),
        ({"Last_Modified": DATE}, f"modified:{DATE}:7", 784111777),
        ({"Last_Modified": "yesterday"}, "modified:yesterday:7", None),
        ({"ETag": "a"}, "digest:", None),
        ({"ETag": '"a" "b"'}, "digest:", None),
        ({"ETag": '"\xe4"'}, "digest:", None),
        ({}, "digest:", None),
    ],
)
def test_a_version_is_that_of_the_strongest_validator(
    fields: dict[str, str], token: str, modified: int | None, origin: Origin
) -> None:
    origin.answers["/a"] = response(DATA, **fields)
    source = _source(origin)
    version = source.read("a").version
    assert version == source.version("a")
    assert version.token is not None
    assert version.token == token or (token == "digest:" and version.token.startswith(token))
    assert version.modified == modified


def test_a_version_differs_when_the_bytes_do(origin: Origin) -> None:
    for fields in ({"Last_Modified": DATE}, {}):
        source = _source(origin)
        origin.answers["/a"] = response(DATA, **fields)
        before = source.version("a")
        origin.answers["/a"] = response(DATA + b"!", **fields)
        assert source.version("a") != before
        changed = source.read_if_changed("a", before)
        assert isinstance(changed, Original)
        assert changed.data == DATA + b"!"


@pytest.mark.parametrize(
    ("token", "condition"),
    [
        ('"a"', {"if-none-match": '"a"'}),
        ('W/"a"', {"if-none-match": 'W/"a"'}),
        (f"modified:{DATE}:7", {"if-modified-since": DATE}),
    ],
)
def test_an_original_that_is_current_costs_one_conditional_request(
    token: str, condition: dict[str, str], origin: Origin
) -> None:
    origin.answers["/a"] = NOT_MODIFIED % b""
    assert _source(origin).read_if_changed("a", Version(token, None)) == Unchanged()
    assert _conditions(origin) == [condition]


def test_a_304_may_say_the_tag_again_weakly(origin: Origin) -> None:
    origin.answers["/a"] = NOT_MODIFIED % b'ETag: W/"a"\r\n'
    assert _source(origin).read_if_changed("a", Version('"a"', None)) == Unchanged()
    assert len(origin.requests) == 1


def test_a_304_about_another_version_is_asked_again_without_a_condition(origin: Origin) -> None:
    def answer(connection: object, request: object) -> bool:
        conditional = "if-none-match" in request.fields  # type: ignore[attr-defined]
        connection.sendall(NOT_MODIFIED % b'ETag: "b"\r\n' if conditional else response(DATA, ETag='"b"'))  # type: ignore[attr-defined]
        return True

    origin.answers["/a"] = answer
    changed = _source(origin).read_if_changed("a", Version('"a"', None))
    assert isinstance(changed, Original)
    assert changed.data == DATA
    assert _conditions(origin) == [{"if-none-match": '"a"'}, {}]


def test_a_304_that_was_not_asked_for_is_asked_again_once(origin: Origin) -> None:
    origin.answers["/a"] = NOT_MODIFIED % b""
    with pytest.raises(StorageFailed):
        _source(origin).read("a")
    assert _conditions(origin) == [{}, {}]


def test_without_a_validator_the_digest_of_the_bytes_decides(origin: Origin) -> None:
    origin.answers["/a"] = response(DATA)
    source = _source(origin)
    version = source.read("a").version
    assert source.read_if_changed("a", version) == Unchanged()
    assert _conditions(origin) == [{}, {}]


def test_an_origin_may_answer_a_condition_with_the_same_version_again(origin: Origin) -> None:
    origin.answers["/a"] = response(DATA, ETag='"a"')
    assert _source(origin).read_if_changed("a", Version('"a"', None)) == Unchanged()


def test_revalidation_can_be_turned_off(origin: Origin) -> None:
    origin.answers["/a"] = response(DATA, ETag='"a"')
    assert _source(origin, revalidate=False).read_if_changed("a", Version('"a"', None)) == Unchanged()
    assert _conditions(origin) == [{}]


@pytest.mark.parametrize(
    ("value", "lifetime"),
    [
        *(("max-age=60", 60.0), ("public, max-age=60", 60.0), ("max-age=60, s-maxage=30", 30.0), ("max-age=0", 1.0)),
        *(('max-age="60"', 60.0), ("MAX-AGE=60", 60.0), ("x-max-age=60", None), ("max-age=x", None), ("", None)),
        *(("no-store", 0.0), ("private, max-age=60", 0.0), ("no-cache, no-store", 0.0), ("public", None)),
    ],
)
def test_what_an_origin_says_of_caches_counts_where_it_is_asked_for(
    value: str, lifetime: float | None, origin: Origin
) -> None:
    origin.answers["/a"] = response(DATA, Cache_Control=value)
    assert _source(origin, origin_cache_control=True).read("a").lifetime == lifetime
    assert _source(origin).read("a").lifetime is None


@pytest.mark.parametrize(
    ("value", "lifetime"), [("private, no-store", 0.0), ("max-age=60", 60.0), ("public", math.inf), (None, None)]
)
def test_a_304_says_anew_for_how_long_an_original_may_be_kept(
    value: str | None, lifetime: float | None, origin: Origin
) -> None:
    origin.answers["/a"] = NOT_MODIFIED % (b"" if value is None else b"Cache-Control: %b\r\n" % value.encode())
    known = Version('"a"', None)
    assert _source(origin, origin_cache_control=True).read_if_changed("a", known) == Unchanged(lifetime)
    assert _source(origin).read_if_changed("a", known) == Unchanged()


@pytest.mark.parametrize(
    ("fields", "lifetime"),
    [({"Cache_Control": "no-store"}, 0.0), ({"Cache_Control": "max-age=60"}, 60.0), ({}, math.inf)],
)
def test_so_does_the_same_version_where_no_condition_is_sent(
    fields: dict[str, str], lifetime: float, origin: Origin
) -> None:
    origin.answers["/a"] = response(DATA, ETag='"a"', **fields)
    source = _source(origin, origin_cache_control=True, revalidate=False)
    assert source.read_if_changed("a", Version('"a"', None)) == Unchanged(lifetime)
