"""The address of a client, behind proxies that are trusted to name it."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

UNIX = "unix"  # stands for every proxy that connects through a Unix socket


class Clients:
    """Finds addresses. `trusted` are the networks of proxies, in CIDR notation, or `unix`.

    Only what a trusted proxy says is believed: `X-Forwarded-For` is read from its end, over the proxies that are
    trusted, to the first address that is none of them.
    """

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        names = tuple(trusted)
        self._unix = UNIX in names
        self._networks = [ipaddress.ip_network(name, strict=False) for name in names if name != UNIX]
        self.find = lru_cache(maxsize=1024)(self._find)

    def _find(self, peer: str, forwarded_for: str) -> str:
        """The client's address. `peer` is that of the connection, empty for a Unix socket."""
        if not forwarded_for or not self._is_trusted(peer):
            return peer
        client = peer
        for value in reversed(forwarded_for.split(",")):
            address = _address(value.strip())
            if address is None:
                break
            client = address
            if not self._is_trusted(client):
                break
        return client

    def _is_trusted(self, address: str) -> bool:
        if not address:
            return self._unix
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in self._networks)


def _address(value: str) -> str | None:
    """The address in a field of `X-Forwarded-For`, which may have a port; None if there is none."""
    if value.startswith("["):
        value = value[1:].partition("]")[0]
    elif value.count(":") == 1:
        value = value.partition(":")[0]
    parsed = _parsed(value)
    return None if parsed is None else str(parsed)


def _parsed(value: str) -> "ipaddress.IPv4Address | ipaddress.IPv6Address | None":
    try:
        parsed = ipaddress.ip_address(value)
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return mapped or parsed
