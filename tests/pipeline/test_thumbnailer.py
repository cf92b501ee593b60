"""A request and its answer: one render for all concurrent requests, the same headers for every way to send one."""

import asyncio
import json
from collections.abc import Callable

import pytest

from tests.support.clock import NOW
from tests.support.fake_pipeline import (
    MODIFIED,
    Ask,
    FakeServer,
    all_at_once,
    cached,
    header,
    request,
)
from tests.support.waiting import eventually
from thumbs.http.messages import Response, http_date
from thumbs.pipeline.ports import FETCH, LOOKUP, RENDER

# ------------------------------------------------------------------------------- hits and misses


def test_a_thumbnail_is_made_once_and_then_a_hit(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    server = open_server()
    first, second = ask(server, request()), ask(server, request())
    assert (cached(first), cached(second)) == ((200, "MISS"), (200, "HIT"))
    assert first.body == second.body == b"cat 40x30 None"
    assert (server.source.read_paths, len(server.renderer.rendered)) == (["a.jpg"], 1)
    for name in ("Content-Type", "Content-Length", "ETag", "Last-Modified", "Cache-Control"):
        assert header(first, name) == header(second, name) is not None
    assert header(first, "Content-Type") == "image/jpeg"
    assert header(first, "Content-Length") == str(len(first.body))
    assert header(first, "Last-Modified") == http_date(MODIFIED).decode()


def test_an_answer_names_its_layer_and_its_times(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    server = open_server()
    first, second = (header(ask(server, request()), "Server-Timing") or "" for _ in range(2))
    assert [part.partition(";")[0] for part in first.split(", ")] == [
        *("layer", "queue", "lookup", "fetch", "render", "encode")
    ]
    assert first.startswith('layer;desc="source", queue;dur=')
    assert second == 'layer;desc="memory"'


def test_every_answer_is_observed(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    server = open_server()
    made = ask(server, request())
    ask(server, request())
    ask(server, request(if_none_match=header(made, "ETag") or ""))
    ask(server, request("40x30/none.jpg"))
    spent = {"queue", LOOKUP, FETCH, RENDER, "encode"}
    assert server.observer.counted == [
        (200, "source", spent),
        (200, "memory", set()),
        (304, "memory", set()),
        (404, "", set()),
    ]


def test_a_strong_tag_is_that_of_the_recipe_and_the_version(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    one, other = open_server(), open_server()
    tags = {header(ask(server, request()), "ETag") for server in (one, other)}
    assert len(tags) == 1
    assert (tag := tags.pop() or "").startswith('"')
    assert tag.endswith('"')
    other.source.put("a.jpg", b"cat", "v2")
    other.layers.clear()
    assert header(ask(other, request()), "ETag") != tag
    assert header(ask(one, request("41x30/a.jpg")), "ETag") != tag


def test_without_a_version_the_tag_is_that_of_the_bytes(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    server = open_server()
    tags = set()
    for data in (b"cat", b"dog", b"cat"):
        server.source.put("a.jpg", data, None, None)
        server.layers.clear()
        tags.add(header(ask(server, request()), "ETag"))
    assert len(tags) == 2


def test_an_answer_to_head_has_the_headers_and_no_body(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    server = open_server()
    for _ in range(2):
        answer = ask(server, request(method="HEAD"))
        assert (answer.status, answer.body, header(answer, "Content-Length")) == (200, b"", str(len(b"cat 40x30 None")))


# ------------------------------------------------------------------------------------ one flight


@pytest.mark.parametrize("asynchronous", [False, True])
def test_fifty_requests_for_one_thumbnail_are_one_render(
    open_server: Callable[..., FakeServer], asynchronous: bool
) -> None:
    server = open_server()
    answers = all_at_once(server, [request()] * 50, asynchronous=asynchronous)
    assert {answer.body for answer in answers} == {b"cat 40x30 None"}
    assert {answer.status for answer in answers} == {200}
    assert (len(server.renderer.rendered), len(server.source.read_paths)) == (1, 1)


def test_the_first_request_may_leave_and_the_others_are_served(open_server: Callable[..., FakeServer]) -> None:
    server = open_server()
    server.renderer.gate.shut()

    async def visit() -> list[Response]:
        first = asyncio.create_task(server.thumbnailer.finish(server.thumbnailer.reply(request())))
        await asyncio.to_thread(server.renderer.gate.wait_for_one)
        others = [asyncio.create_task(server.thumbnailer.finish(server.thumbnailer.reply(request()))) for _ in range(5)]
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        server.renderer.gate.open()
        return await asyncio.gather(*others)

    assert {answer.body for answer in asyncio.run(visit())} == {b"cat 40x30 None"}
    assert len(server.renderer.rendered) == 1


def test_a_thumbnail_that_no_request_waits_for_any_more_is_kept(
    open_server: Callable[..., FakeServer], ask: Ask
) -> None:
    server = open_server(seconds=0.05)
    server.renderer.gate.shut()
    refused = ask(server, request())
    assert refused.status == 504
    assert json.loads(refused.body)["code"] == "render-timeout"
    server.renderer.gate.open()
    eventually(lambda: cached(ask(server, request())) == (200, "HIT"))
    assert len(server.renderer.rendered) == 1


def test_hits_are_served_while_a_render_goes_on(open_server: Callable[..., FakeServer]) -> None:
    server = open_server()
    server.thumbnailer.answer(request("1x1/a.jpg"))
    server.renderer.gate.wait_for_one()
    server.renderer.gate.shut()

    async def visit() -> tuple[int, str | None]:
        slow = asyncio.create_task(server.thumbnailer.finish(server.thumbnailer.reply(request())))
        await asyncio.to_thread(server.renderer.gate.wait_for_one)
        hit = await server.thumbnailer.finish(server.thumbnailer.reply(request("1x1/a.jpg")))
        assert not slow.done()
        server.renderer.gate.open()
        assert (await slow).status == 200
        return cached(hit)

    assert asyncio.run(visit()) == (200, "HIT")


# ------------------------------------------------------------------------------------ conditions


def test_a_client_that_has_it_gets_304_from_the_cache(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    server = open_server()
    made = ask(server, request())
    tag, date = header(made, "ETag") or "", header(made, "Last-Modified") or ""
    for fields in ({"if_none_match": tag}, {"if_none_match": f"W/{tag}"}, {"if_modified_since": date}):
        answer = ask(server, request(**fields))
        assert (cached(answer), answer.body) == ((304, "HIT"), b"")
        assert header(answer, "ETag") == tag
        assert header(answer, "Cache-Control") == header(made, "Cache-Control")
        assert header(answer, "Content-Type") is None
    assert ask(server, request(if_none_match='"other"')).body == made.body


def test_a_client_that_has_it_gets_304_from_the_version_without_a_render(
    open_server: Callable[..., FakeServer], ask: Ask
) -> None:
    made = ask(open_server(), request())
    tag = header(made, "ETag") or ""
    server = open_server()
    answer = ask(server, request(if_none_match=tag))
    assert (cached(answer), answer.body, header(answer, "ETag")) == ((304, "MISS"), b"", tag)
    assert (server.renderer.rendered, server.source.read_paths, server.source.asked_versions) == ([], [], ["a.jpg"])


def test_a_client_that_has_another_gets_the_thumbnail(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    for fields in ({"if_none_match": '"other"'}, {"if_modified_since": http_date(MODIFIED - 1).decode()}):
        assert cached(ask(open_server(), request(**fields))) == (200, "MISS")


@pytest.mark.parametrize("token", [None, "v1"])
def test_no_date_matches_where_the_storage_has_none(
    open_server: Callable[..., FakeServer], ask: Ask, token: str | None
) -> None:
    server = open_server()
    server.source.put("a.jpg", b"cat", token, None)
    assert ask(server, request(if_modified_since=http_date(int(NOW) - 1).decode())).status == 200


def test_a_condition_on_what_is_missing_is_404(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    assert ask(open_server(), request("1x1/none.jpg", if_none_match="*")).status == 404


# --------------------------------------------------------------------------------------- refusals


def test_answers_and_problems_vary_where_the_format_is_negotiated(
    open_server: Callable[..., FakeServer], ask: Ask
) -> None:
    server = open_server()
    webp = ask(server, request("40x30/f:fmt(auto)/a.jpg", accept="image/webp"))
    jpeg = ask(server, request("40x30/f:fmt(auto)/a.jpg", accept="*/*"))
    gone = ask(server, request("40x30/f:fmt(auto)/none.jpg", accept="*/*"))
    assert [header(answer, "Content-Type") for answer in (webp, jpeg)] == ["image/webp", "image/jpeg"]
    assert [header(answer, "Vary") for answer in (webp, jpeg, gone)] == ["Accept"] * 3
    assert header(ask(server, request()), "Vary") is None


def test_a_preflight_is_answered_where_the_storage_switches_cors_on(
    open_server: Callable[..., FakeServer], ask: Ask
) -> None:
    server = open_server(headers=((b"Access-Control-Allow-Origin", b"*"),))
    answer = ask(server, request(method="OPTIONS"))
    assert (answer.status, answer.body) == (204, b"")
    assert [header(ask(server, asked), "Access-Control-Allow-Origin") for asked in (request(), request("1x/none"))] == [
        *("*", "*")
    ]


# ------------------------------------------------------------------------------------- what breaks


def test_both_ways_to_ask_answer_the_same(open_server: Callable[..., FakeServer]) -> None:
    asked = [
        request(),
        request(),
        request(method="HEAD"),
        request("41x/f:fmt(auto)/a.jpg", accept="image/avif,image/webp"),
        request("40x30/f:v(1)/a.jpg/as/b.jpg"),
        request(if_none_match="*"),
        request("42x/a.jpg", if_none_match="*"),
        request("40x30/none.jpg"),
        request("nonsense"),
        request(method="POST"),
        request(method="OPTIONS"),
    ]
    one, other = open_server(), open_server()

    def without_times(response: Response) -> Response:
        kept = tuple(pair for pair in response.headers if pair[0] != b"Server-Timing")
        return Response(response.status, kept, response.body)

    async def answered() -> list[Response]:
        return [await other.thumbnailer.finish(other.thumbnailer.reply(each)) for each in asked]

    synchronous = [one.thumbnailer.answer(each) for each in asked]
    assert list(map(without_times, synchronous)) == list(map(without_times, asyncio.run(answered())))
    assert [answer.status for answer in synchronous] == [200, 200, 200, 200, 200, 304, 304, 404, 400, 405, 405]


# ------------------------------------------------------------------------ one storage and another


def test_many_requests_that_share_a_render_are_observed_as_one_render(open_server: Callable[..., FakeServer]) -> None:
    server = open_server()
    server.source.gate.shut()
    replies = [server.thumbnailer.reply(request()) for _ in range(20)]
    server.source.gate.open()

    async def finish() -> None:
        await asyncio.gather(*map(server.thumbnailer.finish, replies))

    asyncio.run(finish())
    assert sum(bool(seconds) for _, _, seconds in server.observer.counted) == 1
