"""The faults: what each does to the site, and what it makes impossible for clients."""

import os
import random
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from bench.faults import family
from bench.faults.fault import Fault
from bench.faults.service_faults import SERVICE_FAULTS
from bench.faults.site import Mage, Site, until
from bench.processes import LOOPBACK

RELOADS = 20
RELOADS_WITHOUT_NGINX = 50
FILES = 64
_HELD = 24  # connections with half a request
_CHUNK = bytes(1 << 16)


# -------------------------------------------------------------------------------------------------- processes


def _nothing(_: Site, seconds: float, __: random.Random) -> str:
    time.sleep(seconds)
    return "nothing"


def _kill_some(site: Site, seconds: float, chance: random.Random, *, found: Callable[[int], list[int]]) -> str:
    """Kill one of what `found` gives of the first server, once a second."""
    server, killed, end = site.servers[0], 0, time.monotonic() + seconds
    while time.monotonic() < end:
        candidates = found(server.pid)
        if candidates:
            os.kill(chance.choice(candidates), signal.SIGKILL)
            killed += 1
        time.sleep(1)
    return f"{killed} killed"


def _janitors(supervisor: int) -> list[int]:
    found = family.janitor(supervisor)
    return [] if found is None else [found]


def _kill_and_boot(site: Site, seconds: float, _: random.Random, *, chosen: Callable[[int], int | None]) -> str:
    """Kill a process that the first server depends on. When all others have ended, start it again, as systemd does."""
    server, killed, end = site.servers[0], 0, time.monotonic() + seconds
    while killed == 0 or time.monotonic() < end:
        everything, victim = family.family(server.pid), chosen(server.pid)
        if victim is not None:
            os.kill(victim, signal.SIGKILL)
            killed += 1
            server.await_death(everything)
            server.boot()
        time.sleep(1)
    return f"{killed} killed"


# ------------------------------------------------------------------------------------------------- operators


def _reload(site: Site, seconds: float, _: random.Random, *, count: int, one_by_one: bool) -> str:
    """Send SIGHUP to the servers in turn: spread over the time, or each when all workers of the last were replaced."""
    end, before_all = time.monotonic() + seconds, _reloads(site)
    first = {server.name: set(family.workers(server.pid)) for server in site.servers}
    for number in range(count):
        server = site.servers[number % 2]
        before = set(family.workers(server.pid))
        server.send(signal.SIGHUP)
        if one_by_one:
            until(partial(_are_replaced, server, before), f"{server.name} was not reloaded")
        else:
            time.sleep(max(0.0, (end - time.monotonic()) / (count - number)))
    for server in site.servers:
        until(partial(_are_replaced, server, first[server.name]), f"{server.name} was not reloaded")
    return f"{count} SIGHUP, {_reloads(site) - before_all} reloads"


def _reloads(site: Site) -> int:
    """How often the servers were reloaded: signals that come while the configuration is checked are one."""
    return sum(server.said("Handling signal: hup") for server in site.servers)


def _are_replaced(server: Mage, before: set[int]) -> bool:
    return len(set(family.workers(server.pid)) - before) >= len(before) and not before & set(family.workers(server.pid))


def _restart_in_turn(site: Site, seconds: float, _: random.Random) -> str:
    end, count = time.monotonic() + seconds, 0
    while count < 2 or time.monotonic() < end:
        server = site.servers[count % 2]
        server.stop()
        server.boot()
        count += 1
        time.sleep(6)  # until nginx sends it requests again: `fail_timeout` and a second
    return f"{count} restarts"


# ------------------------------------------------------------------------------------------------- resources


def _fill_disk(site: Site, seconds: float, _: random.Random) -> str:
    """Fill the file system of the disk caches, again and again: what is evicted or swept leaves room."""
    ballast, end = site.disk / "ballast", time.monotonic() + seconds
    try:
        with ballast.open("wb", buffering=0) as file:
            while time.monotonic() < end:
                try:
                    file.write(_CHUNK)
                except OSError:
                    time.sleep(0.05)
    finally:
        ballast.unlink(missing_ok=True)
    return f"{seconds:g} s"


def _few_files(site: Site, seconds: float, _: random.Random) -> str:
    for server in site.servers:
        server.stop()
        server.boot(files=FILES)
    with _held_connections(site):
        time.sleep(seconds)
    for server in site.servers:
        server.stop()
        server.boot()
    return f"{seconds:g} s"


@contextmanager
def _held_connections(site: Site) -> Iterator[None]:
    """Connections to each server whose requests have no end: each takes a descriptor."""
    with ExitStack() as stack:
        for server in site.servers:
            for _ in range(_HELD):
                held = stack.enter_context(socket.create_connection((LOOPBACK, server.port), timeout=60))
                held.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n")
        yield


# ----------------------------------------------------------------------------------------------------- table

_RENDERER_LOST = frozenset({503})
# A worker closes idle connections to have descriptors. Where nginx has just used three of them within five seconds, it
# takes the server for down, and answers 502 while it does so for both.
_CROWDED = frozenset({502, 503})

FAULTS = (
    Fault("none", _nothing),
    Fault("kill-worker", partial(_kill_some, found=family.workers)),
    Fault("kill-master", partial(_kill_and_boot, chosen=family.master)),
    Fault("kill-supervisor", partial(_kill_and_boot, chosen=lambda supervisor: supervisor)),
    Fault("kill-janitor", partial(_kill_some, found=_janitors)),
    Fault("kill-children", partial(_kill_some, found=family.renderers), new=_RENDERER_LOST),
    Fault("reloads", partial(_reload, count=RELOADS, one_by_one=False)),
    Fault("reloads-direct", partial(_reload, count=RELOADS_WITHOUT_NGINX, one_by_one=True), is_direct=True),
    Fault("rolling-restart", _restart_in_turn),
    *SERVICE_FAULTS,
    Fault("full-disk", _fill_disk, needs_mount=True),
    Fault("64-descriptors", _few_files, new=_CROWDED | {504}, cached=_CROWDED),
)
