"""Reads originals in a network namespace of its own, with real DNS, TLS and addresses, and prints what came of it.

`unshare -n -m python -m tests.support.http_namespace DIRECTORY` sets up a resolver that rebinds, an nginx on public
addresses with a certificate of a test's authority, services on a metadata address and on a private one that count their
connections, and a watcher of all connections. Every address has a route, which ends in the namespace: nothing of it is
reachable from outside, and nothing outside from it.
"""

import json
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from tests.support.authority import Authority
from tests.support.private_targets import ADDRESSES_V4, ADDRESSES_V6, CODES, SCHEMES, Watcher, name_of, urls
from tests.support.servers import service
from tests.support.waiting import WAIT_SECONDS
from thumbs.errors import ThumbError
from thumbs.sources.http.settings import HttpSettings
from thumbs.sources.http.source import HttpSource

PUBLIC, PUBLIC_V6, METADATA, PRIVATE = "93.184.216.34", "2606:2800:220:1::34", "169.254.169.254", "10.0.0.5"
NAT64 = "64:ff9b::5db8:d822"  # the public address behind a gateway
DATA = b"a picture of the origin"
_NGINX = """
user root;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/nginx-error.log;
events {{ worker_connections 256; }}
http {{
  access_log {directory}/nginx-access.log;
  server {{
    listen {public}:80; listen [{public_v6}]:80; listen [{nat64}]:80; listen {public}:443 ssl;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    root {directory}/files;
    location = /to-https {{ return 301 https://public.test/a.jpg; }}
    location = /to-metadata {{ return 302 http://{metadata}/secret; }}
    location = /to-metadata-name {{ return 302 http://metadata.test/secret; }}
    location = /to-private {{ return 307 http://private.test/secret; }}
    location = /to-rebinding {{ return 308 http://rebinding.test/secret; }}
    location = /to-mixed {{ return 303 http://only-bad.test/secret; }}
    {redirects}
  }}
}}
"""
_A, _AAAA, _CNAME = 1, 28, 5
Record = tuple[int, bytes]


def _a(*addresses: str) -> list[Record]:
    return [(_A, socket.inet_aton(address)) for address in addresses]


def _aaaa(address: str) -> list[Record]:
    return [(_AAAA, socket.inet_pton(socket.AF_INET6, address))]


def _always(records: list[Record], _: int) -> list[Record]:
    return records


class NameServer:
    """Answers A, AAAA and CNAME with TTL 0. `asked` counts the names of questions for A."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.zone: dict[str, Callable[[int], list[Record] | None]] = {
            "public.test": lambda _: _a(PUBLIC),
            "other.test": lambda _: _a(PUBLIC),
            "v6.test": lambda _: _aaaa(PUBLIC_V6),
            "alias.test": lambda _: [(_CNAME, _labels("public.test")), *_a(PUBLIC)],
            "mixed.test": lambda _: _a(METADATA, PRIVATE, PUBLIC),
            "only-bad.test": lambda _: _a(METADATA, PRIVATE),
            "metadata.test": lambda _: _a(METADATA),
            "private.test": lambda _: _a(PRIVATE),
            "rebinding.test": lambda number: _a(PUBLIC if number == 1 else METADATA),
            "many.test": lambda _: _a(*(f"10.9.{n // 200}.{n % 200}" for n in range(299)), PUBLIC),
            "hangs.test": lambda _: None,
            "cloud.evil.internal.test": lambda _: _a(PUBLIC),
            "unreachable.test": lambda _: _a("93.184.216.99", PUBLIC),
            "nat64.test": lambda _: _aaaa(NAT64),
        }
        for address in ADDRESSES_V4:
            self.zone[name_of(address)] = partial(_always, _a(address))
        for address in ADDRESSES_V6:
            self.zone[name_of(address)] = partial(_always, _aaaa(address))
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            question, client = self._socket.recvfrom(4096)
            name, kind, end = _question(question)
            if kind == _A:
                self.asked[name] += 1
            found = self.zone.get(name)
            records = [] if found is None else found(self.asked[name])
            if records is None:
                continue
            wanted = [record for record in records if record[0] in (kind, _CNAME)]
            code = 3 if found is None else 0  # NXDOMAIN
            head = question[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(wanted), 0, 0)
            answers, owner = b"", b"\xc0\x0c"
            for record_kind, data in wanted:
                answers += owner + struct.pack(">HHIH", record_kind, 1, 0, len(data)) + data
                owner = data if record_kind == _CNAME else owner
            self._socket.sendto(head + question[12:end] + answers, client)


def _labels(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def _question(message: bytes) -> tuple[str, int, int]:
    labels, at = [], 12
    while length := message[at]:
        labels.append(message[at + 1 : at + 1 + length].decode())
        at += 1 + length
    return ".".join(labels).lower(), struct.unpack(">H", message[at + 1 : at + 3])[0], at + 5


class Canary:
    """Answers with a secret, and counts its connections: there must be none."""

    def __init__(self, address: str) -> None:
        self.connections = 0
        self._server = socket.create_server((address, 80))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._server.accept()
            self.connections += 1
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret")
            connection.close()


def _redirects() -> list[tuple[str, int, str]]:
    """Path, status and target of redirects into the own network."""
    targets = [*urls(), *SCHEMES]
    return [(f"/r/{number}/{code}", code, to) for number, to in enumerate(targets) for code in CODES]


def _set_up(directory: Path) -> tuple[str, "subprocess.Popen[bytes]"]:
    def run(*command: str) -> None:
        subprocess.run(command, check=True)

    run("ip", "link", "set", "lo", "up")
    for address in (f"{PUBLIC}/32", f"{METADATA}/32", f"{PRIVATE}/32"):
        run("ip", "addr", "add", address, "dev", "lo")
    run("ip", "route", "add", "default", "dev", "lo")
    with suppress(subprocess.CalledProcessError):
        for address in (PUBLIC_V6, NAT64):
            run("ip", "-6", "addr", "add", f"{address}/128", "dev", "lo", "nodad")
        run("ip", "-6", "route", "add", "default", "dev", "lo")
    resolv = directory / "resolv.conf"
    resolv.write_text("nameserver 127.0.0.1\nsearch internal.test\noptions timeout:1 attempts:1\n")
    run("mount", "--bind", str(resolv), "/etc/resolv.conf")
    authority = Authority(directory)
    certificate, key = authority.issue("public.test", "alias.test")
    (directory / "files").mkdir()
    (directory / "files" / "a.jpg").write_bytes(DATA)
    names = {"public": PUBLIC, "public_v6": PUBLIC_V6, "nat64": NAT64, "metadata": METADATA}
    names["redirects"] = "".join(f'location = {path} {{ return {code} "{to}"; }}\n' for path, code, to in _redirects())
    conf = directory / "nginx.conf"
    conf.write_text(_NGINX.format(directory=directory, certificate=certificate, key=key, **names))
    nginx = subprocess.Popen([service("nginx"), "-c", str(conf), "-g", "daemon off;"])
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection((PUBLIC, 80), timeout=1):
            break
        time.sleep(0.05)
    return authority.file, nginx


READS = (
    *("http://public.test/a.jpg", "https://public.test/a.jpg", "https://alias.test/a.jpg", "http://v6.test/a.jpg"),
    *("http://mixed.test/a.jpg", "http://many.test/a.jpg", "http://unreachable.test/a.jpg", f"http://{PUBLIC}/a.jpg"),
    *(
        "http://nat64.test/a.jpg",
        "http://public.test/to-https",
        "https://other.test/a.jpg",
        "http://public.test/to-metadata",
    ),
    *("http://public.test/to-metadata-name", "http://public.test/to-private", "http://public.test/to-mixed"),
    *("http://metadata.test/secret", "http://private.test/secret", "http://only-bad.test/secret"),
    *(f"http://{METADATA}/secret", f"http://{PRIVATE}/secret", "http://127.0.0.1/secret", "http://nothing.test/a.jpg"),
    *("http://hangs.test/a.jpg", "http://cloud.evil/a.jpg"),
)


def main(directory: Path) -> None:
    ca_file, nginx = _set_up(directory)
    names, metadata, private, watcher = NameServer(), Canary(METADATA), Canary(PRIVATE), Watcher()
    settings = HttpSettings(allowed_sources=("http://*/", "https://*/"), ca_file=ca_file, max_idle_conns=0)
    source = HttpSource(settings, max_bytes=1 << 20, deadline=3.0)

    def outcome(url: str) -> str:
        try:
            return "read" if source.read(url).data == DATA else "other bytes"
        except ThumbError as error:
            return f"{error.status}"

    found = {url: outcome(url) for url in READS}
    # The first look-up is public, the second one is not: between two requests, and between two hops.
    found["rebinding: first"] = outcome("http://rebinding.test/a.jpg")
    found["rebinding: second"] = outcome("http://rebinding.test/secret")
    found["rebinding: redirect"] = outcome("http://public.test/to-rebinding")
    withheld = {url: outcome(url) for url in urls()}
    withheld |= {f"{code} {to}": outcome(f"http://public.test{path}") for path, code, to in _redirects()}
    source.close()
    connected = watcher.found()
    nginx.terminate()
    nginx.wait(WAIT_SECONDS)
    canaries = {"metadata": metadata.connections, "private": private.connections}
    redirected = [
        line.split()[8] for line in (directory / "nginx-access.log").read_text().splitlines() if " /r/" in line
    ]
    found["redirects"] = f"{len(redirected) - len(_redirects())} {sorted(set(redirected))}"
    result = {"found": found, "withheld": withheld, "connections": canaries, "connected": connected}
    sys.stdout.write(json.dumps({**result, "asked": names.asked}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
