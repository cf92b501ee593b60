"""Connections to an S3 store: reused where that is safe, bounded in number, closed when idle for too long."""

import contextlib
import gc
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from storages.backends.s3 import S3Storage

from tests.support.misbehaving import MisbehavingStore
from tests.support.s3_sources import MAX_BYTES, READ, SOON, outcome, soon, source_of
from tests.support.waiting import WAIT_SECONDS
from thumbs.errors import StorageTimeout
from thumbs.sources.s3 import connections
from thumbs.sources.s3.source import S3Http
from thumbs.sources.source import Source
from thumbs.sources.storages.django_storage import StorageSource


@pytest.fixture
def store() -> Iterator[MisbehavingStore]:
    with MisbehavingStore() as store:
        yield store


def test_fifty_reads_one_after_another_take_one_connection(store: MisbehavingStore) -> None:
    source = source_of(store.url)
    for number in range(50):
        assert source.read(f"{number}.jpg").data == store.body
    assert store.connections == 1


def test_an_answer_without_an_object_leaves_the_connection_fit_for_the_next(store: MisbehavingStore) -> None:
    source = source_of(store.url)
    for call in (source.read, source.version):
        for fault in ("missing", "denied", "unavailable", "archived"):
            outcome(call, f"{fault}/tom.jpg")
        call("tom.jpg")
    assert store.connections == 1


def test_an_empty_object_leaves_the_connection_fit_for_the_next() -> None:
    with MisbehavingStore(body=b"") as store:
        source = source_of(store.url)
        assert [source.read("tom.jpg").data for _ in range(3)] == [b""] * 3
        assert store.connections == 1


def test_a_connection_that_closed_while_idle_costs_no_read(store: MisbehavingStore) -> None:
    source = source_of(store.url)
    for number in range(20):
        assert source.read(f"closes-in-silence/{number}.jpg").data == store.body


def test_when_a_kept_connection_breaks_no_other_that_was_kept_is_used(store: MisbehavingStore) -> None:
    source = source_of(store.url)
    for _ in range(5):
        _read_together(source, 12)
    assert store.connections > 1
    before = store.connections
    # It costs not even the one retry that a read has.
    assert source.read("reset-and-unavailable-once/tom.jpg").data == store.body
    assert store.connections == before + 1
    assert soon(lambda: store.open_connections() == 1)


def test_an_unrequested_answer_is_not_taken_for_the_next_one(store: MisbehavingStore) -> None:
    source = source_of(store.url)
    for _ in range(3):
        assert source.read("too-long/tom.jpg").data == store.body
        assert soon(lambda: store.answered == len(store.targets))


def test_a_connection_is_not_used_again_after_a_failure_on_it(store: MisbehavingStore) -> None:
    source = source_of(store.url, http=S3Http(request_timeout_sec=1))
    assert outcome(source.read, "drip/tom.jpg") is StorageTimeout
    assert source.read("tom.jpg").data == store.body
    assert store.connections == 2


def test_connections_are_closed_with_their_source(store: MisbehavingStore) -> None:
    source = source_of(store.url)
    source.read("tom.jpg")
    assert store.open_connections() == 1
    del source
    gc.collect()
    assert soon(lambda: store.open_connections() == 0)


def _read_together(source: Source, readers: int) -> None:
    """All read at once, and end at once."""
    together = threading.Barrier(readers)

    def read(number: int) -> None:
        together.wait()
        source.read(f"{number}.jpg")

    with ThreadPoolExecutor(readers) as pool:
        list(pool.map(read, range(readers)))


@pytest.mark.parametrize("http", [S3Http(max_idle_conns=2), S3Http(max_idle_conns_per_host=2)], ids=["all", "host"])
def test_no_more_idle_connections_are_kept_than_configured(store: MisbehavingStore, http: S3Http) -> None:
    source = source_of(store.url, http=http)
    for _ in range(5):
        _read_together(source, 12)
    assert store.connections > 2
    assert soon(lambda: store.open_connections() <= 2)


def test_no_more_connections_are_opened_to_a_host_than_configured(store: MisbehavingStore) -> None:
    source = source_of(store.url, http=S3Http(max_conns_per_host=3))
    for _ in range(5):
        _read_together(source, 12)
    assert 1 <= store.connections <= 3


def test_waiting_for_a_connection_ends_at_the_deadline(store: MisbehavingStore) -> None:
    source = source_of(store.url, deadline=1, http=S3Http(max_conns_per_host=1))
    with ThreadPoolExecutor(8) as pool:
        outcomes = set(pool.map(lambda _: outcome(source.read, "hang/tom.jpg"), range(8)))
    assert outcomes == {StorageTimeout}
    # Each read that timed out released its place in the pool.
    assert source.read("tom.jpg").data == store.body


def test_a_connection_slot_is_released_after_every_fault(store: MisbehavingStore) -> None:
    source = source_of(store.url, deadline=SOON, http=S3Http(max_conns_per_host=1))
    for fault in sorted(READ):
        outcome(source.read, f"{fault}/tom.jpg")

    def is_read() -> bool:
        with contextlib.suppress(StorageTimeout):
            return source.read("tom.jpg").data == store.body
        return False

    assert soon(is_read, attempts=20)


def test_a_connection_idle_for_too_long_is_not_used_again(store: MisbehavingStore) -> None:
    source = source_of(store.url, http=S3Http(idle_conn_timeout_sec=0.05))
    source.read("tom.jpg")
    time.sleep(0.1)
    source.read("tom.jpg")
    assert store.connections == 2


def test_those_that_were_idle_for_too_long_are_closed_when_one_is_taken(store: MisbehavingStore) -> None:
    source = source_of(store.url, http=S3Http(idle_conn_timeout_sec=SOON))
    for _ in range(5):
        _read_together(source, 12)
    assert store.connections > 1
    time.sleep(SOON)
    source.read("tom.jpg")
    assert soon(lambda: store.open_connections() == 1)


def test_headers_that_do_not_come_in_time_are_a_timeout_long_before_the_deadline(store: MisbehavingStore) -> None:
    source = source_of(store.url, deadline=60, http=S3Http(response_header_timeout_sec=0.1))
    assert outcome(source.read, "hang/tom.jpg") is StorageTimeout
    assert outcome(source.read, "drip-headers/tom.jpg") is StorageTimeout


def test_the_wait_for_headers_does_not_bound_the_body(store: MisbehavingStore) -> None:
    with MisbehavingStore(body=b"slow but sure" * 2) as slow:
        source = source_of(slow.url, deadline=60, http=S3Http(response_header_timeout_sec=0.3))

        def is_read(path: str) -> bool:
            try:
                return source.read(path).data == slow.body
            except StorageTimeout:  # of a busy machine, even the headers may be late
                return False

        for fault in ("drip", "late-body"):
            assert soon(partial(is_read, f"{fault}/tom.jpg"), attempts=20)


def test_the_request_timeout_bounds_the_whole_fetch_when_it_is_the_sooner(store: MisbehavingStore) -> None:
    source = source_of(store.url, deadline=60, http=S3Http(request_timeout_sec=0.3))
    assert outcome(source.read, "drip/tom.jpg") is StorageTimeout


def test_zero_is_no_limit_of_its_own(store: MisbehavingStore) -> None:
    source = source_of(store.url, deadline=1, http=S3Http(0, 0, 0, 0, 0, 0, 0))
    assert source.read("tom.jpg").data == store.body
    assert outcome(source.read, "hang/tom.jpg") is StorageTimeout


def test_a_sites_s3_storage_is_read_within_the_same_bounds(store: MisbehavingStore) -> None:
    storage = S3Storage(
        bucket_name="bucket",
        endpoint_url=store.url,
        access_key="AKIATEST",
        secret_key="test-secret",
        addressing_style="path",
    )
    source, hasty = (
        StorageSource(lambda: storage, max_bytes=MAX_BYTES, deadline=deadline) for deadline in (WAIT_SECONDS, SOON)
    )
    for _ in range(5):
        assert source.read("tom.jpg").data == store.body
    assert store.connections == 1
    for fault in ("drip", "short", "huge", "unavailable", "unknown-key-id"):
        asked = hasty if READ[fault] is StorageTimeout else source
        assert outcome(asked.read, f"{fault}/tom.jpg") is READ[fault]


def test_a_connection_that_is_made_at_the_deadline_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    made, other = socket.socketpair()
    seconds = iter([1.0])

    def seconds_left() -> float:
        left = next(seconds, None)
        if left is None:
            raise StorageTimeout
        return left

    monkeypatch.setattr(connections, "seconds_left", seconds_left)
    monkeypatch.setattr(connections, "create_connection", lambda *_, **__: made)
    with other, pytest.raises(StorageTimeout):
        connections.PlainConnection("127.0.0.1", 9)._new_conn()
    assert made.fileno() == -1
