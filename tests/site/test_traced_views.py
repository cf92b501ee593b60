"""The views of a site are traced as the wrappers are: that of the include, and those of private storages."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory, override_settings
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from tests.support.commands import local_storage
from tests.support.spans import Memory
from thumbs.http.messages import Request
from thumbs.http.trace_fields import TraceFields
from thumbs.observability import span_attributes, span_export
from thumbs.views import private

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SENT = {"traceparent": f"00-{TRACE}-{PARENT}-01", "User-Agent": "curl/8", "Host": "testserver"}


@pytest.fixture
def memory(originals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Memory]:
    """The spans of a site with a public and a private storage, and a dialect."""
    kept = Memory(["photos", "bills"])
    monkeypatch.setattr(span_export, "tracer", lambda _: kept.provider.get_tracer("thumbs"))
    settings = {
        "STORAGES": [local_storage("photos", originals), {**local_storage("bills", originals), "private": True}],
        "DIALECTS": [{"dialect": "thumbor", "path": "/t/", "sources": {"": "photos"}}],
        "RUN_DIR": str(tmp_path),
        "TRACING": True,
    }
    with override_settings(THUMBS=settings):
        yield kept


def only(memory: Memory) -> dict[str, Any]:
    """The attributes of the one request, whose trace is that of its caller."""
    (root,) = memory.roots()
    assert f"{root.context.trace_id:032x}" == TRACE
    assert "fetch" in memory.children(root)
    return dict(root.attributes or {})


def test_the_view_of_the_include_is_traced(memory: Memory) -> None:
    assert Client().get("/img/photos/thumbs/50x/quarters.jpg", headers=SENT).status_code == 200
    found = only(memory)
    assert (found["mage.storage"], found["user_agent.original"]) == ("photos", "curl/8")
    assert (found["url.scheme"], found["server.address"]) == ("http", "testserver")


def test_the_scheme_is_that_of_the_request(memory: Memory) -> None:
    Client().get("/img/photos/thumbs/50x/quarters.jpg", headers=SENT, secure=True)
    assert (only(memory)["url.scheme"], only(memory)["server.port"]) == ("https", 443)


def test_a_view_of_private_storages_is_traced(memory: Memory) -> None:
    view = private(lambda *_: True)
    request = RequestFactory().get("/private/bills/thumbs/50x/quarters.jpg", headers=SENT)
    assert view(request, "bills/thumbs/50x/quarters.jpg").status_code == 200
    assert only(memory)["mage.storage"] == "bills"


def test_an_asynchronous_view_of_private_storages_is_traced(memory: Memory) -> None:
    async def may_see(request: HttpRequest, storage: str, key: str) -> bool:
        return True

    async def ask() -> int:
        request = RequestFactory().get("/private/bills/thumbs/50x/quarters.jpg", headers=SENT)
        answer: Any = private(may_see)(request, "bills/thumbs/50x/quarters.jpg")
        return int((await answer).status_code)

    assert asyncio.run(ask()) == 200
    assert only(memory)["mage.storage"] == "bills"


def test_of_the_url_of_another_image_server_only_the_path_of_its_dialect_is_kept(memory: Memory) -> None:
    asked = Request("GET", b"/signature-of-thumbor/50x50/quarters.jpg", 40, dialect="/t/")
    found = span_attributes.of_request(asked, TraceFields(), ["photos"])
    assert (found["url.path"], found["http.route"]) == ("/t/", "/t/{thumbnail}")
    assert "signature-of-thumbor" not in str(found)


def test_a_site_with_a_provider_of_its_own_gets_the_spans_there(monkeypatch: pytest.MonkeyPatch) -> None:
    own = TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: own)
    span_export._tracer.cache_clear()
    try:
        span = span_export.tracer("1").start_span("x")
        assert span.resource is own.resource  # type: ignore[attr-defined]
    finally:
        span_export._tracer.cache_clear()


def test_an_exporter_that_cannot_be_made_is_logged_and_traces_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "-1")
    span_export._tracer.cache_clear()
    try:
        assert not span_export.tracer("1").start_span("x").is_recording()
    finally:
        span_export._tracer.cache_clear()
    assert "the exporter cannot be made" in caplog.text
