"""The edges of the special-purpose networks: the address before the first one and that behind the last one."""

import ipaddress
from ipaddress import IPv4Address, IPv4Network, ip_network

import pytest

from thumbs.sources.http.networks import Networks

# The public neighbors of networks: what is before the first address, and behind the last one. None where that is
# another special-purpose network, or no address.
NEIGHBORS: dict[str, tuple[str | None, str | None]] = {
    "0.0.0.0/8": (None, "1.0.0.0"),
    "10.0.0.0/8": ("9.255.255.255", "11.0.0.0"),
    "100.64.0.0/10": ("100.63.255.255", "100.128.0.0"),
    "127.0.0.0/8": ("126.255.255.255", "128.0.0.0"),
    "168.63.129.16/32": ("168.63.129.15", "168.63.129.17"),
    "169.254.0.0/16": ("169.253.255.255", "169.255.0.0"),
    "172.16.0.0/12": ("172.15.255.255", "172.32.0.0"),
    "192.0.0.0/24": ("191.255.255.255", "192.0.1.0"),
    "192.0.2.0/24": ("192.0.1.255", "192.0.3.0"),
    "192.31.196.0/24": ("192.31.195.255", "192.31.197.0"),
    "192.52.193.0/24": ("192.52.192.255", "192.52.194.0"),
    "192.88.99.0/24": ("192.88.98.255", "192.88.100.0"),
    "192.168.0.0/16": ("192.167.255.255", "192.169.0.0"),
    "192.175.48.0/24": ("192.175.47.255", "192.175.49.0"),
    "198.18.0.0/15": ("198.17.255.255", "198.20.0.0"),
    "198.51.100.0/24": ("198.51.99.255", "198.51.101.0"),
    "203.0.113.0/24": ("203.0.112.255", "203.0.114.0"),
    "224.0.0.0/4": ("223.255.255.255", None),
    "240.0.0.0/4": (None, None),
    "2001::/23": ("2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"),
    "2001:db8::/32": ("2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"),
    "2002::/16": ("2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"),
    "3fff::/20": ("3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"),
}


@pytest.mark.parametrize("text", NEIGHBORS)
def test_a_network_ends_where_its_registry_says(text: str) -> None:
    table, network = Networks(), ip_network(text)
    assert None not in (table.refusal(network[0]), table.refusal(network[-1]))
    for address, neighbor in zip((int(network[0]) - 1, int(network[-1]) + 1), NEIGHBORS[text], strict=True):
        if neighbor is not None:
            assert int(ipaddress.ip_address(neighbor)) == address
            assert table.refusal(ipaddress.ip_address(neighbor)) is None, neighbor


def test_outside_of_what_is_given_to_the_internet_no_address_is_public() -> None:
    given = ip_network("2000::/3")
    for address in (given[0] - 1, given[-1] + 1):
        assert Networks().refusal(address) is not None, address
    for address in (given[0], given[-1]):
        assert Networks().refusal(address) is None, address


@pytest.mark.parametrize("kind", ["_IPv4Constants", "_IPv6Constants"])
def test_what_this_python_calls_private_is_refused_too(kind: str) -> None:
    """Not the other way round: what `ipaddress` calls global is no rule here."""
    constants = getattr(ipaddress, kind, None)
    if constants is None:
        pytest.skip("this Python keeps its table elsewhere")
    for network in constants._private_networks:
        # 192.0.0.9 and 192.0.0.10 and some of 2001::/23 are exceptions in newer tables; here they are refused.
        assert Networks().refusal(network[0]) is not None, network
        assert Networks().refusal(network[-1]) is not None, network


def test_addresses_of_all_ipv4_are_judged_as_the_table_of_networks_says() -> None:
    """Addresses at even distances, against a table that is written otherwise: intervals of integers."""
    closed = [
        (int(network[0]), int(network[-1]))
        for network in map(IPv4Network, (text for text in NEIGHBORS if ":" not in text))
    ]
    table = Networks()
    for number in range(0, 1 << 32, 65_521 * 16):
        is_closed = any(first <= number <= last for first, last in closed)
        assert (table.refusal(IPv4Address(number)) is not None) is is_closed, IPv4Address(number)
