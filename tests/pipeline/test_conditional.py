"""304 stands for a 200 only (RFC 9110, 13.2.1): what could not be made is never answered with 304."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.clock import NOW, Clock
from tests.support.fake_pipeline import Ask, FakeServer, cached, header, request
from thumbs.cache.adapters import DiskLayer
from thumbs.cache.filestore.store import FileStore
from thumbs.cache.layer import Layer
from thumbs.errors import (
    Overloaded,
    RenderFailed,
    SourceBroken,
    SourceMissing,
    SourceOverLimit,
    SourceTooLarge,
    SourceUnsupported,
    StorageFailed,
    ThumbError,
)
from thumbs.http.messages import http_date
from thumbs.pipeline.entries import etag_of

LATER = http_date(int(NOW) + 10**9).decode()
LATER_RFC850 = "Friday, 31-Dec-60 23:59:59 GMT"
ANY: list[dict[str, str]] = [
    {"if_none_match": "*"},
    {"if_modified_since": LATER},
    {"if_modified_since": LATER_RFC850},
]
BAD = [SourceUnsupported, SourceBroken, SourceOverLimit, SourceTooLarge, SourceMissing, RenderFailed, Overloaded]


def tag_of(server: FakeServer) -> str:
    """The tag that a picture of `a.jpg` in its present version would have."""
    made = server.thumbnailer.answer(request())
    assert made.status == 200
    return header(made, "ETag") or ""


# ------------------------------------------------------------------------------- what cannot be made


@pytest.mark.parametrize("cached_storage", [True, False])
@pytest.mark.parametrize("condition", ANY)
@pytest.mark.parametrize("error", BAD)
def test_what_cannot_be_made_is_refused_whatever_any_copy_or_date_says(
    open_server: Callable[..., FakeServer],
    ask: Ask,
    error: type[ThumbError],
    condition: dict[str, str],
    cached_storage: bool,
) -> None:
    server = open_server() if cached_storage else open_server(cache=[])
    server.renderer.failure = error()
    for method in ("GET", "HEAD", "GET"):
        answer = ask(server, request(method=method, **condition))
        assert (answer.status, header(answer, "Cache-Control")) == (error.status, "no-store")
        assert header(answer, "ETag") is None


def test_a_tag_that_was_given_is_good_without_any_read(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    tag = tag_of(open_server())
    layers: list[dict[str, list[Layer]]] = [{}, {"cache": []}]  # with a cache, and without
    for fields in layers:
        for listed in (tag, f"W/{tag}", f'"a,b", {tag}', f'"x",,W/{tag} ,"y"'):
            server = open_server(**fields)
            answer = ask(server, request(if_none_match=listed, if_modified_since="nonsense"))
            assert (cached(answer), header(answer, "ETag"), answer.body) == ((304, "MISS"), tag, b"")
            assert (server.renderer.rendered, server.source.read_paths) == ([], [])


@pytest.mark.parametrize("listed", ["{}x", "{} {}", '"a {}', "*, {}", "w/{}", '"a"; {}', '{}, "'])
def test_a_list_that_is_none_matches_nothing(open_server: Callable[..., FakeServer], ask: Ask, listed: str) -> None:
    tag = tag_of(open_server())
    server = open_server()
    for x_cache in ("MISS", "HIT"):
        field = listed.format(tag, tag)
        answer = ask(server, request(if_none_match=field, if_modified_since=LATER))
        assert (cached(answer), bool(answer.body)) == ((200, x_cache), True)
    assert server.source.asked_versions == []  # nothing to compare a version with


@pytest.mark.parametrize("condition", ANY)
def test_any_copy_and_a_date_are_judged_by_the_picture_once_it_is_made(
    open_server: Callable[..., FakeServer], ask: Ask, condition: dict[str, str]
) -> None:
    server = open_server()
    first, second = (ask(server, request(**condition)) for _ in range(2))
    assert [cached(first), cached(second)] == [(304, "MISS"), (304, "HIT")]
    assert len(server.renderer.rendered) == 1
    assert {header(answer, "ETag") for answer in (first, second)} == {tag_of(server)}


def test_a_date_in_any_form_is_good_from_an_entry_and_earlier_ones_are_not(
    open_server: Callable[..., FakeServer], ask: Ask
) -> None:
    server = open_server()
    server.source.put("a.jpg", b"cat", modified=784111777)
    tag_of(server)
    for good in ("Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"):
        assert cached(ask(server, request(if_modified_since=good))) == (304, "HIT")
    for old in ("Sun, 06 Nov 1994 08:49:36 GMT", "Sunday, 06-Nov-94 08:49:36 GMT", "Sun Nov  6 08:49:36 1994"):
        assert cached(ask(server, request(if_modified_since=old))) == (200, "HIT")
    for none in ("Sun, 06 Nov 2094 08:49:37 +0000", "garbage", ""):
        assert cached(ask(server, request(if_modified_since=none))) == (200, "HIT")


def test_two_digits_of_a_year_are_read_by_the_clock_of_the_server(
    open_server: Callable[..., FakeServer], ask: Ask
) -> None:
    server = open_server()
    tag_of(server)
    # Both would be more than fifty years ahead, and so they are before the picture was changed.
    assert ask(server, request(if_modified_since="Friday, 31-Dec-99 23:59:59 GMT")).status == 200
    assert ask(server, request(if_modified_since="Sunday, 31-Dec-89 23:59:59 GMT")).status == 200
    assert ask(server, request(if_modified_since=LATER_RFC850)).status == 304


# --------------------------------------------------------------------------- failures that are remembered


@pytest.mark.parametrize("error", [SourceUnsupported, SourceBroken, SourceOverLimit])
def test_a_failure_that_is_remembered_wins_over_a_tag_that_matches(
    open_server: Callable[..., FakeServer], ask: Ask, error: type[ThumbError]
) -> None:
    tag = tag_of(open_server())
    server = open_server()
    server.renderer.failure = error()
    assert ask(server, request()).status == error.status
    for condition in ({"if_none_match": tag}, *ANY):
        assert ask(server, request(**condition)).status == error.status
    assert (len(server.renderer.rendered), server.source.asked_versions) == (1, [])


def test_a_missing_original_that_is_remembered_wins_for_every_size(
    open_server: Callable[..., FakeServer], ask: Ask
) -> None:
    tag = tag_of(open_server())
    server = open_server()
    del server.source.originals["a.jpg"]
    assert ask(server, request("50x/a.jpg")).status == 404
    server.source.put("a.jpg", b"cat")
    assert [ask(server, request(**condition)).status for condition in ({"if_none_match": tag}, *ANY)] == [404] * 4
    server.clock.now += 6
    assert ask(server, request(if_none_match=tag)).status == 304


# --------------------------------------------------------------------------------- entries of every age


@pytest.mark.parametrize("condition", ["tag", *ANY])
def test_a_stale_entry_may_be_answered_with_304(
    open_server: Callable[..., FakeServer], ask: Ask, condition: str | dict[str, str]
) -> None:
    server = open_server(stale=3600)
    tag = tag_of(server)
    server.clock.now += 301
    server.source.failure = StorageFailed()
    asked = request(if_none_match=tag) if isinstance(condition, str) else request(**condition)
    assert (cached(ask(server, asked)), server.renderer.rendered[1:]) == ((304, "STALE"), [])


@pytest.mark.parametrize("kept_on_disk", [True, False])
def test_an_expired_entry_of_a_source_that_broke_is_no_reason_for_304(
    open_server: Callable[..., FakeServer], ask: Ask, tmp_path: Path, kept_on_disk: bool
) -> None:
    clock = Clock()
    cache: list[Layer] = [DiskLayer(FileStore(tmp_path, max_bytes=None, clock=clock))]
    server = open_server(clock=clock, cache=cache if kept_on_disk else None)
    tag = tag_of(server)
    server.clock.now += 301
    server.source.put("a.jpg", b"broken", "v2")
    server.renderer.failure = SourceBroken()
    for condition in ({"if_none_match": tag}, *ANY):
        assert ask(server, request(**condition)).status == 422
        server.clock.now += 6  # by then the failure is forgotten


@pytest.mark.parametrize("condition", ANY)
def test_an_expired_entry_of_the_same_source_is_renewed_and_then_judged(
    open_server: Callable[..., FakeServer], ask: Ask, condition: dict[str, str]
) -> None:
    server = open_server()
    tag = tag_of(server)
    server.clock.now += 301
    answer = ask(server, request(**condition))
    assert (cached(answer), header(answer, "ETag")) == ((304, "MISS"), tag)


def test_a_changed_source_is_sent_to_a_client_with_the_old_version(
    open_server: Callable[..., FakeServer], ask: Ask
) -> None:
    old = tag_of(open_server())
    for condition in ({"if_none_match": old}, {"if_modified_since": http_date(1_600_000_000).decode()}):
        server = open_server()
        server.source.put("a.jpg", b"dog", "v2", 1_600_000_001)
        answer = ask(server, request(**condition))
        assert (cached(answer), answer.body[:3]) == ((200, "MISS"), b"dog")


@pytest.mark.parametrize("condition", ANY)
def test_a_source_without_a_version_is_rendered_before_the_condition_is_checked(
    open_server: Callable[..., FakeServer], ask: Ask, condition: dict[str, str]
) -> None:
    server = open_server(cache=[])
    server.source.put("a.jpg", b"cat", None, None)
    assert ask(server, request(if_none_match='"other"')).status == 200
    assert ask(server, request(**condition)).status == 304
    assert len(server.renderer.rendered) == 2
    tag = tag_of(server)
    assert ask(server, request(if_none_match=tag)).status == 304
    assert len(server.renderer.rendered) == 4  # made each time, because there is no version


# ------------------------------------------------------------------------------- refusals come before


@pytest.mark.parametrize(
    ("target", "method", "status"),
    [
        ("40x30/f:expires(1)/a.jpg", "GET", 410),
        ("40x30/f:nonsense(1)/a.jpg", "GET", 400),
        ("9000x/a.jpg", "GET", 400),
        ("40x30/none.jpg", "GET", 404),
        ("40x30/a.jpg", "POST", 405),
        ("40x30/a.jpg", "OPTIONS", 405),
        ("A" * 22 + "/40x30/a.jpg", "GET", 403),
    ],
)
def test_what_is_refused_for_its_url_is_so_under_every_condition(
    open_server: Callable[..., FakeServer], ask: Ask, target: str, method: str, status: int
) -> None:
    server = open_server()
    tag = tag_of(server)
    for condition in ({"if_none_match": tag}, *ANY):
        assert ask(server, request(target, method=method, **condition)).status == status


def test_the_tag_of_a_negotiated_format_is_good_for_that_format_only(
    open_server: Callable[..., FakeServer], ask: Ask
) -> None:
    auto = "40x30/f:format(auto)/a.jpg"
    tag = header(ask(open_server(), request(auto, accept="image/webp")), "ETag") or ""
    assert ask(open_server(), request(auto, accept="image/webp", if_none_match=tag)).status == 304
    other = ask(open_server(), request(auto, accept="image/avif", if_none_match=tag))
    assert (other.status, header(other, "Vary")) == (200, "Accept")
    server = open_server()
    server.renderer.failure = SourceBroken()
    assert ask(server, request(auto, accept="image/webp", if_none_match="*")).status == 422


def test_a_tag_holds_for_key_and_version_and_nothing_else(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    tag = tag_of(open_server())
    assert tag != etag_of("photos/other", "v1")
    assert ask(open_server(), request("41x30/a.jpg", if_none_match=tag)).status == 200
