"""However an object store misbehaves, a read ends by its deadline, with the right error, and leaves nothing behind."""

import contextlib
import datetime
import gc
import ipaddress
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import settings

if not settings.configured and "DJANGO_SETTINGS_MODULE" not in os.environ:
    settings.configure()

from storages.backends.s3 import S3Storage

from tests.support.faults import FAULTS, Exchange, Fault
from tests.support.misbehaving import MisbehavingStore, Tunnel
from thumbs.errors import SourceMissing, SourceTooLarge, StorageFailed, StorageTimeout, ThumbError
from thumbs.sources.s3.source import S3Http, S3Settings, S3Source
from thumbs.sources.source import Source, Version
from thumbs.sources.storages.django_storage import StorageSource

# For what ends only by the deadline, and for what ends by itself, under load too. The faults themselves last a minute.
SOON = 0.3
PATIENT = 10.0
MAX_BYTES = 1 << 20
VERSION = Version('"0123456789abcdef"', 784111777)

# What each fault is to a read. Those that are not here are read as if nothing had been.
READ = {
    "unavailable": StorageFailed,
    "hang": StorageTimeout,
    "hang-in-body": StorageTimeout,
    "drip": StorageTimeout,
    "drip-headers": StorageTimeout,
    "drip-continues": StorageTimeout,
    "drip-explanation": StorageTimeout,
    "short": StorageFailed,
    "reset": StorageFailed,
    "reset-in-body": StorageFailed,
    "lengthless": StorageFailed,
    "chunked": StorageFailed,
    "bad-length": StorageFailed,
    "huge": SourceTooLarge,
    "huge-lengthless": StorageFailed,
    "huge-explanation": StorageFailed,
    "huge-headers": StorageFailed,
    "garbage": StorageFailed,
    "moved": StorageFailed,
    "bad-date": StorageFailed,
    "missing": SourceMissing,
    "denied": SourceMissing,
    "no-bucket": StorageFailed,
    "unknown-key-id": StorageFailed,
    "bad-signature": StorageFailed,
    "archived": StorageFailed,
}
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


@pytest.fixture(autouse=True, scope="module")
def _no_proxy() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.setenv("no_proxy", "127.0.0.1")
        yield


def _source(url: str, *, bucket: str = "bucket", deadline: float = PATIENT, http: S3Http | None = None) -> S3Source:
    described = S3Settings(bucket, access_key="AKIATEST", secret_key="test-secret", base_url=url, http=http or S3Http())
    source = S3Source(described, max_bytes=MAX_BYTES, deadline=deadline)
    # Making the client takes longer than some of these deadlines, and once a process.
    source._session.get()
    return source


@pytest.fixture(scope="module")
def reader() -> Iterator[Callable[[type[Exception]], S3Source]]:
    """A source that has the right patience to see an error of this kind."""
    with MisbehavingStore() as store:
        hasty, patient = _source(store.url, deadline=SOON), _source(store.url)
        yield lambda kind: hasty if kind is StorageTimeout else patient


@pytest.fixture
def store() -> Iterator[MisbehavingStore]:
    with MisbehavingStore() as store:
        yield store


def _outcome(call: Callable[..., object], *arguments: object) -> type[Exception]:
    """The kind of error that `call` ends with, long before the fault would."""
    start = time.monotonic()
    with pytest.raises(ThumbError) as caught:
        call(*arguments)
    assert time.monotonic() - start < PATIENT
    kinds = (SourceMissing, SourceTooLarge, StorageFailed, StorageTimeout)
    return next(kind for kind in kinds if isinstance(caught.value, kind))


def _soon(condition: Callable[[], bool], attempts: int = 500) -> bool:
    for _ in range(attempts):
        if condition():
            return True
        time.sleep(0.01)
    return False


# -------------------------------------------------------------------------------------- the faults


@pytest.mark.parametrize("fault", sorted(READ))
def test_a_read_ends_in_time_with_the_right_error(reader: Callable[[type[Exception]], S3Source], fault: str) -> None:
    source = reader(READ[fault])
    assert _outcome(source.read, f"{fault}/tom.jpg") is READ[fault]


@pytest.mark.parametrize("fault", sorted(VERSION_FAULTS))
def test_a_look_at_the_version_ends_in_time_with_the_right_error(
    reader: Callable[[type[Exception]], S3Source], fault: str
) -> None:
    source = reader(VERSION_FAULTS[fault])
    assert _outcome(source.version, f"{fault}/tom.jpg") is VERSION_FAULTS[fault]


@pytest.mark.parametrize("fault", ["unavailable", "hang", "drip-headers", "reset", "unknown-key-id", "no-bucket"])
def test_a_store_that_fails_is_not_ready(store: MisbehavingStore, fault: str) -> None:
    expected = VERSION_FAULTS[fault]
    deadline = SOON if expected is StorageTimeout else PATIENT
    assert _outcome(_source(store.url, bucket=fault, deadline=deadline).ready) is expected


def test_a_store_that_answers_is_ready_whether_it_allows_to_list_or_not(store: MisbehavingStore) -> None:
    _source(store.url).ready()
    _source(store.url, bucket="denied").ready()


def test_the_faults_here_are_all_the_faults_there_are() -> None:
    assert FAULTS.keys() - READ.keys() == {
        "closes-in-silence",
        "too-long",
        "unavailable-once",
        "short-once",
        "reset-and-unavailable-once",
        "encoded",
        "late-body",
        "slow",
    }


def test_a_good_object_is_read_with_its_version(store: MisbehavingStore) -> None:
    source = _source(store.url)
    original = source.read("tom.jpg")
    assert (original.data, original.version) == (store.body, VERSION)
    assert source.version("tom.jpg") == VERSION


def test_the_bytes_are_those_of_the_object_whatever_its_encoding(store: MisbehavingStore) -> None:
    assert _source(store.url).read("encoded/tom.jpg").data == store.body


def test_a_refused_connection_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert _outcome(_source(f"http://127.0.0.1:{port}").read, "tom.jpg") is StorageFailed


@pytest.mark.parametrize(
    ("deadline", "http"),
    [(SOON, S3Http()), (60, S3Http(connect_timeout_sec=SOON))],
    ids=["deadline", "connect_timeout_sec"],
)
def test_a_host_that_does_not_even_connect_is_a_timeout(deadline: float, http: S3Http) -> None:
    with _deaf() as port:
        source = _source(f"http://127.0.0.1:{port}", deadline=deadline, http=http)
        assert _outcome(source.read, "tom.jpg") is StorageTimeout


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
        source = _source("http://pictures.invalid", http=S3Http(connect_timeout_sec=2 * SOON))
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
    source = _source(store.url)
    for path in ("unavailable-once/tom.jpg", "short-once/tom.jpg"):
        assert source.read(path).data == store.body
    assert _outcome(source.read, "unavailable/tom.jpg") is StorageFailed
    assert len(store.targets) == 2 + 2 + 2


def test_a_connection_that_breaks_at_its_first_request_is_tried_once_more(store: MisbehavingStore) -> None:
    source = _source(store.url, http=S3Http(idle_conn_timeout_sec=0.001))
    source.read("tom.jpg")
    time.sleep(0.01)
    assert _outcome(source.read, "reset/tom.jpg") is StorageFailed
    assert len(store.targets) == 1 + 2


def test_what_will_not_pass_is_not_tried_again(store: MisbehavingStore) -> None:
    source = _source(store.url)
    for fault in ("missing", "denied", "no-bucket", "unknown-key-id", "archived", "lengthless", "huge"):
        _outcome(source.read, f"{fault}/tom.jpg")
    assert len(store.targets) == 7


def test_a_signed_request_is_not_sent_elsewhere(store: MisbehavingStore) -> None:
    assert _outcome(_source(store.url).read, "moved/tom.jpg") is StorageFailed
    assert not [target for target in store.targets if "elsewhere" in target]


def test_nothing_large_is_fetched_to_be_refused(store: MisbehavingStore) -> None:
    source = _source(store.url)
    before = _resident_bytes()
    for fault in ("huge", "huge-lengthless", "huge-explanation"):
        _outcome(source.read, f"{fault}/tom.jpg")
    assert _resident_bytes() - before < 64 << 20
    assert _soon(lambda: store.open_connections() == 0)


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


# ------------------------------------------------------------------------------------------ crowds


def test_a_hundred_reads_that_hang_or_drip_start_no_thread_and_leave_no_connection(store: MisbehavingStore) -> None:
    source = _source(store.url, deadline=SOON)
    faults = [fault for fault, kind in READ.items() if kind is StorageTimeout]

    def read(number: int) -> type[Exception]:
        return _outcome(source.read, f"{faults[number % len(faults)]}/{number}.jpg")

    before = set(threading.enumerate())
    with ThreadPoolExecutor(25, thread_name_prefix="reader") as pool:
        outcomes = list(pool.map(read, range(100)))
        started = {thread.name.partition("_")[0] for thread in set(threading.enumerate()) - before}
    assert set(outcomes) == {StorageTimeout}
    assert started <= {"reader", "misbehaving"}
    assert _soon(lambda: store.open_connections() == 0)


def test_good_objects_are_read_beside_bad_ones(store: MisbehavingStore) -> None:
    source, hasty = _source(store.url), _source(store.url, deadline=SOON)
    with ThreadPoolExecutor(16) as pool:
        bad = [pool.submit(hasty.read, f"{fault}/tom.jpg") for fault in ("hang", "drip", "drip-headers")]
        good = list(pool.map(lambda number: source.read(f"{number}.jpg").data, range(100)))
    assert good == [store.body] * 100
    assert {type(one.exception()) for one in bad} == {StorageTimeout}


# -------------------------------------------------------------------------------------- connections


def test_fifty_reads_one_after_another_take_one_connection(store: MisbehavingStore) -> None:
    source = _source(store.url)
    for number in range(50):
        assert source.read(f"{number}.jpg").data == store.body
    assert store.connections == 1


def test_an_answer_without_an_object_leaves_the_connection_fit_for_the_next(store: MisbehavingStore) -> None:
    source = _source(store.url)
    for call in (source.read, source.version):
        for fault in ("missing", "denied", "unavailable", "archived"):
            _outcome(call, f"{fault}/tom.jpg")
        call("tom.jpg")
    assert store.connections == 1


def test_an_empty_object_leaves_the_connection_fit_for_the_next() -> None:
    with MisbehavingStore(body=b"") as store:
        source = _source(store.url)
        assert [source.read("tom.jpg").data for _ in range(3)] == [b""] * 3
        assert store.connections == 1


def test_a_connection_that_closed_while_idle_costs_no_read(store: MisbehavingStore) -> None:
    source = _source(store.url)
    for number in range(20):
        assert source.read(f"closes-in-silence/{number}.jpg").data == store.body


def test_when_a_kept_connection_breaks_no_other_that_was_kept_is_used(store: MisbehavingStore) -> None:
    source = _source(store.url)
    for _ in range(5):
        _crowd(source, 12)
    assert store.connections > 1
    before = store.connections
    # It costs not even the one retry that a read has.
    assert source.read("reset-and-unavailable-once/tom.jpg").data == store.body
    assert store.connections == before + 1
    assert _soon(lambda: store.open_connections() == 1)


def test_an_unrequested_response_is_not_taken_for_the_next_one(store: MisbehavingStore) -> None:
    source = _source(store.url)
    for _ in range(3):
        assert source.read("too-long/tom.jpg").data == store.body
        assert _soon(lambda: store.answered == len(store.targets))


def test_a_connection_is_not_used_again_after_a_failure_on_it(store: MisbehavingStore) -> None:
    source = _source(store.url, http=S3Http(request_timeout_sec=1))
    assert _outcome(source.read, "drip/tom.jpg") is StorageTimeout
    assert source.read("tom.jpg").data == store.body
    assert store.connections == 2


def test_connections_are_closed_with_their_source(store: MisbehavingStore) -> None:
    source = _source(store.url)
    source.read("tom.jpg")
    assert store.open_connections() == 1
    del source
    gc.collect()
    assert _soon(lambda: store.open_connections() == 0)


def _crowd(source: Source, readers: int) -> None:
    """All read at once, and end at once."""
    together = threading.Barrier(readers)

    def read(number: int) -> None:
        together.wait()
        source.read(f"{number}.jpg")

    with ThreadPoolExecutor(readers) as pool:
        list(pool.map(read, range(readers)))


@pytest.mark.parametrize("http", [S3Http(max_idle_conns=2), S3Http(max_idle_conns_per_host=2)], ids=["all", "host"])
def test_no_more_idle_connections_are_kept_than_configured(store: MisbehavingStore, http: S3Http) -> None:
    source = _source(store.url, http=http)
    for _ in range(5):
        _crowd(source, 12)
    assert store.connections > 2
    assert _soon(lambda: store.open_connections() <= 2)


def test_no_more_connections_are_opened_to_a_host_than_configured(store: MisbehavingStore) -> None:
    source = _source(store.url, http=S3Http(max_conns_per_host=3))
    for _ in range(5):
        _crowd(source, 12)
    assert 1 <= store.connections <= 3


def test_waiting_for_a_connection_ends_at_the_deadline(store: MisbehavingStore) -> None:
    source = _source(store.url, deadline=1, http=S3Http(max_conns_per_host=1))
    with ThreadPoolExecutor(8) as pool:
        outcomes = set(pool.map(lambda _: _outcome(source.read, "hang/tom.jpg"), range(8)))
    assert outcomes == {StorageTimeout}
    # Each read that timed out freed its slot.
    assert source.read("tom.jpg").data == store.body


def test_a_slot_is_freed_after_every_fault(store: MisbehavingStore) -> None:
    source = _source(store.url, deadline=SOON, http=S3Http(max_conns_per_host=1))
    for fault in sorted(READ):
        _outcome(source.read, f"{fault}/tom.jpg")

    def is_read() -> bool:
        with contextlib.suppress(StorageTimeout):
            return source.read("tom.jpg").data == store.body
        return False

    assert _soon(is_read, attempts=20)


def test_a_connection_idle_for_too_long_is_not_used_again(store: MisbehavingStore) -> None:
    source = _source(store.url, http=S3Http(idle_conn_timeout_sec=0.05))
    source.read("tom.jpg")
    time.sleep(0.1)
    source.read("tom.jpg")
    assert store.connections == 2


def test_those_that_were_idle_for_too_long_are_closed_when_one_is_taken(store: MisbehavingStore) -> None:
    source = _source(store.url, http=S3Http(idle_conn_timeout_sec=SOON))
    for _ in range(5):
        _crowd(source, 12)
    assert store.connections > 1
    time.sleep(SOON)
    source.read("tom.jpg")
    assert _soon(lambda: store.open_connections() == 1)


def test_headers_that_do_not_come_in_time_are_a_timeout_long_before_the_deadline(store: MisbehavingStore) -> None:
    source = _source(store.url, deadline=60, http=S3Http(response_header_timeout_sec=0.1))
    assert _outcome(source.read, "hang/tom.jpg") is StorageTimeout
    assert _outcome(source.read, "drip-headers/tom.jpg") is StorageTimeout


def test_the_wait_for_headers_does_not_bound_the_body(store: MisbehavingStore) -> None:
    with MisbehavingStore(body=b"slow but sure" * 2) as slow:
        source = _source(slow.url, deadline=60, http=S3Http(response_header_timeout_sec=0.3))
        for fault in ("drip", "late-body"):
            assert source.read(f"{fault}/tom.jpg").data == slow.body


def test_the_request_timeout_bounds_the_whole_fetch_when_it_is_the_sooner(store: MisbehavingStore) -> None:
    source = _source(store.url, deadline=60, http=S3Http(request_timeout_sec=0.3))
    assert _outcome(source.read, "drip/tom.jpg") is StorageTimeout


def test_zero_is_no_limit_of_its_own(store: MisbehavingStore) -> None:
    source = _source(store.url, deadline=1, http=S3Http(0, 0, 0, 0, 0, 0, 0))
    assert source.read("tom.jpg").data == store.body
    assert _outcome(source.read, "hang/tom.jpg") is StorageTimeout


def test_a_sites_s3_storage_is_read_within_the_same_bounds(store: MisbehavingStore) -> None:
    storage = S3Storage(
        bucket_name="bucket",
        endpoint_url=store.url,
        access_key="AKIATEST",
        secret_key="test-secret",
        addressing_style="path",
    )
    hasty, patient = (StorageSource(lambda: storage, max_bytes=MAX_BYTES, deadline=each) for each in (SOON, PATIENT))
    for _ in range(5):
        assert patient.read("tom.jpg").data == store.body
    assert store.connections == 1
    for fault in ("short", "huge", "unavailable", "unknown-key-id"):
        assert _outcome(patient.read, f"{fault}/tom.jpg") is READ[fault]
    with contextlib.suppress(StorageTimeout):
        hasty.read("tom.jpg")  # it makes the client, which takes longer than this deadline
    before = len(store.targets)
    while len(store.targets) == before:  # a busy machine may use up the deadline before the request is sent
        assert _outcome(hasty.read, "drip/tom.jpg") is StorageTimeout


# ---------------------------------------------------------------------------------- TLS and proxies


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for the loopback address that signs itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pictures")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("authority") / "both.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.fixture
def secure(authority: Path) -> Iterator[MisbehavingStore]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    with MisbehavingStore(tls=context) as store:
        yield store


def test_over_tls_reads_are_bounded_and_connections_reused_as_well(
    secure: MisbehavingStore, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority))
    hasty, patient = _source(secure.url, deadline=SOON), _source(secure.url)
    for _ in range(10):
        assert patient.read("tom.jpg").data == secure.body
    assert secure.connections == 1
    for fault in ("drip", "drip-headers", "hang", "hang-in-body", "short", "huge"):
        source = hasty if READ[fault] is StorageTimeout else patient
        assert _outcome(source.read, f"{fault}/tom.jpg") is READ[fault]


def test_an_untrusted_certificate_is_a_failure(secure: MisbehavingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    assert _outcome(_source(secure.url).read, "tom.jpg") is StorageFailed
    assert secure.targets == []


def test_a_handshake_that_never_ends_is_a_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        source = _source(f"https://127.0.0.1:{mute.getsockname()[1]}", deadline=SOON)
        assert _outcome(source.read, "tom.jpg") is StorageTimeout


def _proxied(monkeypatch: pytest.MonkeyPatch, variable: str, proxy: str) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv(variable, proxy)
    monkeypatch.setenv(variable.lower(), proxy)


def test_https_goes_through_the_environments_proxy(
    secure: MisbehavingStore, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority))
    with Tunnel() as tunnel:
        _proxied(monkeypatch, "HTTPS_PROXY", f"http://user:p%40ss@127.0.0.1:{tunnel.port}")
        source = _source(secure.url)
        assert [source.read("tom.jpg").data for _ in range(3)] == [secure.body] * 3
        del source
        gc.collect()
    # urllib3 asks in HTTP/1.0 before Python 3.12.
    assert tunnel.asked[0].startswith(f"CONNECT 127.0.0.1:{secure.port} HTTP/1.")
    assert "Basic dXNlcjpwQHNz" in [
        line.split(": ", 1)[1] for line in tunnel.asked if line.lower().startswith("proxy-auth")
    ]


def _answers_and_is_silent(exchange: Exchange) -> bool:
    exchange.send_head("200 Connection established")
    while exchange.wire.recv(4096):
        pass
    return False


@pytest.mark.parametrize("answer", [FAULTS["drip-headers"], _answers_and_is_silent], ids=["drip", "silence"])
def test_a_proxy_that_never_gets_through_is_a_timeout(monkeypatch: pytest.MonkeyPatch, answer: Fault) -> None:
    stop = threading.Event()

    def serve() -> None:
        wire, _ = listener.accept()
        with wire, contextlib.suppress(OSError):
            wire.recv(4096)
            answer(Exchange(wire, "CONNECT", "", b"", stop, 1))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = threading.Thread(target=serve, daemon=True)
        proxy.start()
        _proxied(monkeypatch, "HTTPS_PROXY", f"http://127.0.0.1:{listener.getsockname()[1]}")
        assert _outcome(_source("https://pictures.invalid", deadline=SOON).read, "tom.jpg") is StorageTimeout
        stop.set()
        proxy.join(PATIENT)


def test_a_proxy_that_refuses_is_a_failure(store: MisbehavingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    _proxied(monkeypatch, "HTTPS_PROXY", f"127.0.0.1:{store.port}")
    assert _outcome(_source("https://pictures.invalid").read, "tom.jpg") is StorageFailed


def test_plain_http_asks_the_environments_proxy_for_the_whole_url(
    store: MisbehavingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    _proxied(monkeypatch, "HTTP_PROXY", store.url)
    source = _source("http://pictures.invalid")
    assert source.read("tom.jpg").data == store.body
    assert store.targets[0].startswith("http://pictures.invalid/bucket/tom.jpg")
