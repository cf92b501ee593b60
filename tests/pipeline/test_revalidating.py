"""Sources that ask and read by one request, and origins that say for how long an original may be kept."""

import math
from collections.abc import Callable

import pytest

from tests.support.fake_pipeline import Ask, FakeServer, FakeSource, cached, header, request
from tests.support.waiting import eventually
from thumbs.errors import SourceMissing
from thumbs.sources.source import Original, Unchanged, Version

Open = Callable[..., FakeServer]


class OneRequestSource(FakeSource):
    """Records the tokens that it was asked about. `lifetime` is that of every original, `new_lifetime` if unchanged."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_tokens: list[str | None] = []
        self.lifetime: float | None = None
        self.new_lifetime: float | None = None

    def read(self, path: str) -> Original:
        found = super().read(path)
        return Original(found.data, found.version, self.lifetime)

    def read_if_changed(self, path: str, version: Version) -> Original | Unchanged:
        self.asked_tokens.append(version.token)
        found = self._found(path)
        if found.version.token == version.token:
            return Unchanged(self.new_lifetime)
        return Original(found.data, found.version, self.lifetime)


@pytest.fixture(params=[False, True], ids=["without sources", "with sources"])
def server(request: pytest.FixtureRequest, open_server: Open) -> FakeServer:
    return open_server(source=OneRequestSource(), stale=600, keeps_sources=request.param, has_lifetimes=True)


def _source(server: FakeServer) -> OneRequestSource:
    assert isinstance(server.source, OneRequestSource)
    return server.source


def test_a_current_original_is_asked_about_once_and_not_read(server: FakeServer, ask: Ask) -> None:
    made = ask(server, request())
    server.clock.now += 301
    assert cached(ask(server, request())) == (200, "STALE")
    server.settle()
    assert cached(ask(server, request())) == (200, "HIT")
    assert ask(server, request()).body == made.body
    source = _source(server)
    assert (source.asked_tokens, source.read_paths, source.asked_versions) == (["v1"], ["a.jpg"], [])


def test_a_changed_original_comes_with_the_answer_to_the_question(server: FakeServer, ask: Ask) -> None:
    ask(server, request())
    server.clock.now += 301
    server.source.put("a.jpg", b"dog", "v2")
    assert cached(ask(server, request())) == (200, "STALE")
    server.settle()
    assert ask(server, request()).body.startswith(b"dog")
    source = _source(server)
    assert (source.asked_tokens, source.read_paths, source.asked_versions) == (["v1"], ["a.jpg"], [])
    server.renderer.rendered.clear()
    assert ask(server, request("50x30/a.jpg")).body.startswith(b"dog")
    assert source.read_paths == (["a.jpg"] if server.keeps_sources else ["a.jpg", "a.jpg"])


def test_an_original_that_has_gone_ends_its_thumbnails(server: FakeServer, ask: Ask) -> None:
    ask(server, request())
    server.clock.now += 301
    server.source.failure = SourceMissing()
    assert cached(ask(server, request())) == (200, "STALE")
    eventually(lambda: ask(server, request()).status == 404)


def test_an_original_that_must_not_be_kept_is_in_no_layer(server: FakeServer, ask: Ask) -> None:
    _source(server).lifetime = 0.0
    for count in (1, 2):
        answer = ask(server, request())
        assert (answer.status, header(answer, "Cache-Control"), header(answer, "ETag")) == (200, "no-store", None)
        assert len(server.source.read_paths) == count


def test_an_original_that_must_not_be_kept_any_more_is_read_once_for_each_answer(server: FakeServer, ask: Ask) -> None:
    ask(server, request())
    server.clock.now += 301
    server.source.put("a.jpg", b"dog", "v2")
    _source(server).lifetime = 0.0
    assert cached(ask(server, request())) == (200, "STALE")  # and the answer to its question is the changed original
    server.settle()
    assert _source(server).asked_tokens == ["v1"]
    assert ask(server, request()).body.startswith(b"dog")
    before = len(server.source.read_paths)
    for count in (1, 2):
        answer = ask(server, request())
        assert (answer.body[:3], header(answer, "Cache-Control")) == (b"dog", "no-store")
        assert len(server.source.read_paths) == before + count


@pytest.mark.parametrize("reduction", [b"", b"kitten"])
@pytest.mark.parametrize("width", [40, 600])
def test_an_original_that_must_not_be_kept_has_no_proxy(
    reduction: bytes, width: int, server: FakeServer, ask: Ask
) -> None:
    _source(server).lifetime = 0.0
    server.renderer.reduction = reduction
    assert ask(server, request(f"{width}x/a.jpg")).body.startswith(b"cat")
    assert (server.source.read_paths, server.renderer.proxy) == (["a.jpg"], [])


def test_an_origin_shortens_the_time_of_an_entry_and_of_its_next_one(server: FakeServer, ask: Ask) -> None:
    _source(server).lifetime = 60.0
    ask(server, request())
    for _ in range(2):
        server.clock.now += 59
        assert cached(ask(server, request())) == (200, "HIT")
        server.clock.now += 2
        assert cached(ask(server, request())) == (200, "STALE")
        eventually(lambda: cached(ask(server, request())) == (200, "HIT"))


def test_an_origin_does_not_lengthen_it(server: FakeServer, ask: Ask) -> None:
    _source(server).lifetime = 100_000.0
    ask(server, request())
    server.clock.now += 301
    assert cached(ask(server, request())) == (200, "STALE")


def test_an_unchanged_original_that_must_not_be_kept_any_more_is_in_no_layer(server: FakeServer, ask: Ask) -> None:
    ask(server, request())
    server.clock.now += 301
    _source(server).lifetime = _source(server).new_lifetime = 0.0
    assert cached(ask(server, request())) == (200, "STALE")
    server.settle()
    assert _source(server).asked_tokens == ["v1"]
    assert not server.layers.holds_entries()
    for count in (1, 2):
        answer = ask(server, request())
        assert (answer.body[:3], header(answer, "Cache-Control")) == (b"cat", "no-store")
        assert len(server.source.read_paths) == 1 + count


@pytest.mark.parametrize(("lifetime", "seconds"), [(60.0, 60), (200.0, 200), (math.inf, 300), (1000.0, 300)])
def test_an_unchanged_original_is_kept_as_its_origin_says_now(
    lifetime: float, seconds: int, server: FakeServer, ask: Ask
) -> None:
    _source(server).lifetime, _source(server).new_lifetime = 100.0, lifetime
    ask(server, request())
    server.clock.now += 101
    assert cached(ask(server, request())) == (200, "STALE")
    server.settle()
    server.clock.now += seconds - 1
    assert cached(ask(server, request())) == (200, "HIT")
    server.clock.now += 2
    assert cached(ask(server, request())) == (200, "STALE")
