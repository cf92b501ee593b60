"""Places of the own network, in every spelling, and a watcher that sees each TCP connection that a machine begins."""

import socket
import struct
import threading
import time

from tests.support.waiting import WAIT_SECONDS

CODES = (301, 302, 303, 307, 308)
ADDRESSES_V4 = (
    *("127.0.0.1", "127.0.0.5", "127.255.255.254", "0.0.0.0", "0.0.0.1", "10.0.0.5", "100.64.0.1", "100.100.100.200"),
    *("168.63.129.16", "169.254.169.254", "172.16.0.1", "192.0.0.192", "192.168.1.1", "192.88.99.1", "198.18.0.1"),
    *("224.0.0.1", "240.0.0.1", "255.255.255.255"),
)
ADDRESSES_V6 = (
    *("::1", "::", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::ffff:0:127.0.0.1"),
    *(
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b::a00:5",
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::",
    ),
    *("2001:0:5db8:d822::80ff:fffe", "2606:2800:220:1:0:5efe:7f00:1", "2606:2800:220:1:200:5efe:7f00:1", "fe80::1"),
    *("fec0::1", "fc00::1", "fd00:ec2::254", "fd20:ce::254", "ff02::1", "2001:db8::1", "3fff::1", "5f00::1", "100::1"),
)
# Hosts of URLs. Of some of them, other parsers make a public one.
HOSTS = (
    *("127.0.0.1", "127.0.0.1:22", "127.0.0.1:80", "127.0.0.1.", "127.0.0.1..", "0.0.0.0", "0", "10.0.0.5"),
    *("169.254.169.254", "169.254.169.254.", "2130706433", "017700000001", "0x7f000001", "0x7f.1", "0177.0.0.1"),
    *("127.1", "127.0.1", "127.0.0.01", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "169.254.43518"),
    *(
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1%25lo]",
    ),
    *("localhost", "LOCALHOST", "localhost.", "localhost.localdomain", "ip6-localhost", "metadata"),
    *("metadata.google.internal", "user@127.0.0.1", "public.test@127.0.0.1", "public.test:80@127.0.0.1"),
    *(
        "public.test%40127.0.0.1",
        "127.0.0.1%00public.test",
        "127.0.0.1%09",
        "127\u30020\u30020\u30021",
        "\u24601.0.0.1",
    ),
    *("\uff11\uff12\uff17.0.0.1", "loca\u200blhost", "\uff4cocalhost", "xn--localhost-.test"),
)
SCHEMES = (
    *("file:///etc/passwd", "ftp://10.0.0.5/", "gopher://10.0.0.5:80/_GET", "dict://10.0.0.5:80/", "data:image/png,x"),
    *("ws://10.0.0.5/", "unix:///run/x.sock", "///10.0.0.5/a", "http:///10.0.0.5/a", "http:10.0.0.5/a", "//10.0.0.5/a"),
    *("https:10.0.0.5", "//public.test@10.0.0.5/a", "/\\10.0.0.5/a", "javascript:0"),
)


def name_of(address: str) -> str:
    """The name that the resolver of the tests knows for an address."""
    return f"a{address.replace(':', '-').replace('.', '-')}z.evil.test"


def urls() -> list[str]:
    """URLs that must not be connected to."""
    names = map(name_of, (*ADDRESSES_V4, *ADDRESSES_V6))
    return [f"{scheme}://{host}/secret" for host in (*names, *HOSTS) for scheme in ("http", "https")]


class Watcher:
    """Sees each packet that begins a TCP connection over the loopback interface, wherever it goes (Linux, root)."""

    def __init__(self) -> None:
        self._found: set[tuple[str, int]] = set()
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        self._socket.bind(("lo", 0))
        threading.Thread(target=self._watch, daemon=True).start()

    def found(self) -> list[str]:
        """`address port` of all connections so far, and of one that this method begins, to show that it sees them."""
        control = ("198.51.100.77", 4321)
        with socket.socket() as probe:
            probe.setblocking(False)
            probe.connect_ex(control)
            end = time.monotonic() + WAIT_SECONDS
            while control not in self._found and time.monotonic() < end:
                time.sleep(0.02)
        return sorted(f"{address} {port}" for address, port in self._found)

    def _watch(self) -> None:
        while True:
            data, (_, kind, *_rest) = self._socket.recvfrom(256)
            if kind == 0x0800 and data[9] == socket.IPPROTO_TCP:
                address, tcp = socket.inet_ntop(socket.AF_INET, data[16:20]), data[(data[0] & 15) * 4 :]
            elif kind == 0x86DD and data[6] == socket.IPPROTO_TCP:
                address, tcp = socket.inet_ntop(socket.AF_INET6, data[24:40]), data[40:]
            else:
                continue
            flags = tcp[13]
            if flags & 0x12 == 0x02:  # SYN without ACK
                self._found.add((address, struct.unpack(">H", tcp[2:4])[0]))
