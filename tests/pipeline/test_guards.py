"""Guards of the pipeline."""

from collections.abc import Callable

import pytest

from tests.support.fake_pipeline import FakeServer, request
from thumbs.pipeline import originals
from thumbs.sources.source import Original, Version


def test_a_proxy_is_dropped_when_its_original_has_changed(
    open_server: Callable[..., FakeServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(originals, "_RECENT_SECONDS", 600.0)  # it must not be dropped for its age
    server = open_server(keeps_sources=True, stale=1000.0)
    server.renderer.reduction_of = lambda number: b"proxy %d" % number
    target = request("40x30/a.jpg")
    assert server.thumbnailer.answer(target).body.startswith(b"proxy 1 ")
    server.source.originals["a.jpg"] = Original(b"dog", Version("v2", 1_700_000_000))
    server.clock.now += 400  # stale: served once more, and renewed
    assert server.thumbnailer.answer(target).body.startswith(b"proxy 1 ")
    server.settle()
    assert server.thumbnailer.answer(target).body.startswith(b"proxy 2 ")
