"""Originals that a storage denies, and storages that deny everything: copies stay, failures are counted and logged."""

import logging
from collections.abc import Callable

import pytest

from tests.support.fake_pipeline import Ask, FakeServer, cached, header, request
from thumbs.errors import SourceDenied, StorageDenied, StorageFailed, ThumbError

Open = Callable[..., FakeServer]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(SourceDenied(), 404, "source-missing"), (StorageDenied(), 502, "storage-failed")],
)
def test_a_client_gets_404_for_a_denied_original_and_502_for_a_denied_storage(
    open_server: Open, ask: Ask, error: ThumbError, status: int, code: str
) -> None:
    server = open_server()
    server.source.failure = error
    answer = ask(server, request())
    assert (answer.status, f'"code": "{code}"'.encode() in answer.body) == (status, True)
    assert server.observer.failures == [("photos", "storage-denied")]


@pytest.mark.parametrize("error", [SourceDenied(), StorageDenied(), StorageFailed()])
def test_a_stale_copy_stays_when_its_renewal_is_denied(
    open_server: Open, caplog: pytest.LogCaptureFixture, error: ThumbError
) -> None:
    server = open_server(stale=3600)
    assert server.thumbnailer.answer(request()).status == 200
    server.clock.now += 301
    server.source.failure = error

    with caplog.at_level(logging.WARNING, "thumbs"):
        for number in range(1, 4):
            assert cached(server.thumbnailer.answer(request())) == (200, "STALE")
            server.settle()
            assert len(server.observer.failures) == number
            server.clock.now += 6  # a renewal that failed is tried again after five seconds
    assert set(server.observer.failures) == {("photos", error.logged_code)}
    assert "a stale thumbnail is not renewed" in caplog.text
    assert "key a.jpg" in caplog.text


def test_a_denied_original_is_remembered_for_one_size_as_layers_may_have_others(open_server: Open) -> None:
    server = open_server(stale=3600)
    server.source.failure = SourceDenied()
    assert server.thumbnailer.answer(request("10x10/a.jpg")).status == 404
    assert [server.thumbnailer.answer(request("10x10/a.jpg")).status for _ in range(3)] == [404] * 3
    assert server.source.read_paths == ["a.jpg"]
    server.source.failure = None
    assert server.thumbnailer.answer(request("20x20/a.jpg")).status == 200


def test_a_stale_answer_may_be_kept_for_a_minute_at_most(open_server: Open, ask: Ask) -> None:
    server = open_server(stale=3600)
    fresh = ask(server, request())
    server.clock.now += 301
    server.source.failure = StorageFailed()
    stale = ask(server, request())
    assert (cached(fresh)[1], cached(stale)[1]) == ("MISS", "STALE")
    assert header(fresh, "Cache-Control") == "public, max-age=86400"
    assert header(stale, "Cache-Control") == "public, max-age=60"


def test_a_stale_answer_of_a_versioned_url_stays_immutable(open_server: Open) -> None:
    server = open_server(stale=3600)
    target = "40x30/filters:version(7)/a.jpg"
    server.thumbnailer.answer(request(target))
    server.clock.now += 301
    server.source.failure = StorageFailed()
    stale = server.thumbnailer.answer(request(target))
    assert (cached(stale)[1], header(stale, "Cache-Control")) == ("STALE", "public, max-age=31536000, immutable")
