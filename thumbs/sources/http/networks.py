"""Which addresses a name may lead to: an address is refused unless it is known to be public, or named as allowed.

Neither `is_private` nor `is_global` of `ipaddress` is such a rule: what they say depends on Python's patch release, and
for several addresses of metadata services, for multicast and for most forms of IPv4 inside IPv6 it is wrong.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# The special-purpose registry of IANA (RFC 6890 and its successors), multicast (RFC 5771), class E, and the address of
# Azure's metadata service and resolver, which the registry does not have.
_CLOSED_V4 = tuple(
    map(
        IPv4Network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16"),
            *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24"),
            *("192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24"),
            *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        ),
    )
)
_PUBLIC_V6 = IPv6Network("2000::/3")  # all that IANA has given to the Internet
# Teredo, ORCHID and benchmarks; documentation; 6to4; AS112; documentation (RFC 9637).
_CLOSED_V6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")))
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052
_NAT64_LENGTHS = (32, 40, 48, 56, 64, 96)
_ISATAP = (0x00005EFE, 0x02005EFE)  # RFC 5214: the upper half of the interface identifier
# Metadata services and link-local addresses open the machine's own credentials. A wider network does not open them.
_NAMED_ONLY = tuple(
    map(
        ip_network,
        (
            "169.254.0.0/16",
            "fe80::/10",
            "168.63.129.16/32",
            "100.100.100.200/32",
            "192.0.0.192/32",
            "fd00:ec2::/32",
            "fd00:c1::a9fe:a9fe/128",
            "fd00:42::42/128",
            "fd20:ce::254/128",
        ),
    )
)
# IPv6 addresses whose lower half ends in an IPv4 address, which the kernel or a gateway connects to: mapped, compatible
# and translated ones (RFC 4291, RFC 2765), and those of a network's own NAT64 (RFC 8215).
_ENDS_IN_V4 = tuple(map(IPv6Network, ("::ffff:0:0/96", "::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48")))


class WrongNetwork(ValueError):
    """No network that can be allowed. The message is the end of "… must be"."""


class Refusal(NamedTuple):
    """The network that an address falls into, and the key of the configuration that opens it."""

    network: str
    opened_by: str = "allowed_networks"


def network_of(text: str) -> Network:
    """The network `text` of `allowed_networks`. Raises `WrongNetwork`."""
    try:
        network = ip_network(text)
    except ValueError:
        raise WrongNetwork(
            'networks such as "10.2.0.0/16" or "fd12:3456::/48", without bits after the prefix'
        ) from None
    if network.prefixlen == 0:
        raise WrongNetwork("networks of your own: this one is every address")
    return network


def nat64_prefix(text: str) -> IPv6Network:
    """The network `text` of `nat64_prefixes`. Raises `WrongNetwork`."""
    try:
        network = IPv6Network(text)
    except ValueError:
        network = None
    if network is None or network.prefixlen not in _NAT64_LENGTHS:
        raise WrongNetwork("IPv6 networks whose prefix has 32, 40, 48, 56, 64 or 96 bits (RFC 6052)")
    return network


class Networks:
    """The table, with the networks that a storage allows and the NAT64 prefixes of its network."""

    def __init__(self, allowed: Iterable[Network] = (), nat64: Iterable[IPv6Network] = ()) -> None:
        self._allowed = tuple(allowed)
        self._nat64 = (_NAT64, *nat64)

    def refusal(self, address: Address) -> Refusal | None:
        """Why no connection to `address` may be opened; None where one may."""
        if isinstance(address, IPv6Address):
            for prefix in self._nat64:
                if address in prefix:  # the address behind the gateway counts
                    return self.refusal(_behind_nat64(address, prefix))
            address = IPv6Address(int(address))  # without a zone
        if self._is_allowed(address):
            return None
        closed = _closed_v4(address) if isinstance(address, IPv4Address) else _closed_v6(address)
        return None if closed is None else Refusal(closed)

    def _is_allowed(self, address: Address) -> bool:
        inside = _inside(address)
        named = next((each for each in _NAMED_ONLY if address in each or inside in each), None)
        if named is None:
            return any(address in network for network in self._allowed)
        return any(address in network and _is_within(network, named) for network in self._allowed)


def address_of(text: str) -> Address:
    """The address of a `sockaddr`, whose zone is dropped."""
    return ip_address(text.partition("%")[0])


def _is_within(network: Network, other: Network) -> bool:
    return network.version == other.version and network.subnet_of(other)  # type: ignore[arg-type]


def _closed_v4(address: IPv4Address) -> str | None:
    return next((str(network) for network in _CLOSED_V4 if address in network), None)


def _closed_v6(address: IPv6Address) -> str | None:
    if address not in _PUBLIC_V6:
        return f"outside {_PUBLIC_V6}"
    if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        return "ISATAP"
    return next((str(network) for network in _CLOSED_V6 if address in network), None)


def _inside(address: Address) -> Address:
    """The IPv4 address inside of an IPv6 one, else `address`. A network's own NAT64 is read as the usual one."""
    if isinstance(address, IPv4Address):
        return address
    if any(address in network for network in _ENDS_IN_V4) or (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.sixtofour or (address if teredo is None else teredo[1])


def _behind_nat64(address: IPv6Address, prefix: IPv6Network) -> IPv4Address:
    """The IPv4 address in `address` (RFC 6052, 2.2): it follows the prefix, and bits 64 to 71 are skipped."""
    if prefix.prefixlen == 96:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    octets = address.packed[:8] + address.packed[9:]
    start = prefix.prefixlen // 8
    return IPv4Address(octets[start : start + 4])
