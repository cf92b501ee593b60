"""What is reported of answers, and what a hit does without where nothing is logged."""

import time
from collections.abc import Callable

import pytest

from tests.support.fake_pipeline import FakeServer, cached, request
from thumbs.http.messages import Response


def test_without_an_access_log_a_hit_does_not_read_the_clock(
    open_server: Callable[..., FakeServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = open_server()
    assert server.thumbnailer.answer(request()).status == 200
    monkeypatch.setattr(time, "perf_counter", lambda: pytest.fail("the clock was read"))
    found = server.thumbnailer.hit(request())
    assert isinstance(found, Response)
    assert cached(found) == (200, "HIT")
    assert cached(server.thumbnailer.answer(request())) == (200, "HIT")
    assert server.observer.counted[1:] == [(200, "memory", set())] * 2
