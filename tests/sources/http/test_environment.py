"""What a process inherits: proxies, `.netrc` and cookies change nothing, and `SSL_CERT_FILE` names more authorities."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.authority import Authority
from tests.support.origins import LOOPBACK, Names, Origin, redirect, response, running_origin, source_of
from thumbs.errors import SourceDenied, SourceMissing, StorageFailed
from thumbs.sources.http.settings import HttpSettings

DATA = b"picture"
NAMES = {"shop_test": "127.0.0.1", "cdn_test": "127.0.0.1"}
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


@pytest.fixture
def origin() -> Iterator[Origin]:
    with running_origin() as origin:
        origin.answers["/a"] = response(DATA)
        yield origin


def _settings(origin: Origin, scheme: str = "http", **keys: object) -> HttpSettings:
    base = f"{scheme}://shop.test:{origin.port}/"
    return HttpSettings(base_url=base, allowed_networks=LOOPBACK, **keys)  # type: ignore[arg-type]


@pytest.mark.parametrize("scheme", ["http", "https", "socks5", "socks5h", "unix"])
def test_no_proxy_of_the_environment_is_connected_to(
    scheme: str, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_origin(host="127.0.0.2") as proxy:
        for name in PROXIES:
            monkeypatch.setenv(name, f"{scheme}://user:secret@127.0.0.2:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("no_proxy", "")
        assert source_of(_settings(origin), Names(**NAMES)).read("a").data == DATA
        assert proxy.connections == 0
    assert origin.targets == ["/a"], "a request for a proxy would have a whole URL as its target"


def test_no_proxy_of_the_environment_is_connected_to_for_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    with running_origin(authority.context("shop.test")) as origin, running_origin(host="127.0.0.2") as proxy:
        origin.answers["/a"] = response(DATA)
        for name in PROXIES:
            monkeypatch.setenv(name, f"http://127.0.0.2:{proxy.port}")
        source = source_of(_settings(origin, "https", ca_file=authority.file), Names(**NAMES))
        assert source.read("a").data == DATA
        assert proxy.connections == 0


def test_no_password_of_a_netrc_is_sent(origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"machine {host} login tom password secret\n" for host in ("shop.test", "127.0.0.1", "localhost")]
    for name in (".netrc", "_netrc"):
        (tmp_path / name).write_text("".join([*lines, "default login tom password secret\n"]))
        (tmp_path / name).chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    origin.answers["/a"] = response(b"", "401 Unauthorized", WWW_Authenticate='Basic realm="shop"')
    origin.answers["/b"] = redirect("/c")
    origin.answers["/c"] = response(DATA)
    source = source_of(_settings(origin), Names(**NAMES))
    for _ in range(2):
        with pytest.raises(SourceDenied):
            source.read("a")
    assert source.read("b").data == DATA
    assert origin.targets == ["/a", "/a", "/b", "/c"]
    assert not [each for each in origin.requests if "authorization" in each.fields]


def test_no_cookie_is_sent_back(origin: Origin) -> None:
    fields = {"Set_Cookie": "session=secret; Path=/; Domain=test"}
    origin.answers |= {
        "/a": response(DATA, **fields),
        "/b": response(b"", "302 Found", Location="/a", **fields),
        "/c": response(b"none", "404 Not Found", **fields),
    }
    source = source_of(_settings(origin), Names(**NAMES))
    for path in ("a", "b", "a"):
        assert source.read(path).data == DATA
    with pytest.raises(SourceMissing):
        source.read("c")
    source.read("a")
    assert origin.targets == ["/a", "/b", "/a", "/a", "/c", "/a"]
    assert not [each for each in origin.requests if "cookie" in each.fields]


def test_a_cookie_of_the_configuration_is_sent_as_it_is(origin: Origin) -> None:
    origin.answers["/a"] = response(DATA, Set_Cookie="a=other")
    source = source_of(_settings(origin, request_headers={"Cookie": "a=b"}), Names(**NAMES))
    for _ in range(2):
        source.read("a")
    assert [each.fields.get("cookie") for each in origin.requests] == ["a=b", "a=b"]


def test_the_authorities_of_the_environment_are_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    with running_origin(authority.context("shop.test")) as origin:
        origin.answers["/a"] = response(DATA)
        with pytest.raises(StorageFailed):
            source_of(_settings(origin, "https"), Names(**NAMES)).read("a")
        monkeypatch.setenv(ssl.get_default_verify_paths().openssl_cafile_env, authority.file)
        assert source_of(_settings(origin, "https"), Names(**NAMES)).read("a").data == DATA
