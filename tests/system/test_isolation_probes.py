"""What a locked-down child can reach from each of its threads: nothing but fonts and the socket to its parent."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.support.probes import DONE, REFUSED
from tests.support.servers import ROOT
from tests.support.waiting import WAIT_SECONDS
from thumbs.image.formats import DEFAULT_INPUTS, FORMATS
from thumbs.render.isolation.lockdown import Layers, supported
from thumbs.render.isolation.sandbox import landlock

THREADS = ("main", "before", "after")
WITH_SVG, WITHOUT_SVG = tuple(FORMATS), DEFAULT_INPUTS
FONTS = Path("/usr/share/fonts")
FILES = ("file", "victim")
Results = dict[str, dict[str, str]]

pytestmark = pytest.mark.skipif(bool(supported().missing), reason=f"without {supported().missing} in this kernel")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    """Files, and servers that answer: what a free child reaches."""
    folder = tmp_path_factory.mktemp("world")
    secret = folder / "secret"
    secret.write_text("canary")
    abstract = f"mage-{os.getpid()}"
    with contextlib.ExitStack() as stack:

        def listening(family: int, address: object, kind: int = socket.SOCK_STREAM) -> socket.socket:
            one = stack.enter_context(socket.socket(family, kind))
            one.bind(address)  # type: ignore[arg-type]
            if kind == socket.SOCK_STREAM:
                one.listen(64)
            return one

        yield {
            "secret": str(secret),
            "tcp4": listening(socket.AF_INET, ("127.0.0.1", 0)).getsockname()[1],
            "tcp6": listening(socket.AF_INET6, ("::1", 0)).getsockname()[1],
            "udp": listening(socket.AF_INET, ("127.0.0.1", 0), socket.SOCK_DGRAM).getsockname()[1],
            "unix": [listening(socket.AF_UNIX, str(folder / "socket")), str(folder / "socket")][1],
            "abstract": [listening(socket.AF_UNIX, f"\0{abstract}"), abstract][1],
            "parent": os.getpid(),
        }


@contextlib.contextmanager
def probing(
    world: dict[str, object], kinds: list[str], *, layers: Layers, inputs: tuple[str, ...], fonts: tuple[str, ...] = ()
) -> Iterator[tuple[Results, int]]:
    """The results of a child, and its process id while it waits."""
    ours, theirs = socket.socketpair()
    ours.settimeout(WAIT_SECONDS)
    with tempfile.TemporaryDirectory() as folder, ours, ours.makefile("rb") as lines:
        world = {**world, "folder": folder}
        for name in FILES:
            Path(folder, name).write_text("canary")
        with theirs:
            command = [sys.executable, "-m", "tests.support.probes", str(theirs.fileno())]
            child = subprocess.Popen(command, pass_fds=[theirs.fileno()], cwd=ROOT, stderr=subprocess.PIPE)
        request = {"world": world, "layers": asdict(layers), "inputs": inputs, "probes": kinds, "fonts": fonts}
        try:
            ours.sendall(json.dumps(request).encode() + b"\n")
            line = lines.readline()
            if not line:
                pytest.fail(child.communicate(timeout=WAIT_SECONDS)[1].decode())
            yield json.loads(line), child.pid
            if layers.seccomp:
                assert {path.name: path.read_text() for path in Path(folder).iterdir()} == dict.fromkeys(
                    FILES, "canary"
                )
        finally:
            ours.shutdown(socket.SHUT_RDWR)
            child.communicate(timeout=WAIT_SECONDS)


def passed(results: Results, kinds: tuple[str, ...] = THREADS) -> list[tuple[str, str, str]]:
    """What was not refused: thread, probe, outcome."""
    return [
        (thread, probe, found) for thread in kinds for probe, found in results[thread].items() if found not in REFUSED
    ]


@pytest.mark.parametrize("inputs", [WITH_SVG, WITHOUT_SVG], ids=["with svg", "without svg"])
def test_a_locked_down_child_reaches_nothing_from_any_thread(world: dict[str, object], inputs: tuple[str, ...]) -> None:
    kinds = ["all_probes", "forbidden_probes"]
    with probing(world, kinds, layers=Layers(), inputs=inputs) as (results, _):
        assert passed(results) == []
        assert {len(results[thread]) for thread in THREADS} == {len(results["main"])}
        assert len(results["main"]) > 90


def test_a_free_child_reaches_all_of_it(world: dict[str, object]) -> None:
    """The probes are good: without layers none is refused."""
    layers = Layers(landlock=False, seccomp=False)
    with probing(world, ["all_probes"], layers=layers, inputs=WITH_SVG) as (results, _):
        refused = {probe for probe, found in results["before"].items() if found in REFUSED}
        others = {found for found in results["before"].values() if found not in REFUSED} - {DONE}
    assert refused == set()
    assert others == {"ENOENT"}  # the program that is not there


def test_every_task_of_the_process_is_behind_the_filter(world: dict[str, object]) -> None:
    with probing(world, [], layers=Layers(), inputs=WITH_SVG) as (_, pid):
        tasks = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/status")]
    assert len(tasks) > 2  # libvips' threads, the watchdog
    assert all("\nSeccomp:\t2\n" in status and "\nNoNewPrivs:\t1\n" in status for status in tasks)


@pytest.mark.skipif(not any(FONTS.rglob("*.ttf")), reason="without fonts")
def test_fonts_open_only_where_svg_is_an_input(world: dict[str, object]) -> None:
    fonts = tuple(str(path) for path in sorted(FONTS.rglob("*.ttf"))[:3])
    for inputs, expected in ((WITH_SVG, {DONE}), (WITHOUT_SVG, {"EPERM"})):
        with probing(world, [], layers=Layers(), inputs=inputs, fonts=fonts) as (results, _):
            assert set(results["fonts"].values()) == expected


def test_landlock_alone_closes_files_tcp_and_what_leaves_its_scope(world: dict[str, object]) -> None:
    version = landlock.abi()
    kinds = ["file_probes", *["tcp_probes"] * (version >= 4), *["scope_probes"] * (version >= 6)]
    with probing(world, kinds, layers=Layers(seccomp=False), inputs=WITH_SVG) as (results, _):
        assert passed(results) == []


def test_seccomp_alone_closes_everything_but_reading_files(world: dict[str, object]) -> None:
    with probing(world, ["all_probes"], layers=Layers(landlock=False), inputs=WITH_SVG) as (results, _):
        assert {probe for _, probe, _ in passed(results)} == {
            "open a file",
            "open its own code",
            "open Python's code",
            "open /etc/passwd",
            "open /proc/self/maps",
            "open /proc/parent/environ",
            "open a device",
        } - {probe for probe, found in results["main"].items() if found in REFUSED}
    with probing(world, ["all_probes"], layers=Layers(landlock=False), inputs=WITHOUT_SVG) as (results, _):
        assert passed(results) == []
