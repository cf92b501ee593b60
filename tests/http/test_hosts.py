"""The Host of a request: one valid host with an optional port; none only before HTTP/1.1."""

import pytest

from thumbs.http.targets import are_hosts_valid, is_authority

GOOD = [
    *(b"localhost", b"localhost:8080", b"img.example.com:", b"127.0.0.1:80", b"xn--bcher-kva.example"),
    *(b"[::1]", b"[::1]:8080", b"[2001:db8::ffff:192.0.2.1]", b"[v1.fe80::a+en1]"),
]
BAD = [
    *(b"user@localhost", b"localhost:port", b"local host", b"localhost/", b"[::1", b"::1", b"[::1]x", b"[::1]:x"),
    *(b"[1::2::3]", b"[12345::]", b"[]", b"[localhost]", b"[::1%25eth0]", b"a\x00b"),
]


@pytest.mark.parametrize("host", GOOD)
def test_a_host_is_a_name_or_an_address_with_an_optional_port(host: bytes) -> None:
    assert is_authority(host)
    assert are_hosts_valid([host], "1.1")


@pytest.mark.parametrize("host", BAD)
def test_anything_else_is_no_host(host: bytes) -> None:
    assert not is_authority(host)
    assert not are_hosts_valid([host], "1.1")
    assert not are_hosts_valid([host], "1.0")


def test_none_is_good_before_http_1_1_and_two_are_never() -> None:
    assert [are_hosts_valid([], version) for version in ("0.9", "1.0", "1.1")] == [True, True, False]
    for version in ("1.0", "1.1"):
        assert not are_hosts_valid([b"localhost", b"localhost"], version)
