"""Data about pictures through the pipeline: cached, answered and purged as thumbnails, and never made of a proxy."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.fake_pipeline import Ask, FakeServer, cached, header, request
from thumbs.cache.entry import Entry
from thumbs.http.messages import Request
from thumbs.request.signing import Signer

SIGNER = Signer((b"secret",))
DATA = "40x30/filters:format(json);data(color)/a.jpg"


def asked(target: str = DATA, **fields: Any) -> Request:
    signature = SIGNER.sign(f"/photos/thumbs/{target}")
    return request(f"{signature}/{target}", **fields)


@pytest.fixture
def server(open_server: Callable[..., FakeServer]) -> FakeServer:
    return open_server(signer=SIGNER)


def test_data_are_answered_as_json_and_found_in_the_caches(server: FakeServer, ask: Ask) -> None:
    made, found = ask(server, asked()), ask(server, asked())
    assert (cached(made), cached(found)) == ((200, "MISS"), (200, "HIT"))
    assert header(found, "Content-Type") == "application/json"
    assert header(found, "Content-Length") == str(len(found.body))
    assert header(found, "Vary") is None
    assert header(found, "X-Content-Type-Options") == "nosniff"
    assert made.body == found.body
    assert len(server.renderer.rendered) == 1
    assert (server.renderer.rendered[0].format, server.renderer.rendered[0].data) == ("json", ("color",))


def test_data_and_thumbnail_are_entries_of_one_original(server: FakeServer, ask: Ask) -> None:
    data, picture = ask(server, asked()), ask(server, asked("40x30/a.jpg"))
    assert header(data, "ETag") != header(picture, "ETag")
    server.layers.purge(server.thumbnailer.look_up(asked()).thumb.group)  # type: ignore[union-attr]
    assert cached(ask(server, asked())) == (200, "MISS")


def test_head_and_conditions_are_as_for_pictures(server: FakeServer, ask: Ask) -> None:
    made = ask(server, asked())
    head = ask(server, asked(method="HEAD"))
    assert (head.status, head.body) == (200, b"")
    assert header(head, "Content-Length") == str(len(made.body))
    tag = header(made, "ETag")
    since = header(made, "Last-Modified")
    for fields in ({"if_none_match": tag}, {"if_none_match": "*"}, {"if_modified_since": since}):
        same = ask(server, asked(**fields))
        assert (same.status, same.body, header(same, "Content-Type")) == (304, b"", None)


def test_a_matching_tag_is_answered_without_a_render(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    server = open_server(signer=SIGNER, cache=[])
    tag = header(ask(server, asked()), "ETag")
    assert ask(server, asked(if_none_match=tag)).status == 304
    assert len(server.renderer.rendered) == 1


def test_data_are_made_of_the_original_where_pictures_are_made_of_its_proxy(
    open_server: Callable[..., FakeServer], ask: Ask
) -> None:
    server = open_server(signer=SIGNER, keeps_sources=True)
    server.renderer.reduction = b"reduced"
    assert ask(server, asked("40x30/a.jpg")).body.startswith(b"reduced")
    assert ask(server, asked()).body.startswith(b"cat")
    assert server.source.read_paths == ["a.jpg"]  # the original that the proxy was made of was kept


def test_an_entry_of_data_survives_a_layer_outside_of_the_process() -> None:
    entry = Entry(b"{}", "application/json", '"x"', "v1", 1, 2.0, 3.0)
    found = Entry.unpack_for("group/name", entry.pack())
    assert (found.body, found.content_type) == (b"{}", "application/json")
