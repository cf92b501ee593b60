"""An nginx as the origin of a source: its connections, TLS, conditions, rates and restarts."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.nginx_origin import NginxOrigin, TlsOrigin, nginx_origin, tls_origin
from tests.support.origins import LOOPBACK, Names, close_sources, source_of
from tests.support.servers import free_port
from thumbs.errors import StorageFailed, StorageTimeout
from thumbs.sources.http.settings import HttpSettings
from thumbs.sources.http.source import HttpSource
from thumbs.sources.source import Original, Unchanged

DATA = bytes(range(256)) * 40
NAMES = {"shop_test": "127.0.0.1", "other_test": "127.0.0.1"}


@pytest.fixture(autouse=True)
def _closed_sources() -> Iterator[None]:
    yield
    close_sources()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    files = tmp_path / "files"
    files.mkdir()
    (files / "a.jpg").write_bytes(DATA)
    return files


@pytest.fixture
def origin(files: Path, tmp_path: Path) -> Iterator[NginxOrigin]:
    with nginx_origin(files, tmp_path / "nginx") as origin:
        yield origin


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def tls(files: Path, tmp_path: Path, authority: Authority) -> Iterator[TlsOrigin]:
    with tls_origin(files, tmp_path / "nginx", authority, "shop.test", "127.0.0.1") as origin:
        yield origin


def _plain(origin: NginxOrigin, **keys: object) -> HttpSource:
    return source_of(HttpSettings(base_url=origin.base, allowed_networks=LOOPBACK, **keys))  # type: ignore[arg-type]


def _secure(port: int, authority: Authority | None, host: str = "shop.test", **keys: object) -> HttpSource:
    base, ca = f"https://{host}:{port}/", None if authority is None else authority.file
    settings = HttpSettings(base_url=base, allowed_networks=LOOPBACK, ca_file=ca, **keys)  # type: ignore[arg-type]
    return source_of(settings, Names(**NAMES))


def test_a_hundred_requests_at_once_take_as_many_connections_as_a_host_may_have(origin: NginxOrigin) -> None:
    source = _plain(origin)
    with ThreadPoolExecutor(32) as pool:
        assert list(pool.map(lambda _: source.read("a.jpg").data, range(100))) == [DATA] * 100
    assert len(origin.requests("/a.jpg", at_least=100)) == 100
    assert origin.connections <= HttpSettings().max_conns_per_host


def test_a_hundred_requests_one_after_another_take_one_connection(origin: NginxOrigin) -> None:
    source = _plain(origin)
    assert [source.read("a.jpg").data for _ in range(100)] == [DATA] * 100
    assert len(origin.requests("/a.jpg", at_least=100)) == 100
    assert origin.connections == 1


def test_a_hundred_requests_over_tls_take_as_many_connections_as_a_host_may_have(
    tls: TlsOrigin, authority: Authority
) -> None:
    source = _secure(tls.port, authority, max_conns_per_host=4)
    with ThreadPoolExecutor(32) as pool:
        assert list(pool.map(lambda _: source.read("a.jpg").data, range(100))) == [DATA] * 100
    requests = tls.requests(at_least=100)
    assert len(requests) == 100
    assert len({request.connection for request in requests}) <= 4


def test_the_server_sees_the_name_in_the_handshake_and_in_the_request(tls: TlsOrigin, authority: Authority) -> None:
    assert _secure(tls.port, authority).read("a.jpg").data == DATA
    (request,) = tls.requests(at_least=1)
    assert (request.server_name, request.host) == ("shop.test", f"shop.test:{tls.port}")
    assert request.protocol in ("TLSv1.2", "TLSv1.3")


@pytest.mark.parametrize("case", ["another name", "an unknown authority"])
def test_no_request_is_sent_to_a_server_whose_certificate_does_not_fit(
    case: str, tls: TlsOrigin, authority: Authority
) -> None:
    other = case == "another name"
    source = _secure(tls.port, authority if other else None, "other.test" if other else "shop.test")
    with pytest.raises(StorageFailed):
        source.read("a.jpg")
    assert _secure(tls.port, authority).read("a.jpg").data == DATA
    assert len(tls.requests(at_least=1)) == 1


def test_a_server_that_wants_a_certificate_gets_that_of_the_configuration(tls: TlsOrigin, authority: Authority) -> None:
    certificate, key = authority.issue("mage.test")
    with pytest.raises(StorageFailed):
        _secure(tls.strict_port, authority).read("a.jpg")
    source = _secure(tls.strict_port, authority, client_cert=certificate, client_key=key)
    assert source.read("a.jpg").data == DATA
    assert [(each.status, each.client) for each in tls.requests(at_least=2)] == [("400", "NONE"), ("200", "SUCCESS")]


def test_an_original_without_a_tag_is_asked_about_by_its_date(origin: NginxOrigin) -> None:
    source = _plain(origin)
    version = source.read("dated/a.jpg").version
    assert version.token is not None
    assert version.token.startswith("modified:")
    assert source.read_if_changed("dated/a.jpg", version) == Unchanged()
    (origin.files / "a.jpg").write_bytes(DATA[::-1] + b"!")
    os.utime(origin.files / "a.jpg", (1_000_000_000, 1_000_000_000))
    changed = source.read_if_changed("dated/a.jpg", version)
    assert isinstance(changed, Original)
    assert changed.data == DATA[::-1] + b"!"
    rows = origin.requests("/dated/a.jpg", at_least=3)
    assert rows[0] == (200, "-")
    assert rows[1] == (304, version.token.removeprefix("modified:").rpartition(":")[0])


def test_a_slow_origin_is_read_whole_or_until_the_deadline(origin: NginxOrigin) -> None:
    assert _plain(origin).read("slow/a.jpg").data == DATA
    with pytest.raises(StorageTimeout):
        _plain(origin, request_timeout_sec=0.5).read("slow/a.jpg")


def test_a_restart_of_the_origin_between_two_requests_is_not_seen(files: Path, tmp_path: Path) -> None:
    port = free_port()
    source: HttpSource | None = None
    for number in range(3):
        with nginx_origin(files, tmp_path / f"nginx{number}", port) as origin:
            source = source or _plain(origin)
            for _ in range(2):
                assert source.read("a.jpg").data == DATA
            assert origin.connections == 1
