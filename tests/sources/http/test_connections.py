"""Connections: the address that was judged is the one that is connected to, and kept ones are used with care."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.origins import LOOPBACK, Names, Origin, Received, response, running_origin, source_of
from tests.support.waiting import WAIT_SECONDS, eventually
from thumbs.errors import SourceDenied, StorageFailed, StorageTimeout, ThumbError
from thumbs.sources.http.settings import HttpSettings
from thumbs.sources.http.source import HttpSource

DATA = b"picture"


@pytest.fixture
def origin() -> Iterator[Origin]:
    with running_origin() as origin:
        origin.answers["/a"] = response(DATA)
        yield origin


def _source(
    origin: Origin, names: Names | None = None, *, deadline: float = WAIT_SECONDS, **keys: object
) -> HttpSource:
    host = "127.0.0.1" if names is None else "shop.test"
    keys = {"allowed_networks": LOOPBACK, **keys}
    settings = HttpSettings(base_url=f"http://{host}:{origin.port}/", **keys)  # type: ignore[arg-type]
    return source_of(settings, names, deadline=deadline)


def _unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_as_many_fetches_of_a_host_run_at_once_as_it_may_have_connections(origin: Origin) -> None:
    assert _source(origin, max_conns_per_host=3).fetches_per_host == 3


def test_a_connection_is_used_again(origin: Origin) -> None:
    source = _source(origin)
    for _ in range(10):
        assert source.read("a").data == DATA
    assert origin.connections == 1


def test_each_new_connection_has_one_look_up(origin: Origin) -> None:
    names = Names(shop_test="127.0.0.1")
    source = _source(origin, names, max_idle_conns=0)
    for _ in range(3):
        source.read("a")
    assert names.asked == ["shop.test"] * 3


def test_forbidden_addresses_are_dropped_and_the_others_are_tried_in_order(origin: Origin) -> None:
    names = Names(shop_test=["169.254.169.254", "10.0.0.1", "::1", "127.0.0.9", "127.0.0.1"])
    assert _source(origin, names, allowed_networks=("127.0.0.0/24",)).read("a").data == DATA


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["::1", "10.0.0.1"], ["0.0.0.0"], ["::ffff:127.0.0.1"], []])
def test_a_name_without_an_allowed_address_is_as_missing_as_an_unknown_one(
    addresses: list[str], origin: Origin
) -> None:
    found = []
    for names in (Names(shop_test=addresses), Names()):
        with pytest.raises(SourceDenied) as error:
            _source(origin, names, allowed_networks=()).read("a")
        found.append((error.value.status, error.value.code, str(error.value)))
    assert found[0] == found[1] == (404, "source-missing", "There is no such picture in this storage.")
    assert origin.connections == 0


def test_a_name_that_changes_its_address_between_requests_is_judged_again(origin: Origin) -> None:
    names = Names()
    names.set("shop.test", ["127.0.0.1"], ["127.0.0.2"])
    source = _source(origin, names, allowed_networks=("127.0.0.1/32",), max_idle_conns=0)
    assert source.read("a").data == DATA
    with pytest.raises(SourceDenied):
        source.read("a")


def test_of_three_hundred_addresses_the_allowed_one_is_found(origin: Origin) -> None:
    names = Names(shop_test=[*(f"10.0.{n // 250}.{n % 250}" for n in range(299)), "127.0.0.1"])
    assert _source(origin, names).read("a").data == DATA


def test_a_resolver_that_hangs_is_a_timeout(origin: Origin) -> None:
    release = threading.Event()

    class Hanging(Names):
        def __call__(self, _: str, __: int) -> list[tuple[object, object, int, str, object]]:
            release.wait(WAIT_SECONDS)
            return []

    with pytest.raises(StorageTimeout):
        _source(origin, Hanging(), deadline=0.2).read("a")
    release.set()


def test_a_resolver_that_fails_is_a_failure_of_the_storage(origin: Origin) -> None:
    class Failing(Names):
        def __call__(self, _: str, __: int) -> list[tuple[object, object, int, str, object]]:
            raise socket.gaierror(socket.EAI_AGAIN, "try again")

    with pytest.raises(StorageFailed):
        _source(origin, Failing()).read("a")


def test_a_kept_connection_that_was_closed_costs_no_request(origin: Origin) -> None:
    def close_after(connection: socket.socket, _: Received) -> bool:
        connection.sendall(response(DATA))
        return False

    origin.answers["/a"] = close_after
    source = _source(origin)
    for _ in range(5):
        assert source.read("a").data == DATA


def test_a_kept_connection_that_breaks_before_its_response_is_replaced_once(origin: Origin) -> None:
    broken: list[int] = []

    def break_second(connection: socket.socket, request: Received) -> bool:
        if any(each.connection == request.connection for each in origin.requests[:-1]):
            broken.append(request.connection)
            return False
        connection.sendall(response(DATA))
        return True

    origin.answers["/a"] = break_second
    source = _source(origin)
    assert [source.read("a").data for _ in range(3)] == [DATA] * 3
    assert len(broken) == 2


def test_an_answer_to_no_request_is_never_the_answer_to_the_next(origin: Origin) -> None:
    def answer_twice(connection: socket.socket, _: Received) -> bool:
        connection.sendall(response(DATA) + response(b"evil"))
        return True

    def answer_later(connection: socket.socket, _: Received) -> bool:
        connection.sendall(response(DATA))
        threading.Timer(0.05, answer_unasked, [connection]).start()
        return True

    def answer_unasked(connection: socket.socket) -> None:
        connection.sendall(response(b"evil"))
        answered.set()

    for behavior in (answer_twice, answer_later):
        answered = threading.Event()
        origin.answers |= {"/first": behavior, "/a": response(DATA)}
        source = _source(origin)
        assert source.read("first").data == DATA
        assert behavior is answer_twice or answered.wait(WAIT_SECONDS)
        time.sleep(0.2)
        assert source.read("a").data == DATA


def test_at_most_as_many_connections_as_allowed_are_open_at_once(origin: Origin) -> None:
    now, most, lock = [0], [0], threading.Lock()

    def slow(connection: socket.socket, _: Received) -> bool:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.01)
        with lock:
            now[0] -= 1
        connection.sendall(response(DATA))
        return True

    origin.answers["/a"] = slow
    source = _source(origin, max_conns_per_host=3)
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda _: source.read("a").data, range(100))) == [DATA] * 100
    assert most[0] <= 3
    assert origin.connections <= 3


def test_old_and_idle_connections_are_not_used(origin: Origin) -> None:
    for limits in ({"idle_conn_timeout_sec": 0.0}, {"max_conn_age_sec": 0.0}, {"max_idle_conns": 0}):
        source, before = _source(origin, **limits), origin.connections
        for _ in range(3):
            source.read("a")
        assert origin.connections == before + 3


def test_a_dead_host_fails_at_once_after_three_tries() -> None:
    names = Names(shop_test="127.0.0.1")
    settings = HttpSettings(base_url=f"http://shop.test:{_unused_port()}/", allowed_networks=LOOPBACK)
    source = source_of(settings, names)
    for _ in range(10):
        with pytest.raises(StorageFailed):
            source.read("a")
    assert len(names.asked) == 3


def test_nothing_is_left_of_many_reads(origin: Origin) -> None:
    def fds() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    def cut(connection: socket.socket, _: Received) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1")
        return False

    origin.answers |= {"/cut": cut, "/large": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"}
    source = _source(origin)
    source.read("a")
    source.close()
    threads, before = threading.active_count(), fds()
    source = _source(origin)

    def one(number: int) -> None:
        with suppress(ThumbError):  # which one, other tests say
            source.read(("a", "cut", "missing", "large")[number % 4])

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(one, range(1000)))
    source.close()
    eventually(lambda: fds() <= before + 2)
    eventually(lambda: threading.active_count() <= threads + 9)


def test_it_is_ready_when_its_base_answers(origin: Origin) -> None:
    source = _source(origin)
    for status in ("200 OK", "403 Forbidden", "404 Not Found"):
        origin.answers["/"] = response(b"", status)
        source.ready()
    origin.answers["/"] = response(b"", "503 Busy")
    with pytest.raises(StorageFailed):
        source.ready()


def test_a_list_of_sources_is_always_ready() -> None:
    source_of(HttpSettings(allowed_sources=("https://*.example.com/",))).ready()


def test_a_base_url_whose_host_is_unknown_or_closed_has_failed_for_a_probe(origin: Origin) -> None:
    for names, why in ((Names(), "gaierror"), (Names(shop_test="127.0.0.1"), "which allowed_networks could open")):
        source = source_of(HttpSettings(base_url=f"http://shop.test:{origin.port}/"), names)
        with pytest.raises(StorageFailed) as failed:
            source.ready()
        assert why in repr(failed.value.__cause__)
        with pytest.raises(SourceDenied):
            source.read("a.jpg")
