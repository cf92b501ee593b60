"""The warmer makes thumbnails of keys that a URL has only with a download name: the entry is that of such a URL."""

from collections.abc import Callable

import pytest

from tests.support.fake_pipeline import FakeServer, open_server, request
from thumbs.management import warming
from thumbs.management.warming import CACHED, MADE, Variant, Warmer

__all__ = ["open_server"]

Open = Callable[..., FakeServer]


@pytest.fixture(autouse=True)
def _links(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thumbnailer of the test is not that of the process, which signs the URLs of a site."""
    monkeypatch.setattr(warming, "signed", lambda storage, target: f"{storage}/thumbs/{target}")


@pytest.mark.parametrize(
    ("key", "filters", "target"),
    [
        ("b/as/a.jpg", "", "9x9/b/as/a.jpg/as/a.jpg"),
        ("b/as/a", "", "9x9/b/as/a/as/a.jpg"),
        ("b/as/a.jpg", "format(webp)", "9x9/b/as/a.jpg/as/a.webp"),
        ("b/as/a.png", "format(auto)", "9x9/b/as/a.png/as/a.png"),
        ("b/as/a.jpg", "frames(all)", "9x9/filters:frames(all)/b/as/a.jpg/as/a.webp"),
        ("f:x/as/a.jpg", "", "9x9/f:fit(cover)/f:x/as/a.jpg/as/a.jpg"),
    ],
)
def test_a_key_that_ends_like_a_download_name_is_made_ahead(
    key: str, filters: str, target: str, open_server: Open
) -> None:
    server = open_server()
    server.source.put(key, b"cat")
    warmer = Warmer(server.thumbnailer, "photos", [Variant("9x9", filters)], jobs=1)
    assert [(each.outcome, each.reason) for each in warmer.warm([key])] == [(MADE, "")]
    assert [each.outcome for each in warmer.warm([key])] == [CACHED]
    assert server.thumbnailer.answer(request(target)).status == 200
    assert len(server.renderer.rendered) == 1, "the URL has the same entry"
