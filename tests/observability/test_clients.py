"""The client of a request: `X-Forwarded-For` is believed only as far as trusted proxies vouch for it."""

import pytest

from thumbs.observability.clients import Clients

PROXIES = ("10.0.0.0/8", "fd00::/8")


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),  # it is no proxy of ours
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.7, 203.0.113.9", "203.0.113.9"),  # the first may be invented
        ("10.0.0.1", "198.51.100.7, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9, nonsense, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("fd00::1", "2001:db8::1", "2001:db8::1"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("", "203.0.113.9", ""),
        ("10.0.0.1", " , ", "10.0.0.1"),
    ],
)
def test_the_client_is_the_last_address_that_is_no_trusted_proxy(peer: str, forwarded: str, client: str) -> None:
    assert Clients(PROXIES).find(peer, forwarded) == client


def test_no_proxy_is_trusted_by_default() -> None:
    assert Clients().find("127.0.0.1", "203.0.113.9") == "127.0.0.1"


def test_a_proxy_behind_a_unix_socket_can_be_trusted() -> None:
    assert Clients(("unix",)).find("", "203.0.113.9") == "203.0.113.9"
    assert Clients(("unix",)).find("192.0.2.1", "203.0.113.9") == "192.0.2.1"
