"""A child says whether the original was cut off, and is believed only where the storage renders such originals."""

import socket
import time
from dataclasses import replace

import pytest

from tests.support.fake_child import WEBP, fake_site
from thumbs.errors import RenderFailed
from thumbs.image.transforms import Transform
from thumbs.render.isolation import wire
from thumbs.render.isolation.renderer import IsolatedRenderer
from thumbs.render.isolation.wire import Answer, Call, Outcome, Work
from thumbs.render.values import RenderLimits

PART = Answer(Outcome.PART, "webp", 0.5, 0.25, WEBP)
STRICT = RenderLimits(seconds=10.0)
RENDERED = replace(STRICT, truncated=True)
WEBP_PICTURE = Transform(format="webp")


def test_such_an_answer_arrives_as_it_was_sent() -> None:
    parent, child = socket.socketpair()
    with parent, child:
        wire.send_answer(child, PART)
        assert wire.receive_answer(parent, time.monotonic() + 30) == PART


def test_a_picture_of_a_part_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    site = fake_site(monkeypatch)
    site.prepare = lambda child: child.replies.append(PART)
    render = IsolatedRenderer(site.pool(), RENDERED, lambda _: b"")
    assert render(b"", WEBP_PICTURE, fallback=None).truncated
    assert not render(b"", WEBP_PICTURE, fallback=None).truncated


@pytest.mark.parametrize(("call", "limits"), [(Call.RENDER, STRICT), (Call.RENDER_PROXY, RENDERED)])
def test_it_is_no_answer_where_no_such_original_is_rendered(
    monkeypatch: pytest.MonkeyPatch, call: Call, limits: RenderLimits
) -> None:
    site = fake_site(monkeypatch)
    site.prepare = lambda child: child.replies.append(PART)
    with pytest.raises(RenderFailed):
        site.pool().run(call, Work(limits, WEBP_PICTURE), b"")
