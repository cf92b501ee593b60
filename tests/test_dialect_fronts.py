"""A URL of another image server is answered alike by every front, from the entry of our own spelling."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings

from tests.support import pictures
from tests.support.commands import local_storage
from tests.support.connection import unreachable
from tests.support.front_calls import Ask, ask_asgi, ask_wsgi
from thumbs.asgi import ThumbsASGI
from thumbs.http.messages import Response
from thumbs.request.dialects import translating
from thumbs.request.dialects.dialect import Asked, Dialect
from thumbs.request.dialects.translating import read as own_read

DIALECTS = [
    {"dialect": "thumbor", "path": "/t/", "sources": {"": "photos"}},
    {"dialect": "imgproxy", "path": "/i/", "sources": {"local:///": "photos"}},
    {"dialect": "ipx", "path": "/_ipx/", "sources": {"/": "photos"}},
]
OWN = "/photos/thumbs/50x30/a b.png"
TARGETS = {
    "thumbor": "/t/unsafe/50x30/a%20b.png",
    "imgproxy": "/i/_/rs:fill:50:30:1/plain/local:///a%20b.png",
    "ipx": "/_ipx/s_50x30,enlarge/a%20b.png",
}


@pytest.fixture
def thumbs(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "a b.png").write_bytes(pictures.encoded(pictures.quarters(120, 80), "PNG"))
    storage = local_storage("photos", tmp_path, memory={"enabled": True, "max_size_mb": 8})
    storage["headers"] = {"Access-Control-Allow-Origin": "*"}
    return {"STORAGES": [storage], "DIALECTS": DIALECTS}


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("ask", [ask_asgi, ask_wsgi], ids=["asgi", "wsgi"])
def test_a_front_answers_a_dialect_with_the_entry_of_our_own_spelling(
    name: str, ask: Ask, thumbs: dict[str, Any]
) -> None:
    with override_settings(THUMBS=thumbs):
        answered = ask(TARGETS[name])
        assert answered is not None
        status, theirs = answered
        assert (status, theirs[:4]) == (200, b"\x89PNG")
        assert ask(OWN.replace(" ", "%20")) == (200, theirs)


@pytest.mark.parametrize("name", TARGETS)
def test_a_hit_of_the_worker_is_translated_once(
    name: str, thumbs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bytes] = []

    def counted(raw: bytes, dialect: Dialect) -> Asked:
        read.append(raw)
        return own_read(raw, dialect)

    monkeypatch.setattr(translating, "read", counted)
    with override_settings(THUMBS=thumbs):
        assert ask_asgi(TARGETS[name]) is not None
        front = ThumbsASGI(unreachable)
        hits = [front.hit("GET", TARGETS[name].encode(), {}) for _ in range(3)]
        own = front.hit("GET", OWN.replace(" ", "%20").encode(), {})
    assert [hit.status for hit in (*hits, own) if isinstance(hit, Response)] == [200] * 4
    assert len(read) == 1


@pytest.mark.parametrize("ask", [ask_asgi, ask_wsgi], ids=["asgi", "wsgi"])
def test_other_paths_are_passed_on(ask: Ask, thumbs: dict[str, Any]) -> None:
    with override_settings(THUMBS=thumbs):
        assert ask("/about") is None
        assert ask("/tt/unsafe/50x30/a%20b.png") is None


@pytest.mark.parametrize(
    ("ask", "without"),
    [(ask_asgi, {"raw_path": b""}), (ask_wsgi, {"RAW_URI": "", "REQUEST_URI": ""})],
    ids=["asgi", "wsgi"],
)
def test_a_front_without_a_raw_path_refuses(ask: Ask, without: dict[str, Any], thumbs: dict[str, Any]) -> None:
    with override_settings(THUMBS=thumbs):
        answered = ask("/t/unsafe/50x30/plain.png", **without)
    assert answered is not None
    assert answered[0] == 400
    assert b"path as it was sent" in answered[1]


@pytest.mark.parametrize("name", TARGETS)
def test_the_include_answers_a_dialect_below_its_prefix(name: str, thumbs: dict[str, Any]) -> None:
    with override_settings(THUMBS=thumbs):
        target = f"/img{TARGETS[name]}"
        answer = Client().get(target, REQUEST_URI=target)
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
        assert Client().get(target).status_code == 400  # the test client keeps no raw path
        assert Client().get(f"/img{OWN}").content == answer.content


def test_a_preflight_of_a_dialect_is_answered_as_its_storage_says(thumbs: dict[str, Any]) -> None:
    with override_settings(THUMBS=thumbs):
        target = f"/img{TARGETS['thumbor']}"
        answer = Client().options(target, REQUEST_URI=target)
        assert (answer.status_code, answer["Access-Control-Allow-Methods"]) == (204, "GET, HEAD")


def test_a_wrong_configuration_passes_other_requests_on(thumbs: dict[str, Any]) -> None:
    broken = {**thumbs, "DIALECTS": [{"dialect": "thumbr"}]}
    with override_settings(THUMBS=broken):
        assert ask_wsgi("/about") is None
        answered = ask_wsgi(OWN.replace(" ", "%20"))
        assert answered is not None
        assert answered[0] == 500
