"""TLS: the certificate is checked by name, and the connection goes to the address that was judged."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.origins import LOOPBACK, Names, Origin, Received, redirect, response, running_origin, source_of
from thumbs.errors import StorageFailed
from thumbs.sources.http.settings import HttpSettings

DATA = b"picture"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def origin(authority: Authority) -> Iterator[Origin]:
    with running_origin(authority.context("shop.test", "127.0.0.1")) as origin:
        origin.answers["/a"] = response(DATA)
        yield origin


def _settings(origin: Origin, authority: Authority | None, host: str = "shop.test", **keys: object) -> HttpSettings:
    base, ca = f"https://{host}:{origin.port}/", None if authority is None else authority.file
    return HttpSettings(base_url=base, allowed_networks=LOOPBACK, ca_file=ca, **keys)  # type: ignore[arg-type]


NAMES = {"shop_test": "127.0.0.1", "other_test": "127.0.0.1"}


def test_a_certificate_of_the_name_is_trusted(origin: Origin, authority: Authority) -> None:
    source = source_of(_settings(origin, authority), Names(**NAMES))
    assert [source.read("a").data for _ in range(3)] == [DATA] * 3
    assert origin.connections == 1
    assert origin.requests[0].fields["host"] == f"shop.test:{origin.port}"


def test_authorities_are_read_once_and_only_where_a_connection_has_tls(
    origin: Origin, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[ssl.SSLContext] = []
    make = ssl.create_default_context

    def counted() -> ssl.SSLContext:
        made.append(make())
        return made[-1]

    monkeypatch.setattr(ssl, "create_default_context", counted)
    with running_origin() as plain:
        plain.answers["/a"] = response(DATA)
        base = f"http://shop.test:{plain.port}/"
        source = source_of(HttpSettings(base_url=base, allowed_networks=LOOPBACK), Names(**NAMES))
        assert source.read("a").data == DATA
    assert made == []
    origin.answers["/b"] = response(DATA, Connection="close")
    source = source_of(_settings(origin, authority), Names(**NAMES))
    assert [source.read(path).data for path in "bab"] == [DATA] * 3
    assert len(made) == 1


def test_the_name_is_sent_in_the_handshake(authority: Authority) -> None:
    context, asked = authority.context("shop.test"), []
    context.sni_callback = lambda _, name, __: asked.append(name)
    with running_origin(context) as origin:
        origin.answers["/a"] = response(DATA)
        source_of(_settings(origin, authority), Names(**NAMES)).read("a")
    assert asked == ["shop.test"]


def test_an_address_is_checked_against_the_certificate_too(origin: Origin, authority: Authority) -> None:
    assert source_of(_settings(origin, authority, "127.0.0.1")).read("a").data == DATA


@pytest.mark.parametrize("case", ["another name", "unknown authority", "another address"])
def test_a_certificate_that_does_not_fit_is_refused(case: str, origin: Origin, authority: Authority) -> None:
    settings = {
        "another name": _settings(origin, authority, "other.test"),
        "unknown authority": _settings(origin, None),
        "another address": _settings(origin, authority, "127.0.0.3"),
    }[case]
    if case == "another address":
        with running_origin(authority.context("127.0.0.1"), host="127.0.0.3") as elsewhere:
            settings = _settings(elsewhere, authority, "127.0.0.3")
            with pytest.raises(StorageFailed):
                source_of(settings).read("a")
        return
    with pytest.raises(StorageFailed):
        source_of(settings, Names(**NAMES)).read("a")
    assert origin.requests == []


def test_old_versions_of_tls_are_refused(authority: Authority) -> None:
    context = authority.context("shop.test")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSVersion"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSVersion"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with running_origin(context) as origin, pytest.raises(StorageFailed):
        source_of(_settings(origin, authority), Names(**NAMES)).read("a")


def test_a_client_certificate_is_sent(authority: Authority) -> None:
    context = authority.context("shop.test")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.file)
    certificate, key = authority.issue("mage.test")
    files = {"client_cert": certificate, "client_key": key}
    with running_origin(context) as origin:
        origin.answers["/a"] = response(DATA)
        with pytest.raises(StorageFailed):
            source_of(_settings(origin, authority), Names(**NAMES)).read("a")
        assert source_of(_settings(origin, authority, **files), Names(**NAMES)).read("a").data == DATA


def test_a_body_until_the_end_needs_the_end_of_tls(origin: Origin, authority: Authority) -> None:
    def cut(connection: object, _: Received) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + DATA)  # type: ignore[attr-defined]
        connection.shutdown(2)  # type: ignore[attr-defined]  # without the message that ends TLS
        return False

    def whole(connection: object, _: Received) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + DATA)  # type: ignore[attr-defined]
        return False

    origin.answers |= {"/cut": cut, "/whole": whole}
    source = source_of(_settings(origin, authority), Names(**NAMES))
    with pytest.raises(StorageFailed):
        source.read("cut")
    assert source.read("whole").data == DATA


def test_an_expired_certificate_is_refused(authority: Authority) -> None:
    with running_origin(authority.context("shop.test", days=-1)) as origin, pytest.raises(StorageFailed):
        source_of(_settings(origin, authority), Names(**NAMES)).read("a")


def test_a_redirect_from_http_to_https_is_followed(origin: Origin, authority: Authority) -> None:
    with running_origin() as plain:
        settings = HttpSettings(
            allowed_sources=(f"http://shop.test:{plain.port}/",),
            allowed_redirects=(f"https://shop.test:{origin.port}/",),
            allowed_networks=LOOPBACK,
            ca_file=authority.file,
        )
        plain.answers["/a"] = redirect(f"https://shop.test:{origin.port}/a")
        assert source_of(settings, Names(**NAMES)).read(f"http://shop.test:{plain.port}/a").data == DATA
