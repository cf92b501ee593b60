"""A proxy is used by thumbnails of its own recipe only: an upgrade that changes pixels makes it again."""

from collections.abc import Callable

import pytest

from tests.support.fake_pipeline import Ask, FakeServer, cached, request
from thumbs.pipeline import entries
from thumbs.request import resolve


def raise_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a later release."""
    later = f"{resolve.RECIPE}0"
    for module in (entries, resolve):
        monkeypatch.setattr(module, "RECIPE", later)


def test_a_proxy_of_an_older_recipe_gives_no_thumbnail_its_pixels(
    open_server: Callable[..., FakeServer], ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = open_server(keeps_sources=True)
    before.renderer.reduction = b"old pixels"
    assert ask(before, request()).body.startswith(b"old pixels")
    raise_recipe(monkeypatch)
    after = open_server(keeps_sources=True, cache=before.cache)
    after.renderer.reduction = b"new pixels"
    for target in ("40x30/a.jpg", "20x10/a.jpg"):
        answer = ask(after, request(target))
        assert answer.body.startswith(b"new pixels")
        assert cached(answer) == (200, "MISS")
    assert after.renderer.proxy == [b"cat"]


def test_the_kept_original_is_used_by_every_recipe(
    open_server: Callable[..., FakeServer], ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = open_server(keeps_sources=True)
    ask(before, request())
    raise_recipe(monkeypatch)
    after = open_server(keeps_sources=True, cache=before.cache)
    assert ask(after, request()).status == 200
    assert after.source.read_paths == []


def test_a_proxy_of_the_same_recipe_is_used_by_another_process(
    open_server: Callable[..., FakeServer], ask: Ask
) -> None:
    first = open_server(keeps_sources=True)
    first.renderer.reduction = b"kitten"
    ask(first, request())
    second = open_server(keeps_sources=True, cache=first.cache)
    assert ask(second, request("20x10/a.jpg")).body.startswith(b"kitten")
    assert (second.source.read_paths, second.renderer.proxy) == ([], [])
