"""Which addresses may be connected to: the table of special-purpose networks, each with the source of its rule."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest

from thumbs.sources.http.networks import Networks, WrongNetwork, nat64_prefix, network_of

# Of IANA's registries of special-purpose addresses, and of multicast.
CLOSED_V4 = {
    "0.0.0.0/8": "RFC 791, this network",
    "10.0.0.0/8": "RFC 1918",
    "100.64.0.0/10": "RFC 6598, shared addresses",
    "127.0.0.0/8": "RFC 1122, loopback",
    "168.63.129.16/32": "the metadata service and resolver of Azure",
    "169.254.0.0/16": "RFC 3927, link-local",
    "172.16.0.0/12": "RFC 1918",
    "192.0.0.0/24": "RFC 6890, protocol assignments; 192.0.0.192 is Oracle's metadata service",
    "192.0.2.0/24": "RFC 5737, documentation",
    "192.31.196.0/24": "RFC 7535, AS112",
    "192.52.193.0/24": "RFC 7450, AMT",
    "192.88.99.0/24": "RFC 7526, 6to4 relays",
    "192.168.0.0/16": "RFC 1918",
    "192.175.48.0/24": "RFC 7534, AS112",
    "198.18.0.0/15": "RFC 2544, benchmarks",
    "198.51.100.0/24": "RFC 5737, documentation",
    "203.0.113.0/24": "RFC 5737, documentation",
    "224.0.0.0/4": "RFC 5771, multicast",
    "240.0.0.0/4": "RFC 1112, reserved, with the broadcast address of RFC 919",
}
CLOSED_V6 = {
    "::/128": "RFC 4291, unspecified",
    "::1/128": "RFC 4291, loopback",
    "::ffff:0:0/96": "RFC 4291, IPv4-mapped",
    "::ffff:0:0:0/96": "RFC 2765, IPv4-translated",
    "64:ff9b:1::/48": "RFC 8215, translation of a network's own",
    "100::/64": "RFC 6666, discard",
    "100:0:0:1::/64": "RFC 9780, dummy prefix",
    "2001::/23": "RFC 2928: Teredo, benchmarks, ORCHID and others",
    "2001:db8::/32": "RFC 3849, documentation",
    "2002::/16": "RFC 3056, 6to4",
    "3fff::/20": "RFC 9637, documentation",
    "5f00::/16": "RFC 9602, segment routing",
    "fc00::/7": "RFC 4193, unique local",
    "fe80::/10": "RFC 4291, link-local",
    "fec0::/10": "RFC 3879, site-local",
    "ff00::/8": "RFC 4291, multicast",
}
METADATA = {
    "169.254.169.254": "AWS, Google, Azure, DigitalOcean, OpenStack",
    "169.254.170.2": "AWS, credentials of containers",
    "100.100.100.200": "Alibaba",
    "192.0.0.192": "Oracle",
    "168.63.129.16": "Azure",
    "fd00:ec2::254": "AWS",
    "fd20:ce::254": "Google",
}
PUBLIC = (
    *("1.1.1.1", "8.8.8.8", "93.184.216.34", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0"),
    *("126.255.255.255", "128.0.0.0", "168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0"),
    *("172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255"),
    *("198.20.0.0", "203.0.112.255", "203.0.114.0", "223.255.255.255"),
    *("2606:4700::1111", "2a00:1450:4001::1", "2001:200::1", "2001:db7:ffff::1", "2001:db9::1", "2003::1"),
    *("64:ff9b::808:808", "64:ff9b::5db8:d822"),
)
# An IPv4 address inside an IPv6 one: all that gateways and tunnels of a network may open.
FORMS = {
    "mapped": lambda address: f"::ffff:{address}",
    "compatible": lambda address: f"::{address}",
    "translated": lambda address: f"::ffff:0:{address}",
    "nat64": lambda address: f"64:ff9b::{address}",
    "own-nat64": lambda address: f"64:ff9b:1::{address}",
    "6to4": lambda address: str(IPv6Address((0x2002 << 112) | (int(IPv4Address(address)) << 80) | 1)),
    "teredo": lambda address: str(IPv6Address((0x20010000 << 96) | (int(IPv4Address(address)) ^ 0xFFFFFFFF))),
    "isatap": lambda address: f"2a00:1450::5efe:{address}",
    "isatap-global": lambda address: f"2a00:1450::200:5efe:{address}",
}


@pytest.mark.parametrize("network", [*CLOSED_V4, *CLOSED_V6])
def test_no_address_of_a_special_network_is_connected_to(network: str) -> None:
    table, closed = Networks(), ip_network(network)
    for address in (closed[0], closed[-1], closed[closed.num_addresses // 2]):
        assert table.refusal(address) is not None, address


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_connected_to(address: str) -> None:
    assert Networks().refusal(ip_address(address)) is None


@pytest.mark.parametrize("middle", ["5eff", "5efd", "5e7e", "1:5efe", "100:5efe"])
def test_an_address_that_ends_nearly_as_one_of_isatap_has_no_other_inside(middle: str) -> None:
    assert Networks().refusal(ip_address(f"2a00:1450::{middle}:127.0.0.1")) is None
    of_the_site = Networks([network_of("fd00::/8")])
    assert of_the_site.refusal(ip_address(f"fd00::{middle}:169.254.169.254")) is None
    assert of_the_site.refusal(ip_address("fd00::5efe:169.254.169.254")) is not None


@pytest.mark.parametrize("address", METADATA)
def test_no_metadata_service_is_connected_to(address: str) -> None:
    assert Networks().refusal(ip_address(address)) is not None


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"])
def test_an_ipv4_address_inside_an_ipv6_one_opens_nothing(form: str, address: str) -> None:
    assert Networks().refusal(ip_address(FORMS[form](address))) is not None


def test_an_address_behind_a_nat64_gateway_is_judged_by_what_is_behind_it() -> None:
    for length, text in {
        32: "2a00:1450:7f00:1::",
        40: "2a00:1450:207f:0:1::",
        48: "2a00:1450:20:7f00:0:100::",
        56: "2a00:1450:20:307f:0:1::",
        64: "2a00:1450:20:30:7f:0:100::",
        96: "2a00:1450:20:30::7f00:1",
    }.items():
        prefix = IPv6Network((int(IPv6Address(text)) >> (128 - length) << (128 - length), length))
        assert Networks().refusal(IPv6Address(text)) is None, "without the key it is a public address"
        assert Networks(nat64=[prefix]).refusal(IPv6Address(text)) is not None, length


def test_an_allowed_network_opens_its_addresses_and_no_others() -> None:
    table = Networks([network_of("10.2.0.0/16"), network_of("fd12::/48")])
    for address, is_open in {
        "10.2.0.0": True,
        "10.2.255.255": True,
        "10.1.255.255": False,
        "10.3.0.0": False,
        "fd12::1": True,
        "fd13::1": False,
    }.items():
        assert (table.refusal(ip_address(address)) is None) is is_open, address


@pytest.mark.parametrize("address", ["169.254.169.254", "168.63.129.16", "fe80::1", "fd00:ec2::254"])
def test_a_wide_network_opens_no_metadata_service(address: str) -> None:
    wide = Networks(map(network_of, ("128.0.0.0/1", "168.0.0.0/8", "fc00::/6", "fd00::/8")))
    assert wide.refusal(ip_address(address)) is not None
    assert Networks([network_of(address)]).refusal(ip_address(address)) is None


def test_a_link_local_network_can_be_named() -> None:
    assert Networks([IPv4Network("169.254.10.0/24")]).refusal(ip_address("169.254.10.1")) is None


def test_a_refusal_names_the_network_and_the_key_that_opens_it() -> None:
    refusal = Networks().refusal(ip_address("10.1.2.3"))
    assert refusal is not None
    assert (refusal.network, refusal.opened_by) == ("10.0.0.0/8", "allowed_networks")


@pytest.mark.parametrize("text", ["0.0.0.0/0", "::/0", "10.0.0.1/8", "10", "example.com", "10.0.0.0/33", ""])
def test_what_is_no_network_of_ones_own_is_refused(text: str) -> None:
    with pytest.raises(WrongNetwork):
        network_of(text)


@pytest.mark.parametrize("text", ["64:ff9b::/95", "10.0.0.0/8", "64:ff9b::1/96", ""])
def test_what_is_no_nat64_prefix_is_refused(text: str) -> None:
    with pytest.raises(WrongNetwork):
        nat64_prefix(text)
