"""A child that locks itself down, then tries in each of its threads what a taken-over decoder would try.

`python -m tests.support.probes` reads a line of JSON from the socket whose descriptor is its argument, and answers with
another. It stays until that socket is closed.
"""

import ctypes
import errno
import functools
import json
import mmap
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.codecs import OPTIONAL_OUTPUTS
from tests.support.forbidden_calls import FORBIDDEN
from thumbs.render.isolation import lockdown
from thumbs.render.isolation.sandbox.syscalls import NUMBERS

DONE = "done"
REFUSED = {"EPERM", "EACCES"}
_AT_FDCWD, _AT_EMPTY_PATH = -100, 0x1000
_COLUMN = 0 if os.uname().machine == "x86_64" else 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class World:
    """What there is to reach: a readable file, a directory with a file, ports and sockets where a server listens."""

    secret: str
    folder: str
    tcp4: int
    tcp6: int
    udp: int
    unix: str
    abstract: str
    parent: int
    channel: int


def outcome(attempt: Callable[[], object]) -> str:
    """`DONE`, or the name of the error."""
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, repr(error))
    return DONE


def raw(number: int | None, *arguments: Any) -> None:
    assert number is not None
    padded = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    padded += [ctypes.c_long(0)] * (6 - len(padded))
    if _libc.syscall(ctypes.c_long(number), *padded) == -1:
        raise OSError(ctypes.get_errno(), "")


def opened(path: str, flags: int) -> None:
    os.close(os.open(path, flags, 0o600))


def listed(path: str) -> None:
    with os.scandir(path) as entries:
        next(entries)


def paired() -> None:
    for each in socket.socketpair():
        each.close()


def connected(family: int, address: object, kind: int = socket.SOCK_STREAM) -> None:
    with socket.socket(family, kind) as one:
        one.connect(address)  # type: ignore[arg-type]


def bound(family: int, address: object) -> None:
    with socket.socket(family) as one:
        one.bind(address)  # type: ignore[arg-type]


def sent(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.sendto(b"canary", ("127.0.0.1", port))


def forked() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def made_executable() -> None:
    memory = mmap.mmap(-1, mmap.PAGESIZE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    raw(NUMBERS["mprotect"][_COLUMN], address, mmap.PAGESIZE, 7)


def file_probes(world: World) -> dict[str, Callable[[], object]]:
    """What Landlock alone refuses."""
    inside = f"{world.folder}/file"
    return {
        "open a file": lambda: opened(world.secret, os.O_RDONLY),
        "open its own code": lambda: opened(lockdown.__file__, os.O_RDONLY),
        "open Python's code": lambda: opened(os.__file__, os.O_RDONLY),
        "open /etc/passwd": lambda: opened("/etc/passwd", os.O_RDONLY),
        "open /proc/self/maps": lambda: opened("/proc/self/maps", os.O_RDONLY),
        "open /proc/parent/environ": lambda: opened(f"/proc/{world.parent}/environ", os.O_RDONLY),
        "open a device": lambda: opened("/dev/zero", os.O_RDONLY),
        "write a file": lambda: opened(inside, os.O_WRONLY),
        "append to a file": lambda: opened(inside, os.O_WRONLY | os.O_APPEND),
        "make a file": lambda: opened(f"{world.folder}/new", os.O_RDWR | os.O_CREAT),
        "make a nameless file": lambda: opened(world.folder, os.O_RDWR | os.O_TMPFILE),
        "list the root": lambda: listed("/"),
        "list a directory": lambda: listed(world.folder),
        "make a directory": lambda: Path(world.folder, "directory").mkdir(),
        "make a symbolic link": lambda: Path(world.folder, "link").symlink_to("/etc/passwd"),
        "make a fifo": lambda: os.mkfifo(f"{world.folder}/fifo"),
        "rename": lambda: Path(inside).rename(f"{world.folder}/renamed"),
        "unlink": lambda: Path(world.folder, "victim").unlink(),
    }


def tcp_probes(world: World) -> dict[str, Callable[[], object]]:
    """What Landlock refuses from ABI 4 on."""
    return {
        "connect by IPv4": lambda: connected(socket.AF_INET, ("127.0.0.1", world.tcp4)),
        "connect by IPv6": lambda: connected(socket.AF_INET6, ("::1", world.tcp6)),
        "bind": lambda: bound(socket.AF_INET, ("127.0.0.1", 0)),
    }


def scope_probes(world: World) -> dict[str, Callable[[], object]]:
    """What Landlock refuses from ABI 6 on."""
    return {
        "connect to an abstract socket": lambda: connected(socket.AF_UNIX, f"\0{world.abstract}"),
        "signal the parent": lambda: os.kill(world.parent, 0),
    }


def call_probes(world: World) -> dict[str, Callable[[], object]]:
    """What seccomp refuses besides."""
    stat = ctypes.create_string_buffer(256)
    path = ctypes.c_char_p(world.secret.encode())
    return {
        "stat": lambda: os.stat(world.secret),  # noqa: PTH116
        "lstat": lambda: os.lstat(world.secret),
        "stat with an empty path's flag": lambda: raw(
            FORBIDDEN["newfstatat"][_COLUMN], _AT_FDCWD, path, ctypes.byref(stat), _AT_EMPTY_PATH
        ),
        "readlink": lambda: os.readlink("/proc/self/exe"),  # noqa: PTH115
        "chmod": lambda: Path(world.folder, "file").chmod(0o777),
        "touch": lambda: os.utime(f"{world.folder}/file"),
        "current directory": os.getcwd,
        "change directory": lambda: os.chdir("/"),
        "open a socket": lambda: socket.socket().close(),
        "open a pair of sockets": paired,
        "send a datagram": lambda: sent(world.udp),
        "connect to a Unix socket": lambda: connected(socket.AF_UNIX, world.unix),
        "execute": lambda: os.execv("/no/such/program", ["program"]),
        "fork": forked,
        "signal itself": lambda: os.kill(os.getpid(), 0),
        "signal a thread": lambda: signal.pthread_kill(threading.get_ident(), 0),
        "make a file in memory": lambda: os.close(os.memfd_create("canary")),
        "make memory executable": made_executable,
        "map executable memory": lambda: mmap.mmap(-1, mmap.PAGESIZE, prot=7).close(),
        "change the priority": lambda: os.nice(1),
        "copy a descriptor": lambda: os.close(os.dup(world.channel)),
    }


def all_probes(world: World) -> dict[str, Callable[[], object]]:
    return file_probes(world) | tcp_probes(world) | scope_probes(world) | call_probes(world)


def forbidden_probes(world: World) -> dict[str, Callable[[], object]]:
    """Every call of the table with arguments that mean nothing; only behind a filter, as vfork would succeed."""
    calls = {f"call {name}": numbers[_COLUMN] for name, numbers in FORBIDDEN.items()}
    return {name: functools.partial(raw, number) for name, number in calls.items() if number is not None}


def in_thread(work: Callable[[], dict[str, str]]) -> Callable[[], dict[str, str]]:
    """Start a thread now. It does `work` when the result is called, which waits for it."""
    found: dict[str, str] = {}
    start = threading.Event()

    def wait() -> None:
        start.wait()
        found.update(work())

    thread = threading.Thread(target=wait)
    thread.start()

    def result() -> dict[str, str]:
        start.set()
        thread.join()
        return found

    return result


PROBES: dict[str, Callable[[World], dict[str, Callable[[], object]]]] = {
    each.__name__: each for each in (file_probes, tcp_probes, scope_probes, call_probes, all_probes, forbidden_probes)
}


def main(channel: socket.socket) -> None:
    lines = channel.makefile("rb")
    request = json.loads(lines.readline())
    world = World(**request["world"], channel=channel.fileno())
    layers = lockdown.Layers(**request["layers"])
    probes = {name: probe for kind in request["probes"] for name, probe in PROBES[kind](world).items()}

    def work() -> dict[str, str]:
        return {name: outcome(probe) for name, probe in probes.items()}

    # As `lock_down` does it, but with a thread of Python's between the layers.
    if layers.landlock:
        lockdown.restrict_files(request["inputs"])
    lockdown.import_renderer({*request["inputs"], *OPTIONAL_OUTPUTS})
    if layers.landlock:
        lockdown.restrict_to_fonts(request["inputs"])
    lockdown.warm_up(request["inputs"], 2, OPTIONAL_OUTPUTS)
    before = in_thread(work)
    if layers.seccomp:
        lockdown.restrict_calls(request["inputs"])
    after = in_thread(work)
    results = {"before": before(), "after": after(), "main": work()}
    results["fonts"] = {path: outcome(functools.partial(opened, path, os.O_RDONLY)) for path in request["fonts"]}
    channel.sendall(json.dumps(results).encode() + b"\n")
    lines.readline()


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
