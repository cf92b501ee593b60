"""The only look-up of a connection: names become addresses here, and forbidden ones are dropped here."""

import socket
from collections.abc import Callable
from typing import Any, NamedTuple

from thumbs.errors import SourceDenied, StorageFailed
from thumbs.sources.http.faults import Fault
from thumbs.sources.http.networks import Networks, address_of
from thumbs.sources.http.url import Origin, is_address
from thumbs.sources.reading import Deadline
from thumbs.sources.thread_pool import DaemonThreadPool

_THREADS = 8
# What a resolver says of a name that does not exist, or that has no address.
_UNKNOWN = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME), socket.EAI_ADDRFAMILY})
# A row of `getaddrinfo`.
Row = tuple[Any, Any, int, str, Any]
Resolve = Callable[[str, int], list[Row]]


class Candidate(NamedTuple):
    """An address that a connection may be opened to: the family, and the `sockaddr`."""

    family: int
    sockaddr: tuple[Any, ...]


def system_resolver(host: str, port: int) -> list[Row]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class Lookup:
    """Looks names up, and judges their addresses by the table of `networks`.

    `resolve` cannot be interrupted, so it runs in threads of its own. With `absolute`, a name with a dot is looked up
    as it is, without the search list of the system.
    """

    def __init__(self, networks: Networks, resolve: Resolve = system_resolver, *, absolute: bool = False) -> None:
        self._networks = networks
        self._resolve = resolve
        self._absolute = absolute
        self._pool = DaemonThreadPool(_THREADS)

    def candidates(self, origin: Origin, deadline: Deadline) -> list[Candidate]:
        """The addresses of a host that may be connected to, in the order of the resolver.

        Raises `SourceDenied` when there are none, from a `Fault` if the network of an address is the reason,
        `StorageTimeout` at the deadline, and `StorageFailed` when the
        resolver fails. What is unknown and what is refused gives the same error: the network is not described.
        """
        is_plain = "." not in origin.host or is_address(origin.host)
        name = f"{origin.host}." if self._absolute and not is_plain else origin.host
        try:
            rows = self._pool.call(lambda: self._resolve(name, origin.port), deadline)
        except socket.gaierror as error:
            raise (SourceDenied if error.errno in _UNKNOWN else StorageFailed) from error
        except (OSError, UnicodeError) as error:
            raise StorageFailed from error
        found: list[Candidate] = []
        fault: Fault | None = None
        for family, _, _, _, sockaddr in rows:
            if family not in (socket.AF_INET, socket.AF_INET6):
                continue
            refusal = self._networks.refusal(address_of(sockaddr[0]))
            if refusal is None:
                found.append(Candidate(family, sockaddr))
            else:
                # The network, and not the address: logs are read by more people than the network's plan.
                fault = Fault(
                    f"an address of {origin.host} is in {refusal.network}, which {refusal.opened_by} could open"
                )
        if not found:
            raise SourceDenied from fault
        return found

    def close(self) -> None:
        self._pool.close()
