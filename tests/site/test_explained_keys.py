"""Keys of URLs of other image servers that our own grammar would read as something else: what each becomes."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.test import override_settings

from tests.support.commands import Run, local_storage
from tests.support.front_calls import ask_wsgi
from thumbs.site.explain import Explanation, explain

# Their ends look like download names, their beginnings like filters, sizes, signatures or other parts of a URL.
KEYS = (
    *("a.jpg", "b/as/a.jpg", "b/as/a.txt", "b/as/c", "as/a.jpg", "as/as/a.png", "b/as/.jpg", "b/as/a.jpg/as/c.webp"),
    *("filters:x/a.jpg", "filters:blur(1)/as/a.jpg", "f:x/a.jpg", "f:/as/a", "filters:", "f:x", "b/f:c/d.jpg"),
    *("40x30/a.jpg", "x/filters:blur(1)/a.jpg", "photos/thumbs/x/a.jpg", "thumbs/as/a.avif", "unsafe/a.jpg"),
    *("a%b.jpg", "a%2Fb/as/c.jpg", "a b/as/c d.jpg", "a?b=c/as/d.jpg", "a#b.jpg", "é/as/é.jpg", "a'(1)/as/b,c;d.jpg"),
    f"b/as/{'x' * 250}.jpg",
)
SPELLED = {
    "imgproxy": "/i/_/rs:fit:40:30/plain/local:///{}",
    "imgproxy with a download name": "/i/_/rs:fit:40:30/fn:tom/plain/local:///{}",
    "thumbor": "/t/unsafe/40x30/{}",
    "thumbor with another format": "/t/unsafe/40x30/filters:format(webp)/{}",
    "imagor with a download name": "/a/unsafe/40x30/filters:attachment(tom.jpg)/{}",
    "ipx": "/x/s_40x30/{}",
    "ipx with another format": "/x/f_webp,w_40/{}",
    "mage": "/m/40x30/{}",
    "mage with a download name": "/m/40x30/{}/as/tom.png",
    "mage for data": "/m/40x30/filters:format(json)/{}",
    "mage for data with a download name": "/m/40x30/filters:format(json)/{}/as/tom.json",
}


@pytest.fixture(autouse=True)
def dialects(tmp_path: Path) -> Iterator[None]:
    formats = ["jpeg", "png", "webp", "avif", "json", "original"]
    sources = {"imgproxy": {"local:///": "photos", "card:///": "cards"}, "ipx": {"/": "photos"}}
    names = {"i": "imgproxy", "t": "thumbor", "a": "imagor", "x": "ipx", "m": "mage"}
    thumbs: dict[str, Any] = {
        "STORAGES": [
            {**local_storage("photos", tmp_path), "formats": formats},
            {**local_storage("cards", tmp_path), "presets_only": True},
        ],
        "PRESETS": {"card": {"size": "40x30", "filters": "fit(contain);upscale(no)"}},
        "DIALECTS": [
            {"dialect": name, "path": f"/{path}/", "sources": sources.get(name, {"": "photos"})}
            for path, name in names.items()
        ],
    }
    with override_settings(THUMBS=thumbs):
        yield


def _facts(explanation: Explanation) -> tuple[str | None, str | None]:
    """The key of the original and that of the cache."""
    lines = dict(explanation.lines)
    return lines.get("path"), lines.get("cache key")


@pytest.mark.parametrize("spelling", SPELLED)
def test_a_url_is_explained_as_it_is_answered(spelling: str) -> None:
    for key in KEYS:
        url = f"/img{SPELLED[spelling].format(quote(key, safe='/:()'))}"
        answer = ask_wsgi(url, prefix="/img/")
        assert answer is not None
        found = explain(f"https://img.example.com{url}")
        # No original is there. A wrong URL is 400.
        assert (answer[0] == 404) is (found.error is None), (answer, found)
        if found.error is None:
            own = explain(dict(found.lines)["becomes"])
            assert own.error is None, found
            assert _facts(own) == _facts(found)
            assert _facts(explain(f"/img{quote(found.path)}")) == _facts(found)


def test_a_key_that_ends_like_a_download_name_gets_one(run: Run) -> None:
    for key, own in {
        "b/as/a.jpg": "b/as/a.jpg/as/a.jpg",
        "b/as/a.txt": "b/as/a.txt/as/a.jpg",
        "as/a.png": "as/a.png",
        "b/as/.jpg": "b/as/.jpg/as/thumbnail.jpg",
    }.items():
        assert f"/img/photos/thumbs/40x30/filters:upscale(yes)/{own}\n" in run(
            "thumb_url", "--explain", f"/img/t/unsafe/40x30/{key}"
        )


def test_such_a_key_gets_one_where_only_presets_are_offered() -> None:
    url = "/img/i/_/rs:fit:40:30/plain/card:///b/as/a.jpg"
    answer = ask_wsgi(url, prefix="/img/")
    assert answer is not None
    assert answer[0] == 404
    found = explain(url)
    becomes = dict(found.lines)["becomes"]
    assert becomes.endswith("/b/as/a.jpg/as/a.jpg")
    assert explain(becomes).error is None
    assert _facts(explain(becomes)) == _facts(found)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("/i/_/raw:1/plain/local:///b/as/a.jpg", "its end would be read as a download name"),
        (
            "/i/_/w:40/"
            + base64.urlsafe_b64encode(f"local:///{'/'.join(['é' * 120] * 4)}.jpg".encode()).decode().rstrip("="),
            "it would be longer than 2,048 bytes",
        ),
    ],
)
def test_a_url_that_our_own_grammar_cannot_spell_is_served_all_the_same(
    url: str, reason: str, run: Run, tmp_path: Path
) -> None:
    answer = ask_wsgi(f"/img{url}", prefix="/img/")
    assert answer is not None
    assert answer[0] == 404
    found = explain(f"/img{url}")
    assert found.error is None
    assert reason in dict(found.lines)["becomes"]
    assert "no URL" in dict(found.lines)["becomes"]
    log = tmp_path / "access.log"
    log.write_text(f"/img{url}\n")
    assert "1 requests: 1 served, 0 refused." in run("thumb_url", "--explain-log", str(log))
