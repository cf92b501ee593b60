"""Slow clients, restarts and reloads behind nginx: no request is lost, and no connection to Mage is held."""

import contextlib
import http.client
import json
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from tests.support.behind_nginx import MEMORY, PICTURE
from tests.support.deployed import nginx, thumb_server
from tests.support.processes import workers_of
from tests.support.servers import Server
from tests.support.waiting import WAIT_SECONDS, eventually

# --------------------------------------------------------------------------------------------- slow clients


class SlowClients:
    """`count` clients on one thread that keep a server waiting. One that is sent away comes back at once."""

    def __init__(self, port: int, count: int, *, request: bytes, dripping: bool) -> None:
        self._address = ("127.0.0.1", port)
        self._request = request
        self._dripping = dripping
        self._clients: list[socket.socket | None] = [None] * count
        self._served = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @property
    def holding(self) -> int:
        return sum(client is not None for client in self._clients)

    def __enter__(self) -> Self:
        """Return when all are connected and the readers have data: connecting is not part of the slowness."""
        self._thread.start()
        eventually(lambda: self.holding == len(self._clients) and (self._dripping or self._served >= self.holding))
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for client in self._clients:
            if client is not None:
                client.close()

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            for number, client in enumerate(self._clients):
                try:
                    self._clients[number] = self._held(client)
                except OSError:
                    if client is not None:
                        client.close()
                    self._clients[number] = None

    def _held(self, client: socket.socket | None) -> socket.socket:
        if client is None:
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(5)
            client.connect(self._address)
            client.sendall(self._request)
        elif self._dripping:
            client.sendall(b"a")
        elif not client.recv(16):
            raise ConnectionError
        else:
            self._served += 1
        return client


def _connections(port: int) -> int:
    """Connections to that port of the loopback that are open."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    far_ends = (line.split()[2:4] for line in lines)
    return sum(address == f"0100007F:{port:04X}" and state == "01" for address, state in far_ends)


def _hits(server: Server, path: str, count: int) -> tuple[list[int], float]:
    """The statuses of `count` requests, eight at a time, and the 99th percentile in milliseconds."""

    def ask(_: int) -> tuple[int, float]:
        began = time.perf_counter()
        status = server.get(path).status
        return status, (time.perf_counter() - began) * 1000

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(count)))
    return [status for status, _ in answers], sorted(spent for _, spent in answers)[count * 99 // 100]


@pytest.mark.slow
def test_slow_clients_hold_no_connection_to_mage_and_hits_go_on(originals: Path, tmp_path: Path) -> None:
    storage = {"name": "local", "driver": "local", "root": str(originals), "cache": MEMORY}
    hit, large = f"local/{PICTURE}", "local/thumbs/500x500/filters:format(png)/big.jpg"
    # Without much room in the kernel, so that a picture must wait for its client in nginx, or in Mage.
    with (
        thumb_server({"storages": [storage]}, tmp_path / "mage") as direct,
        nginx(tmp_path / "nginx", [direct.port], listening="sndbuf=16k") as through,
    ):
        assert len(through.get(large).body) > 400_000
        _, undisturbed = _hits(through, hit, 500)
        drip = f"GET /{hit} HTTP/1.1\r\nHost: localhost\r\nX-Drip: ".encode()
        whole = f"GET /{large} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        with (
            SlowClients(through.port, 200, request=drip, dripping=True) as dripping,
            SlowClients(through.port, 200, request=whole, dripping=False) as reading,
        ):
            # All that Mage has are the idle connections that nginx keeps.
            eventually(lambda: _connections(direct.port) <= 64)
            statuses, disturbed = _hits(through, hit, 500)
            assert statuses == [200] * 500
            assert dripping.holding + reading.holding >= 390
            assert _connections(through.port) >= 390
    print(  # noqa: T201 - a figure for the log, never asserted
        f"p99 of 500 hits through nginx: {undisturbed:.1f} ms alone, {disturbed:.1f} ms beside 400 slow clients"
    )


# ------------------------------------------------------------------------------------ restarts without a gap


@dataclass
class Load:
    """Eight threads that send requests through nginx until stopped: hits, and a new size in one of twenty requests."""

    port: int
    count: int = 0
    failed: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=self._ask_on, args=(number,)) for number in range(8)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for_more(self, requests: int) -> None:
        wanted = self.count + requests
        eventually(lambda: self.count >= wanted or bool(self.failed), seconds=60)

    def _ask_on(self, number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_SECONDS)
        turn = 0
        while not self._stop.is_set():
            turn += 1
            width = 100 + number * 500 + turn // 20 % 500 if turn % 20 == 0 else 20 + turn % 20
            try:
                connection.request("GET", f"/local/thumbs/{width}x30/quarters.jpg")
                response = connection.getresponse()
                body = response.read()
                good = response.status == 200 and len(body) == int(response.headers["Content-Length"])
                outcome = "" if good else f"{response.status}: {body[:80]!r}"
            except (OSError, http.client.HTTPException) as error:
                outcome = repr(error)
                connection.close()
            with self._lock:
                self.count += 1
                self.failed += [outcome] if outcome else []
        connection.close()


@pytest.mark.slow
def test_a_server_that_stops_starts_or_reloads_under_load_is_not_seen_through_nginx(
    originals: Path, tmp_path: Path
) -> None:
    storage = {"name": "local", "driver": "local", "root": str(originals), "cache": MEMORY}
    document = {"storages": [storage]}
    with contextlib.ExitStack() as stack:
        other = stack.enter_context(thumb_server(document, tmp_path / "other", workers=2))
        stopped = stack.enter_context(contextlib.ExitStack())
        first = stopped.enter_context(thumb_server(document, tmp_path / "first", workers=2))
        through = stack.enter_context(nginx(tmp_path / "nginx", [first.port, other.port]))
        load = stack.enter_context(Load(through.port))
        load.wait_for_more(500)
        began = time.monotonic()
        first.process.send_signal(signal.SIGTERM)
        assert first.process.wait(45) == 0, first.log.read_text()
        ended = time.monotonic() - began
        load.wait_for_more(500)
        again = stack.enter_context(thumb_server(document, tmp_path / "first", port=first.port, workers=2))
        eventually(lambda: again.get("ready").status == 200)
        time.sleep(6)  # until nginx sends it requests again
        load.wait_for_more(500)
        before = workers_of(other.process.pid)
        other.process.send_signal(signal.SIGHUP)
        eventually(
            lambda: len(workers_of(other.process.pid) - before) == 2 and not workers_of(other.process.pid) & before,
            seconds=60,
        )
        load.wait_for_more(500)
        print(  # noqa: T201 - a figure for the log, never asserted
            f"{load.count} requests, {len(load.failed)} failed; the server was gone {ended:.1f} s after SIGTERM"
        )
        assert load.failed == []
        seen = {line["server"].split(", ")[-1] for line in map(json.loads, through.log.read_text().splitlines())}
        assert seen == {f"127.0.0.1:{first.port}", f"127.0.0.1:{other.port}"}
