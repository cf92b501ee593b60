"""The storage's fallback: a picture with status 404 where an original is missing."""

from collections.abc import Callable

import pytest

from tests.support.fake_pipeline import Ask, FakeServer, cached, header, request
from thumbs.errors import SourceBroken, SourceDenied, SourceMissing, StorageFailed, StorageTimeout
from thumbs.sources.source import Original

Open = Callable[..., FakeServer]


@pytest.fixture
def server(open_server: Open) -> FakeServer:
    server = open_server(policy={"fallback": "none.png"})
    server.source.put("none.png", b"nothing here")
    return server


MISSING = "40x30/missing.jpg"


def test_a_missing_original_is_shown_as_the_fallback_and_is_still_missing(server: FakeServer, ask: Ask) -> None:
    for x_cache in ("MISS", "HIT", "HIT"):
        answer = ask(server, request(MISSING))
        assert cached(answer) == (404, x_cache)
        assert answer.body == b"nothing here 40x30 None"
        assert header(answer, "Content-Type") == "image/jpeg"
        assert header(answer, "Content-Length") == str(len(answer.body))
        assert header(answer, "Cache-Control") == "public, max-age=60"
        assert header(answer, "ETag") is None
        assert header(answer, "Last-Modified") is None
    assert server.source.read_paths == ["missing.jpg", "none.png"]


def test_head_has_the_headers_alone(server: FakeServer, ask: Ask) -> None:
    ask(server, request(MISSING))
    answer = ask(server, request(MISSING, method="HEAD"))
    assert (answer.status, answer.body, header(answer, "Content-Length")) == (404, b"", "23")


@pytest.mark.parametrize("fields", [{"if_none_match": "*"}, {"if_none_match": '"a"'}, {"if_modified_since": "x"}])
def test_no_condition_makes_it_a_304(server: FakeServer, ask: Ask, fields: dict[str, str]) -> None:
    ask(server, request("40x30/none.png"))
    assert ask(server, request(MISSING, **fields)).status == 404
    assert ask(server, request(MISSING, **fields)).status == 404


def test_an_original_that_comes_is_shown_at_once(server: FakeServer, ask: Ask) -> None:
    assert ask(server, request(MISSING)).status == 404
    server.source.put("missing.jpg", b"there")
    server.clock.now += 6
    answer = ask(server, request(MISSING))
    assert (answer.status, answer.body) == (200, b"there 40x30 None")


def test_the_fallback_itself_is_an_ordinary_original(server: FakeServer, ask: Ask) -> None:
    answer = ask(server, request("40x30/none.png"))
    assert answer.status == 200
    assert header(answer, "ETag") is not None
    assert header(answer, "Cache-Control") == "public, max-age=86400"


def test_a_version_in_the_url_keeps_it_no_longer(server: FakeServer, ask: Ask) -> None:
    answer = ask(server, request("40x30/filters:version(2)/missing.jpg"))
    assert (answer.status, header(answer, "Cache-Control")) == (404, "public, max-age=60")


def test_an_expiry_shortens_its_time(server: FakeServer, ask: Ask) -> None:
    expires = int(server.clock.now) + 20
    answer = ask(server, request(f"40x30/filters:expires({expires})/missing.jpg"))
    assert (answer.status, header(answer, "Cache-Control")) == (404, "public, max-age=20")


def test_a_storage_that_must_not_be_kept_keeps_no_fallback_either(open_server: Open, ask: Ask) -> None:
    server = open_server(policy={"fallback": "none.png", "cache_control": "no-store"})
    server.source.put("none.png", b"nothing here")
    assert header(ask(server, request(MISSING)), "Cache-Control") == "no-store"


@pytest.mark.parametrize("failure", [StorageFailed, StorageTimeout, SourceBroken])
def test_only_a_missing_original_is_replaced(
    server: FakeServer, ask: Ask, failure: type[StorageFailed | StorageTimeout | SourceBroken]
) -> None:
    server.source.failure = failure()
    answer = ask(server, request(MISSING))
    assert (answer.status, header(answer, "Content-Type")) == (failure.status, "application/problem+json")


def test_without_the_fallback_the_missing_original_is_a_plain_404(open_server: Open, ask: Ask) -> None:
    server = open_server(policy={"fallback": "none.png"})
    for _ in range(2):
        answer = ask(server, request(MISSING))
        assert (answer.status, header(answer, "Content-Type")) == (404, "application/problem+json")
    assert server.source.read_paths == ["missing.jpg", "none.png"]


def test_a_broken_fallback_leaves_the_404(server: FakeServer, ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    server.renderer.failure = SourceBroken()
    answer = ask(server, request(MISSING))
    assert (answer.status, header(answer, "Content-Type")) == (404, "application/problem+json")
    assert "its fallback cannot be shown" in caplog.text


def test_a_stale_copy_stays_where_the_original_is_only_withheld(open_server: Open, ask: Ask) -> None:
    server = open_server(stale=600)
    made = ask(server, request())
    server.clock.now += 301
    server.source.failure = SourceDenied()
    assert ask(server, request()).body == made.body
    server.settle()
    assert server.source.asked_versions == ["a.jpg"]
    assert cached(ask(server, request())) == (200, "STALE")
    server.clock.now += 6
    server.source.failure = SourceMissing()
    assert ask(server, request()).body == made.body
    server.settle()
    assert ask(server, request()).status == 404


def test_a_failure_stands_for_as_long_as_it_says(server: FakeServer, ask: Ask) -> None:
    failure = StorageFailed()
    failure.remembered = 30.0
    server.source.failure = failure
    assert ask(server, request("40x30/b.jpg")).status == 502
    server.source.failure = None
    server.source.put("b.jpg", b"there")
    server.clock.now += 29
    assert ask(server, request("50x30/b.jpg")).status == 502
    server.clock.now += 2
    assert ask(server, request("50x30/b.jpg")).status == 200


def test_a_denied_original_is_shown_as_the_fallback_and_is_logged_and_counted(
    server: FakeServer, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    read = server.source.read
    server.source.read = lambda path: _denied() if path == "secret.jpg" else read(path)  # type: ignore[method-assign]
    answer = ask(server, request("40x30/secret.jpg"))
    assert (answer.status, answer.body) == (404, b"nothing here 40x30 None")
    assert "code storage-denied" in caplog.text
    assert server.observer.failures == [("photos", "storage-denied")]


def test_data_about_a_missing_original_are_a_plain_404(open_server: Open, ask: Ask) -> None:
    server = open_server(policy={"fallback": "none.png", "formats": frozenset({"jpeg", "json"})})
    server.source.put("none.png", b"nothing here")
    for _ in range(2):
        answer = ask(server, request("40x30/filters:format(json)/missing.jpg"))
        assert (answer.status, header(answer, "Content-Type")) == (404, "application/problem+json")
    assert server.source.read_paths == ["missing.jpg"]


def _denied() -> Original:
    raise SourceDenied
