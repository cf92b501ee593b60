"""What cannot be answered is a problem with a status, and nothing is read for a request without a valid signature."""

import json
from collections.abc import Callable

import pytest

from tests.support.fake_pipeline import (
    Ask,
    FakeServer,
    cached,
    header,
    request,
)
from tests.support.untouchable import Untouchable
from thumbs.http.messages import Request
from thumbs.request.signing import Signer


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        (request("40x30/none.jpg"), 404, "source-missing"),
        (request("40x30/../a.jpg"), 400, "bad-path"),
        (request("040x30/a.jpg"), 400, "bad-size"),
        (request("40x30/f:nonsense/a.jpg"), 400, "bad-filter"),
        (request("9999x/a.jpg"), 400, "size-over-limit"),
        (request("abc/40x30/a.jpg"), 403, "signature-unexpected"),
        (Request("GET", b"/other/thumbs/x/a", 17), 404, "storage-unknown"),
        (Request("GET", b"/photos/thumbs/x/\xff", 17), 400, "bad-path"),
        (request()._replace(target_length=2049), 414, "target-too-long"),
        (request("40x30/f:expires(1699999999)/a.jpg"), 410, "expired"),
        (request("40x30/f:expires(1700000000)/a.jpg"), 410, "expired"),
        (request(method="POST"), 405, "method-not-allowed"),
        (request(method="OPTIONS"), 405, "method-not-allowed"),
        (request("40x30/none.jpg", method="HEAD"), 404, None),
    ],
)
def test_a_request_that_cannot_be_answered_is_a_problem(
    open_server: Callable[..., FakeServer], ask: Ask, asked: Request, status: int, code: str | None
) -> None:
    answer = ask(open_server(), asked)
    assert answer.status == status
    assert header(answer, "Content-Type") == "application/problem+json"
    assert header(answer, "Cache-Control") == "no-store"
    assert (json.loads(answer.body)["code"] if answer.body else None) == code
    assert header(answer, "X-Cache") is None


def test_a_url_at_the_limit_of_its_length_is_answered(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    assert ask(open_server(), request()._replace(target_length=2048)).status == 200


def test_a_url_expires_although_its_thumbnail_is_cached(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    server = open_server()
    asked = request("40x30/f:expires(1700000010)/a.jpg")
    assert [cached(ask(server, asked)) for _ in range(2)] == [(200, "MISS"), (200, "HIT")]
    server.clock.now += 10
    assert ask(server, asked).status == 410
    assert cached(ask(server, request())) == (200, "HIT")


def test_no_cache_may_keep_a_thumbnail_for_longer_than_its_url_is_valid(
    open_server: Callable[..., FakeServer], ask: Ask
) -> None:
    server = open_server()
    soon, late = ("40x30/f:expires(1700000010)/a.jpg", "40x30/f:expires(1800000000)/a.jpg")
    for _ in range(2):
        assert header(ask(server, request(soon)), "Cache-Control") == "public, max-age=10"
        assert header(ask(server, request(late)), "Cache-Control") == "public, max-age=86400"
        server.clock.now += 3
        assert header(ask(server, request(soon)), "Cache-Control") == "public, max-age=7"
        server.clock.now -= 3
    versioned = request("40x30/f:v(1);expires(1700000010)/a.jpg")
    assert header(ask(server, versioned), "Cache-Control") == "public, max-age=10"


def test_a_signature_is_verified_before_any_cache_or_source_is_touched(
    open_server: Callable[..., FakeServer], ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    server = open_server(signer=Signer((b"secret",)), cache=[Untouchable()])
    for target in ("40x30/a.jpg", "AAAAAAAAAAAAAAAAAAAAAA/40x30/a.jpg", "x/a.jpg"):
        assert ask(server, request(target)).status == 403
    assert (server.source.read_paths, server.source.asked_versions) == ([], [])
    assert caplog.records == []
    assert server.layers.failing == ()


def test_a_hit_is_no_hit_without_its_signature(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    signer = Signer((b"secret",))
    server = open_server(signer=signer)
    signed = request(f"{signer.sign('/photos/thumbs/40x30/a.jpg')}/40x30/a.jpg")
    assert [cached(ask(server, signed)) for _ in range(2)] == [(200, "MISS"), (200, "HIT")]
    assert ask(server, request()).status == 403
