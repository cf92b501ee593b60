"""TLS and the proxies of the environment: the same bounds and the same errors."""

import contextlib
import datetime
import gc
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.faults import FAULTS, Exchange, Fault
from tests.support.misbehaving import MisbehavingStore, Tunnel
from tests.support.s3_sources import READ, SOON, outcome, source_of
from tests.support.waiting import WAIT_SECONDS
from thumbs.errors import StorageFailed, StorageTimeout


@pytest.fixture
def store() -> Iterator[MisbehavingStore]:
    with MisbehavingStore() as store:
        yield store


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
    hasty, patient = source_of(secure.url, deadline=SOON), source_of(secure.url)
    for _ in range(10):
        assert patient.read("tom.jpg").data == secure.body
    assert secure.connections == 1
    for fault in ("drip", "drip-headers", "hang", "hang-in-body", "short", "huge"):
        source = hasty if READ[fault] is StorageTimeout else patient
        assert outcome(source.read, f"{fault}/tom.jpg") is READ[fault]


def test_a_certificate_of_an_unknown_issuer_is_a_failure(
    secure: MisbehavingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    assert outcome(source_of(secure.url).read, "tom.jpg") is StorageFailed
    assert secure.targets == []


def test_a_handshake_that_never_ends_is_a_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        source = source_of(f"https://127.0.0.1:{mute.getsockname()[1]}", deadline=SOON)
        assert outcome(source.read, "tom.jpg") is StorageTimeout


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
        source = source_of(secure.url)
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
        assert outcome(source_of("https://pictures.invalid", deadline=SOON).read, "tom.jpg") is StorageTimeout
        stop.set()
        proxy.join(WAIT_SECONDS)


def test_a_proxy_that_refuses_is_a_failure(store: MisbehavingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    _proxied(monkeypatch, "HTTPS_PROXY", f"127.0.0.1:{store.port}")
    assert outcome(source_of("https://pictures.invalid").read, "tom.jpg") is StorageFailed


def test_plain_http_sends_the_whole_url_to_the_environments_proxy(
    store: MisbehavingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    _proxied(monkeypatch, "HTTP_PROXY", store.url)
    source = source_of("http://pictures.invalid")
    assert source.read("tom.jpg").data == store.body
    assert store.targets[0].startswith("http://pictures.invalid/bucket/tom.jpg")
