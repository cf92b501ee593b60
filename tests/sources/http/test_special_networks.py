"""Every special-purpose network of IANA's registries and of Python 3.13, at its edges and inside of IPv6 addresses."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest

from tests.support.origins import Names
from thumbs.errors import SourceDenied
from thumbs.sources.http.lookup import Lookup
from thumbs.sources.http.networks import Networks, network_of
from thumbs.sources.http.url import from_text
from thumbs.sources.reading import Deadline

# IANA, IPv4 Special-Purpose Address Registry, all rows; multicast; the address of Azure.
SPECIAL_V4 = {
    "0.0.0.0/8": "RFC 791",
    "0.0.0.0/32": "RFC 1122, 3.2.1.3",
    "10.0.0.0/8": "RFC 1918",
    "100.64.0.0/10": "RFC 6598",
    "127.0.0.0/8": "RFC 1122, 3.2.1.3",
    "168.63.129.16/32": "the platform address of Azure, in no registry",
    "169.254.0.0/16": "RFC 3927",
    "172.16.0.0/12": "RFC 1918",
    "192.0.0.0/24": "RFC 6890, 2.1",
    "192.0.0.0/29": "RFC 7335, DS-Lite",
    "192.0.0.8/32": "RFC 7600, dummy address",
    "192.0.0.9/32": "RFC 7723, PCP anycast",
    "192.0.0.10/32": "RFC 8155, TURN anycast",
    "192.0.0.170/32": "RFC 8880, RFC 7050, discovery of NAT64",
    "192.0.0.171/32": "RFC 8880, RFC 7050, discovery of NAT64",
    "192.0.2.0/24": "RFC 5737",
    "192.31.196.0/24": "RFC 7535",
    "192.52.193.0/24": "RFC 7450",
    "192.88.99.0/24": "RFC 7526",
    "192.88.99.2/32": "RFC 6751, 6a44",
    "192.168.0.0/16": "RFC 1918",
    "192.175.48.0/24": "RFC 7534",
    "198.18.0.0/15": "RFC 2544",
    "198.51.100.0/24": "RFC 5737",
    "203.0.113.0/24": "RFC 5737",
    "224.0.0.0/4": "RFC 5771",
    "240.0.0.0/4": "RFC 1112, 4",
    "255.255.255.255/32": "RFC 8190, RFC 919, 7",
}
# IANA, IPv6 Special-Purpose Address Registry, all rows but 64:ff9b::/96, whose addresses are judged by what they hold;
# what is outside of 2000::/3 anyway is here too.
SPECIAL_V6 = {
    "::1/128": "RFC 4291",
    "::/128": "RFC 4291",
    "::/96": "RFC 4291, 2.5.5.1, IPv4-compatible",
    "::ffff:0:0/96": "RFC 4291",
    "::ffff:0:0:0/96": "RFC 2765, IPv4-translated",
    "64:ff9b:1::/48": "RFC 8215",
    "100::/64": "RFC 6666",
    "100:0:0:1::/64": "RFC 9780",
    "2001::/23": "RFC 2928",
    "2001::/32": "RFC 4380, Teredo",
    "2001:1::1/128": "RFC 7723",
    "2001:1::2/128": "RFC 8155",
    "2001:1::3/128": "RFC 9665",
    "2001:2::/48": "RFC 5180",
    "2001:3::/32": "RFC 7450",
    "2001:4:112::/48": "RFC 7535",
    "2001:10::/28": "RFC 4843, ORCHID",
    "2001:20::/28": "RFC 7343, ORCHIDv2",
    "2001:30::/28": "RFC 9374, DRIP",
    "2001:db8::/32": "RFC 3849",
    "2002::/16": "RFC 3056",
    "2620:4f:8000::/48": "RFC 7534",
    "3fff::/20": "RFC 9637",
    "5f00::/16": "RFC 9602",
    "fc00::/7": "RFC 4193",
    "fe80::/10": "RFC 4291",
    "fec0::/10": "RFC 3879",
    "ff00::/8": "RFC 4291",
}
# `_private_networks` of Python 3.13, so that they are refused on an older one too.
PYTHON_3_13 = (
    *("0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.0.170/31"),
    *("192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4"),
    *("255.255.255.255/32", "::1/128", "::/128", "::ffff:0:0/96", "64:ff9b:1::/48", "100::/64", "2001::/23"),
    *("2001:db8::/32", "2002::/16", "3fff::/20", "fc00::/7", "fe80::/10"),
)
_GIVEN = IPv6Network("2000::/3")


def _in_low_bits(prefix: str) -> Callable[[IPv4Address], IPv6Address]:
    return lambda address: IPv6Address(int(IPv6Address(prefix)) | int(address))


# An IPv4 address inside an IPv6 one. What each form holds is reached by a gateway or the kernel.
FORMS: dict[str, Callable[[IPv4Address], IPv6Address]] = {
    "IPv4-mapped": _in_low_bits("::ffff:0:0"),
    "IPv4-compatible": _in_low_bits("::"),
    "IPv4-translated": _in_low_bits("::ffff:0:0:0"),
    "NAT64": _in_low_bits("64:ff9b::"),
    "NAT64 of a network's own": _in_low_bits("64:ff9b:1::"),
    "6to4": lambda address: IPv6Address(0x2002 << 112 | int(address) << 80 | 1),
    "Teredo": lambda address: IPv6Address(0x20010000 << 96 | (~int(address) & 0xFFFFFFFF)),
    "ISATAP": _in_low_bits("2606:4700::5efe:0:0"),
    "ISATAP of a global address": _in_low_bits("2606:4700::200:5efe:0:0"),
}
# Names, as the clouds have them or as anyone can give them, and the address behind.
CLOUDS = {
    "instance-data.ec2.internal": ("169.254.169.254", "fd00:ec2::254"),
    "credentials.ecs.aws.test": ("169.254.170.2", "169.254.170.23", "fd00:ec2::23"),
    "metadata.google.internal": ("169.254.169.254", "fd20:ce::254"),
    "metadata.azure.internal": ("169.254.169.254", "168.63.129.16"),
    "metadata.oracle.test": ("169.254.169.254", "192.0.0.192", "fd00:c1::a9fe:a9fe"),
    "metadata.alibaba.test": ("100.100.100.200",),
    "metadata.tencentyun.com": ("169.254.0.23", "169.254.10.10"),
    "metadata.digitalocean.test": ("169.254.169.254",),
    "metadata.openstack.test": ("169.254.169.254", "fe80::a9fe:a9fe"),
    "metadata.scaleway.test": ("169.254.42.42", "fd00:42::42"),
}
METADATA = sorted({address for addresses in CLOUDS.values() for address in addresses})
# Networks as wide as they may be. None of them names a metadata service.
WIDE = [network_of(text) for text in ("0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1", "fd00::/8", "192.0.0.0/24")]
PUBLIC = (
    *("1.1.1.1", "8.8.8.8", "93.184.216.34", "191.255.255.255", "192.0.1.0", "223.255.255.255", "192.88.100.0"),
    *("2606:4700::1111", "2a00:1450:4001::1", "2001:200::", "2003::", "2620:4f:7fff:ffff::", "2620:4f:8001::"),
)


def _is_special(address: IPv4Address | IPv6Address) -> bool:
    """By the tables of the test."""
    if isinstance(address, IPv6Address) and address not in _GIVEN:
        return True
    return any(address in ip_network(text) for text in (*SPECIAL_V4, *SPECIAL_V6) if (":" in text) == _is_v6(address))


def _is_v6(address: IPv4Address | IPv6Address) -> bool:
    return isinstance(address, IPv6Address)


def _neighbors(network: IPv4Network | IPv6Network) -> list[IPv4Address | IPv6Address]:
    """The addresses before the first and behind the last one, as far as there are any."""
    kind = type(network[0])
    numbers = (int(network[0]) - 1, int(network[-1]) + 1)
    return [kind(number) for number in numbers if 0 <= number < 1 << network.max_prefixlen]


@pytest.mark.parametrize("text", dict.fromkeys((*SPECIAL_V4, *SPECIAL_V6, *PYTHON_3_13)))
def test_a_special_network_is_refused_from_its_first_address_to_its_last(text: str) -> None:
    network, table = ip_network(text), Networks()
    for address in (network[0], network[-1], network[network.num_addresses // 2]):
        assert table.refusal(address) is not None, address
    for address in _neighbors(network):
        is_nat64 = address in IPv6Network("64:ff9b::/96") if _is_v6(address) else False
        assert (table.refusal(address) is not None) is _is_special(address) or is_nat64, address


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", SPECIAL_V4)
def test_a_special_address_is_refused_inside_of_each_form_of_ipv6(text: str, form: str) -> None:
    network = IPv4Network(text)
    for address in (network[0], network[-1]):
        assert Networks().refusal(FORMS[form](address)) is not None, address


@pytest.mark.parametrize("form", FORMS)
def test_a_public_address_is_reached_through_dns64_and_through_no_other_form(form: str) -> None:
    for text in (each for each in PUBLIC if ":" not in each):
        refusal = Networks().refusal(FORMS[form](IPv4Address(text)))
        assert (refusal is None) is (form == "NAT64"), text


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_is_connected_to(text: str) -> None:
    assert Networks().refusal(ip_address(text)) is None


@pytest.mark.parametrize("name", CLOUDS)
@pytest.mark.parametrize("networks", [Networks(), Networks(WIDE)], ids=["closed", "wide"])
def test_no_name_leads_to_a_metadata_service(name: str, networks: Networks) -> None:
    for address in CLOUDS[name]:
        names = Names()
        names.set(name, [address])
        lookup = Lookup(networks, names)
        with pytest.raises(SourceDenied):
            lookup.candidates(from_text(f"http://{name}/").origin, Deadline(60))
        lookup.close()


@pytest.mark.parametrize("form", [form for form in FORMS if form != "NAT64"])
def test_a_wide_network_opens_no_metadata_service_inside_of_ipv6(form: str) -> None:
    for text in (each for each in METADATA if ":" not in each):
        assert Networks(WIDE).refusal(FORMS[form](IPv4Address(text))) is not None, text
        assert Networks([network_of(text)]).refusal(FORMS[form](IPv4Address(text))) is not None, text


@pytest.mark.parametrize("text", METADATA)
def test_a_metadata_service_is_opened_by_its_own_address_alone(text: str) -> None:
    assert Networks(WIDE).refusal(ip_address(text)) is not None
    assert Networks([network_of(text)]).refusal(ip_address(text)) is None


def test_a_wide_network_opens_what_is_no_metadata_service() -> None:
    for text in ("10.0.0.1", "127.0.0.1", "192.0.0.1", "fd12::1", "::1", "fd00:ec3::1", "::ffff:10.0.0.1"):
        assert Networks(WIDE).refusal(ip_address(text)) is None, text
