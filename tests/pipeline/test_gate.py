"""Fetches of one host: a host that hangs holds only its own places, and what waits holds no thread."""

from collections.abc import Callable
from concurrent.futures import Future

import pytest

from tests.support.fake_pipeline import FakeServer, request
from tests.support.waiting import WAIT_SECONDS, eventually
from thumbs.errors import HostOverloaded, Overloaded
from thumbs.pipeline.executor import BoundedExecutor, Work
from thumbs.pipeline.gate import Gate
from thumbs.pipeline.ports import fetch_stage


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


class Fillable(BoundedExecutor):
    """An executor whose queue is full when a test says so."""

    is_full = False

    def submit(self, work: Work) -> None:
        if self.is_full:
            raise Overloaded
        super().submit(work)


@pytest.mark.parametrize("error", [HostOverloaded, Overloaded], ids=["after too long", "as their stage is full"])
def test_a_host_is_read_again_however_many_fetches_are_refused_when_they_get_its_place(
    open_server: Callable[..., FakeServer], error: type[Overloaded]
) -> None:
    many = 150  # each inside the one before would exceed Python's limit of recursion
    gate = Gate(1, queue_length=many, max_seconds=WAIT_SECONDS)
    stage = Fillable("fetch", threads=1, queue_length=many)
    server = open_server(hosts=gate, executors={fetch_stage("photos"): stage})
    for number in range(many + 2):
        server.source.put(f"bad/{number}.jpg", b"bad")
    server.source.gate.shut()
    first = server.thumbnailer.reply(request("40x30/bad/0.jpg"))
    server.source.gate.wait_for_one()
    waiting = [server.thumbnailer.reply(request(f"40x30/bad/{number}.jpg")) for number in range(1, many + 1)]
    eventually(lambda: len(gate._waiting["bad"]) == many)
    if error is HostOverloaded:
        gate.max_seconds = 0.0
    else:
        stage.is_full = True
    server.source.gate.open()
    assert first.ticket.future.result(WAIT_SECONDS)  # type: ignore[union-attr]
    errors = {type(reply.ticket.future.exception(WAIT_SECONDS)) for reply in waiting}  # type: ignore[union-attr]
    assert errors == {error}
    gate.max_seconds, stage.is_full = WAIT_SECONDS, False
    assert server.thumbnailer.answer(request(f"40x30/bad/{many + 1}.jpg")).status == 200
    eventually(lambda: not gate._taken)


def test_an_error_in_a_job_that_gets_a_place_takes_no_other_place_away() -> None:
    gate = Gate(2, queue_length=3, max_seconds=9)
    places = [gate.enter("a") for _ in range(5)]

    def fail(_: Future[None]) -> None:
        gate.leave("a")
        gate.leave("a")
        raise KeyboardInterrupt

    places[2].add_done_callback(fail)
    with pytest.raises(KeyboardInterrupt):
        gate.leave("a")
    assert all(place.done() for place in places)
    for _ in range(2):
        gate.leave("a")
    assert not gate._taken


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
