"""Fetches of one host: a host that hangs holds only its own places, and what waits holds no thread."""

from collections.abc import Callable

import pytest

from tests.support.fake_pipeline import FakeServer, request
from tests.support.waiting import WAIT_SECONDS, eventually
from thumbs.errors import Overloaded
from thumbs.pipeline.gate import Gate


def test_places_are_given_in_the_order_of_waiting() -> None:
    gate = Gate(2, queue_length=3, max_seconds=9)
    places = [gate.enter("a") for _ in range(5)]
    assert [place.done() for place in places] == [True, True, False, False, False]
    with pytest.raises(Overloaded):
        gate.enter("a")
    assert gate.enter("b").done()
    for number in range(2, 5):
        gate.leave("a")
        assert [place.done() for place in places] == [index <= number for index in range(5)]
    gate.leave("a")
    gate.leave("a")
    assert gate.enter("a").done()


def test_a_host_that_hangs_leaves_threads_to_the_others(open_server: Callable[..., FakeServer]) -> None:
    server = open_server(hosts=Gate(2, queue_length=100, max_seconds=WAIT_SECONDS))  # of 4 threads
    server.source.put("good/a.jpg", b"good")
    for number in range(20):
        server.source.put(f"bad/{number}.jpg", b"bad")
    server.source.gate.shut()
    hanging = [server.thumbnailer.reply(request(f"40x30/bad/{number}.jpg")) for number in range(20)]
    server.source.gate.wait_for_one()
    server.source.gate.wait_for_one()
    assert len(server.source.read_paths) == 2
    asked = server.thumbnailer.reply(request("40x30/good/a.jpg"))
    eventually(lambda: "good/a.jpg" in server.source.read_paths)
    assert [path for path in server.source.read_paths if path.startswith("bad")] == server.source.read_paths[:2]
    server.source.gate.open()
    for reply in (asked, *hanging):
        assert reply.ticket.future.result(WAIT_SECONDS)  # type: ignore[union-attr]
    assert len(server.source.read_paths) == 21


def test_what_has_waited_too_long_is_refused(open_server: Callable[..., FakeServer]) -> None:
    server = open_server(hosts=Gate(1, queue_length=100, max_seconds=0.0))
    assert server.thumbnailer.answer(request()).status == 503


def test_a_host_that_takes_no_more_leaves_the_storage_and_the_process_ready(
    open_server: Callable[..., FakeServer],
) -> None:
    server = open_server(hosts=Gate(1, queue_length=0, max_seconds=WAIT_SECONDS))
    server.source.put("bad/a.jpg", b"bad")
    server.source.gate.shut()
    hanging = server.thumbnailer.reply(request("40x30/bad/a.jpg"))
    server.source.gate.wait_for_one()
    assert server.thumbnailer.answer(request("50x30/bad/a.jpg")).status == 503
    assert server.thumbnailer.pressure.overloaded(lambda _: False) == []
    server.source.gate.open()
    assert hanging.ticket.future.result(WAIT_SECONDS)  # type: ignore[union-attr]
