"""Spans: one for each request with children for the steps of its job, by OpenTelemetry's conventions."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

from tests.support.fake_pipeline import FakeServer, ask, cached, hit_or_answer, open_server, request
from tests.support.spans import Memory
from tests.support.waiting import eventually
from thumbs.errors import StorageFailed
from thumbs.http.trace_fields import TraceFields
from thumbs.request.signing import Signer
from thumbs.sources.outgoing import OUTGOING

__all__ = ["ask", "open_server"]
Open = Callable[..., FakeServer]
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED = TraceFields(f"00-{TRACE}-{PARENT}-01", "vendor=1", "img.example.com:8443", "curl/8", "https", "1.1")


@pytest.fixture
def memory() -> Memory:
    return Memory(trusted=["10.0.0.0/8"])


@pytest.fixture
def server(open_server: Open, memory: Memory) -> FakeServer:
    return open_server(tracer=memory.tracer)


def only(memory: Memory) -> ReadableSpan:
    """The span of the one request."""
    (root,) = memory.roots()
    return root


def seen(root: ReadableSpan) -> dict[str, Any]:
    return dict(root.attributes or {})


def test_a_miss_has_children_for_queue_fetch_render_and_store(server: FakeServer, memory: Memory) -> None:
    server.thumbnailer.answer(request())
    children = memory.children(only(memory))
    assert [name for name in children if name != "queue"] == ["lookup", "fetch", "render", "store"]
    assert children[children.index("fetch") - 1] == children[children.index("render") - 1] == "queue"


def test_a_hit_is_one_span_without_children(server: FakeServer, memory: Memory, ask: Callable[..., Any]) -> None:
    server.thumbnailer.answer(request())
    memory.clear()
    assert cached(ask(server, request())) == (200, "HIT")
    assert len(memory.kept) == 1
    assert seen(only(memory))["mage.layer"] == "memory"


@pytest.mark.parametrize("target", ["40x30/a.jpg", "40x30/gone.jpg", "40x30/filters:bad(1)/a.jpg"])
def test_every_request_has_one_span_whatever_comes_of_it(
    server: FakeServer, memory: Memory, ask: Callable[..., Any], target: str
) -> None:
    for count in (1, 2):
        answer = ask(server, request(target))
        assert len(memory.roots()) == count
        assert seen(memory.roots()[-1])["http.response.status_code"] == answer.status


def test_attributes_are_those_of_the_conventions_for_http_servers(server: FakeServer, memory: Memory) -> None:
    asked = request("40x30/filters:format(webp)/a.jpg", peer="10.0.0.9", forwarded_for="192.0.2.7")
    server.thumbnailer.answer(asked, None, SAMPLED)
    root = only(memory)
    assert (root.name, root.kind) == ("GET /{storage}/thumbs/{thumbnail}", SpanKind.SERVER)
    assert root.status.status_code is StatusCode.UNSET
    assert seen(root) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": "/{storage}/thumbs/{thumbnail}",
        "url.scheme": "https",
        "url.path": "/photos/thumbs/",
        "server.address": "img.example.com",
        "server.port": 8443,
        "client.address": "192.0.2.7",
        "network.peer.address": "10.0.0.9",
        "network.protocol.version": "1.1",
        "user_agent.original": "curl/8",
        "mage.storage": "photos",
        "mage.key": "a.jpg",
        "mage.size": "40x30",
        "mage.format": "webp",
        "mage.layer": "source",
    }


def test_a_span_belongs_to_the_trace_of_its_caller(server: FakeServer, memory: Memory, ask: Callable[..., Any]) -> None:
    server.thumbnailer.answer(request(), None, SAMPLED)
    server.thumbnailer.hit(request(), SAMPLED)
    for root in memory.roots():
        assert root.parent is not None
        assert f"{root.context.trace_id:032x}" == TRACE
        assert f"{root.parent.span_id:016x}" == PARENT
        assert root.context.trace_state["vendor"] == "1"
    assert {span.context.trace_id for span in memory.kept} == {int(TRACE, 16)}


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "garbage",
        f"00-{'0' * 32}-{PARENT}-01",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01,00-{TRACE}-{PARENT}-01",
    ],
)
def test_without_a_valid_parent_a_trace_begins(server: FakeServer, memory: Memory, traceparent: str) -> None:
    server.thumbnailer.answer(request(), None, TraceFields(traceparent))
    root = only(memory)
    assert root.parent is None
    assert f"{root.context.trace_id:032x}" != TRACE


def test_what_its_caller_does_not_sample_is_not_sampled_and_passed_on_as_such(
    server: FakeServer, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = recorded(server, monkeypatch)
    server.thumbnailer.answer(request(), None, TraceFields(f"00-{TRACE}-{PARENT}-00"))
    assert memory.kept == ()
    assert sent[0]["traceparent"].startswith(f"00-{TRACE}-")
    assert sent[0]["traceparent"].endswith("-00")


def test_a_fetch_sends_its_own_span_as_the_parent(
    server: FakeServer, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = recorded(server, monkeypatch)
    server.thumbnailer.answer(request(), None, SAMPLED)
    fetch = next(span for span in memory.kept if span.name == "fetch")
    assert sent == [{"traceparent": f"00-{TRACE}-{fetch.context.span_id:016x}-01", "tracestate": "vendor=1"}]
    assert dict(OUTGOING.get()) == {}


def recorded(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """What each read of an original would send."""
    sent: list[dict[str, str]] = []
    read = server.source.read

    def reading(key: str) -> Any:
        sent.append(dict(OUTGOING.get()))
        return read(key)

    monkeypatch.setattr(server.source, "read", reading)
    return sent


SIGNATURE = "never-in-a-trace"


@pytest.mark.parametrize(
    "path",
    [
        f"/photos/thumbs/{SIGNATURE}/40x30/a.jpg",
        f"/{SIGNATURE}/thumbs/40x30/a.jpg",
        f"/{SIGNATURE}/photos/thumbs/40x30/a.jpg",
        f"/photos/thumbs/40x30/a.jpg?{SIGNATURE}",
        f"/photos/thumbs/40x30/filters:x({SIGNATURE})/a.jpg",
    ],
)
@pytest.mark.parametrize("signed", [True, False])
def test_no_signature_secret_or_query_is_in_a_span(open_server: Open, memory: Memory, path: str, signed: bool) -> None:
    server = open_server(tracer=memory.tracer, signer=Signer((b"secret-of-the-storage",)) if signed else None)
    for error in (None, StorageFailed(f"https://img.example.com/?token={SIGNATURE}")):
        server.source.failure = error
        server.thumbnailer.answer(request()._replace(path=path.encode()), None, SAMPLED)
    for span in memory.kept:
        written = span.to_json()
        assert SIGNATURE not in written
        assert "secret-of-the-storage" not in written


def test_a_failure_of_the_server_is_an_error_and_one_of_the_client_is_none(server: FakeServer, memory: Memory) -> None:
    server.thumbnailer.answer(request("40x30/gone.jpg"))
    missing = only(memory)
    assert missing.status.status_code is StatusCode.UNSET
    assert (seen(missing)["mage.code"], seen(missing).get("error.type")) == ("source-missing", None)
    memory.clear()
    server.source.failure = StorageFailed("bucket x at endpoint y")
    server.thumbnailer.answer(request())
    failed, fetch = only(memory), next(span for span in memory.kept if span.name == "fetch")
    for span in (failed, fetch):
        assert span.status.status_code is StatusCode.ERROR
        assert seen(span)["error.type"] == "storage-failed"
        assert span.events == ()


def test_a_preflight_is_a_span_too(open_server: Open, memory: Memory) -> None:
    server = open_server(tracer=memory.tracer, headers=((b"Access-Control-Allow-Origin", b"*"),))
    assert server.thumbnailer.answer(request(method="OPTIONS")).status == 204
    assert seen(only(memory))["http.response.status_code"] == 204


def test_a_method_that_is_none_is_named_as_such(server: FakeServer, memory: Memory) -> None:
    server.thumbnailer.answer(request(method="BREW"))
    root = only(memory)
    assert root.name.startswith("HTTP /")
    assert seen(root)["http.request.method"] == "_OTHER"


def test_requests_that_share_a_job_have_a_link_to_the_one_with_its_steps(server: FakeServer, memory: Memory) -> None:
    server.source.gate.shut()
    replies = [server.thumbnailer.reply(request()) for _ in range(3)]
    server.source.gate.open()

    async def finish() -> None:
        for reply in replies:
            assert (await server.thumbnailer.finish(reply)).status == 200

    asyncio.run(finish())
    (leader,) = (root for root in memory.roots() if "fetch" in memory.children(root))
    others = [root for root in memory.roots() if root is not leader]
    assert [memory.children(root) for root in others] == [["wait"]] * 2
    assert [[link.context.span_id for link in root.links] for root in others] == [[leader.context.span_id]] * 2
    assert not leader.links


@pytest.mark.parametrize("keeps_sources", [True, False])
def test_an_original_is_one_fetch_whether_it_is_kept_or_not(
    open_server: Open, memory: Memory, keeps_sources: bool
) -> None:
    server = open_server(tracer=memory.tracer, keeps_sources=keeps_sources)
    server.thumbnailer.answer(request())
    children = memory.children(only(memory))
    assert children.count("fetch") == 1
    assert "store" in children


def test_the_renewal_of_a_stale_entry_is_a_trace_of_its_own(open_server: Open, memory: Memory) -> None:
    server = open_server(tracer=memory.tracer, stale=1000)
    server.thumbnailer.answer(request())
    memory.clear()
    server.clock.now += 400
    assert cached(server.thumbnailer.answer(request(), None, SAMPLED)) == (200, "STALE")
    eventually(lambda: any(span.name == "renew" for span in memory.kept))
    renewal = next(root for root in memory.roots() if root.name == "renew")
    assert (renewal.parent, renewal.kind) == (None, SpanKind.INTERNAL)
    assert "fetch" in memory.children(renewal)


def test_a_client_that_leaves_ends_its_span(server: FakeServer, memory: Memory) -> None:
    async def leave() -> None:
        answer = asyncio.ensure_future(server.thumbnailer.finish(server.thumbnailer.reply(request())))
        await asyncio.sleep(0)
        answer.cancel()
        with suppress(asyncio.CancelledError):
            await answer

    server.source.gate.shut()
    asyncio.run(leave())
    server.source.gate.open()
    root = only(memory)
    assert (seen(root)["error.type"], root.status.status_code) == ("CancelledError", StatusCode.UNSET)


def test_the_span_of_an_instrumented_site_is_the_parent(server: FakeServer, memory: Memory) -> None:
    with memory.provider.get_tracer("site").start_as_current_span("view") as outer:
        server.thumbnailer.answer(request(), None, SAMPLED)
    root = next(span for span in memory.kept if span.kind is SpanKind.SERVER)
    assert root.parent is not None
    assert root.parent.span_id == outer.get_span_context().span_id


class _Raising(SpanProcessor):
    def on_start(self, *_: object, **__: object) -> None:
        raise RuntimeError("a processor of the site")

    def on_end(self, *_: object) -> None:
        raise RuntimeError("a processor of the site")


def test_a_processor_that_raises_costs_no_request_and_is_logged_once(
    server: FakeServer, memory: Memory, caplog: pytest.LogCaptureFixture
) -> None:
    memory.provider.add_span_processor(_Raising())
    with caplog.at_level(logging.ERROR, "thumbs"):
        for target in ("40x30/a.jpg", "40x30/a.jpg", "50x30/a.jpg", "40x30/gone.jpg"):
            assert hit_or_answer(server, request(target)).status in (200, 404)
    assert [each.getMessage() for each in caplog.records].count("a request could not be traced") == 1
