"""Every fault of an S3 store: each read ends in time with the right error, and nothing is left behind."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings

from tests.support.faults import FAULTS
from tests.support.misbehaving import MisbehavingStore
from tests.support.s3_sources import READ, SOON, outcome, soon, source_of
from tests.support.waiting import WAIT_SECONDS
from thumbs.errors import SourceMissing, StorageFailed, StorageTimeout
from thumbs.sources.s3.source import S3Http, S3Source
from thumbs.sources.source import Version

if not settings.configured and "DJANGO_SETTINGS_MODULE" not in os.environ:
    settings.configure()


VERSION = Version('"0123456789abcdef"', 784111777)
VERSION_FAULTS = {
    "unavailable": StorageFailed,
    "hang": StorageTimeout,
    "drip-headers": StorageTimeout,
    "drip-continues": StorageTimeout,
    "reset": StorageFailed,
    "huge-headers": StorageFailed,
    "garbage": StorageFailed,
    "missing": SourceMissing,
    "denied": SourceMissing,
    "no-bucket": StorageFailed,
    "unknown-key-id": StorageFailed,
    "bad-signature": StorageFailed,
    "archived": StorageFailed,
}


@pytest.fixture(scope="module")
def reader() -> Iterator[Callable[[type[Exception]], S3Source]]:
    """A source with the right deadline for an error of this kind."""
    with MisbehavingStore() as store:
        hasty, patient = source_of(store.url, deadline=SOON), source_of(store.url)
        yield lambda kind: hasty if kind is StorageTimeout else patient


@pytest.fixture
def store() -> Iterator[MisbehavingStore]:
    with MisbehavingStore() as store:
        yield store


# -------------------------------------------------------------------------------------- the faults


@pytest.mark.parametrize("fault", sorted(READ))
def test_a_read_ends_in_time_with_the_right_error(reader: Callable[[type[Exception]], S3Source], fault: str) -> None:
    source = reader(READ[fault])
    assert outcome(source.read, f"{fault}/tom.jpg") is READ[fault]


@pytest.mark.parametrize("fault", sorted(VERSION_FAULTS))
def test_a_version_check_ends_in_time_with_the_right_error(
    reader: Callable[[type[Exception]], S3Source], fault: str
) -> None:
    source = reader(VERSION_FAULTS[fault])
    assert outcome(source.version, f"{fault}/tom.jpg") is VERSION_FAULTS[fault]


@pytest.mark.parametrize("fault", ["unavailable", "hang", "drip-headers", "reset", "unknown-key-id", "no-bucket"])
def test_a_store_that_fails_is_not_ready(store: MisbehavingStore, fault: str) -> None:
    expected = VERSION_FAULTS[fault]
    deadline = SOON if expected is StorageTimeout else WAIT_SECONDS
    assert outcome(source_of(store.url, bucket=fault, deadline=deadline).ready) is expected


def test_a_store_that_answers_is_ready_whether_it_allows_to_list_or_not(store: MisbehavingStore) -> None:
    source_of(store.url).ready()
    source_of(store.url, bucket="denied").ready()


def test_the_faults_here_are_all_the_faults_there_are() -> None:
    assert FAULTS.keys() - READ.keys() == {
        "closes-in-silence",
        "too-long",
        "unavailable-once",
        "short-once",
        "reset-once",
        "reset-and-unavailable-once",
        "encoded",
        "late-body",
        "slow",
    }


def test_a_good_object_is_read_with_its_version(store: MisbehavingStore) -> None:
    source = source_of(store.url)
    original = source.read("tom.jpg")
    assert (original.data, original.version) == (store.body, VERSION)
    assert source.version("tom.jpg") == VERSION


def test_the_bytes_are_those_of_the_object_whatever_its_encoding(store: MisbehavingStore) -> None:
    assert source_of(store.url).read("encoded/tom.jpg").data == store.body


def test_no_listener_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert outcome(source_of(f"http://127.0.0.1:{port}").read, "tom.jpg") is StorageFailed


@pytest.mark.parametrize(
    ("deadline", "http"),
    [(SOON, S3Http()), (60, S3Http(connect_timeout_sec=SOON))],
    ids=["deadline", "connect_timeout_sec"],
)
def test_a_host_that_does_not_even_connect_is_a_timeout(deadline: float, http: S3Http) -> None:
    with _deaf() as port:
        source = source_of(f"http://127.0.0.1:{port}", deadline=deadline, http=http)
        assert outcome(source.read, "tom.jpg") is StorageTimeout


def test_an_address_that_is_dead_leaves_time_for_the_next(
    store: MisbehavingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo

    def two_addresses(host: str, port: int, *rest: int, **more: int) -> object:
        if host != "pictures.invalid":
            return resolve(host, port, *rest, **more)
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", one)) for one in (dead, store.port)]

    with _deaf() as dead:
        monkeypatch.setattr(socket, "getaddrinfo", two_addresses)
        monkeypatch.setenv("NO_PROXY", "pictures.invalid")
        source = source_of("http://pictures.invalid", http=S3Http(connect_timeout_sec=4))
        assert source.read("tom.jpg").data == store.body


@contextlib.contextmanager
def _deaf() -> Iterator[int]:
    """A port on which connecting never ends: once its queue is full, the kernel answers no more."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, contextlib.ExitStack() as waiting:
        for _ in range(4):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def test_a_failure_of_the_moment_is_tried_once_more(store: MisbehavingStore) -> None:
    source = source_of(store.url)
    for path in ("unavailable-once/tom.jpg", "short-once/tom.jpg"):
        assert source.read(path).data == store.body
    assert outcome(source.read, "unavailable/tom.jpg") is StorageFailed
    assert len(store.targets) == 2 + 2 + 2


def test_a_connection_that_breaks_at_its_first_request_is_tried_once_more(store: MisbehavingStore) -> None:
    source = source_of(store.url, http=S3Http(idle_conn_timeout_sec=0.001))
    source.read("tom.jpg")
    time.sleep(0.01)
    assert outcome(source.read, "reset/tom.jpg") is StorageFailed
    assert len(store.targets) == 1 + 2


def test_what_will_not_pass_is_not_tried_again(store: MisbehavingStore) -> None:
    source = source_of(store.url)
    for fault in ("missing", "denied", "no-bucket", "unknown-key-id", "archived", "lengthless", "huge"):
        outcome(source.read, f"{fault}/tom.jpg")
    assert len(store.targets) == 7


def test_a_signed_request_is_not_sent_elsewhere(store: MisbehavingStore) -> None:
    assert outcome(source_of(store.url).read, "moved/tom.jpg") is StorageFailed
    assert not [target for target in store.targets if "elsewhere" in target]


def test_nothing_large_is_fetched_to_be_refused(store: MisbehavingStore) -> None:
    source = source_of(store.url)
    before = _resident_bytes()
    for fault in ("huge", "huge-lengthless", "huge-explanation"):
        outcome(source.read, f"{fault}/tom.jpg")
    assert _resident_bytes() - before < 64 << 20
    assert soon(lambda: store.open_connections() == 0)


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


# ------------------------------------------------------------------------------------------ concurrent reads


def test_a_hundred_reads_that_hang_or_drip_start_no_thread_and_leave_no_connection(store: MisbehavingStore) -> None:
    source = source_of(store.url, deadline=SOON)
    faults = [fault for fault, kind in READ.items() if kind is StorageTimeout]

    def read(number: int) -> type[Exception]:
        return outcome(source.read, f"{faults[number % len(faults)]}/{number}.jpg")

    before = set(threading.enumerate())
    with ThreadPoolExecutor(25, thread_name_prefix="reader") as pool:
        outcomes = list(pool.map(read, range(100)))
        started = {thread.name.partition("_")[0] for thread in set(threading.enumerate()) - before}
    assert set(outcomes) == {StorageTimeout}
    assert started <= {"reader", "misbehaving"}
    assert soon(lambda: store.open_connections() == 0)


def test_good_objects_are_read_beside_bad_ones(store: MisbehavingStore) -> None:
    source, hasty = source_of(store.url), source_of(store.url, deadline=SOON)
    with ThreadPoolExecutor(16) as pool:
        bad = [pool.submit(hasty.read, f"{fault}/tom.jpg") for fault in ("hang", "drip", "drip-headers")]
        good = list(pool.map(lambda number: source.read(f"{number}.jpg").data, range(100)))
    assert good == [store.body] * 100
    assert {type(one.exception()) for one in bad} == {StorageTimeout}
