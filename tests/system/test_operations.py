"""Each command of docs/operations.md works as it is written, on a server where the documentation installs it."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.deployed import thumb_server
from tests.support.documented_install import installed
from tests.support.processes import workers_of
from tests.support.servers import ROOT, Server
from tests.support.waiting import LONG_WAIT_SECONDS, eventually

_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
# What stands for the service manager: the test starts and ends the server itself.
_SHIMS = {
    # The environment of a service is empty but for what the unit sets.
    "systemd-run": """
        directory=/ variables=()
        while [[ $1 == -* ]]; do
            case $1 in
                -p) [[ $2 != WorkingDirectory=* ]] || directory=${2#*=}; shift 2 ;;
                -E) variables+=("$2"); shift 2 ;;
                --uid) shift 2 ;;
                --quiet | --pipe | --wait) shift ;;
                *) echo "systemd-run has no $1 here" >&2; exit 2 ;;
            esac
        done
        cd -- "$directory" && exec env -i PATH="$PATH" "${variables[@]}" "$@"
    """,
    "systemctl": """
        case $1 in
            status) kill -0 {pid} ;;
            show) echo {pid} ;;
            reload | restart) kill -HUP {pid} ;;
            *) exit 2 ;;
        esac
    """,
    "journalctl": """
        while [[ $1 != --grep ]]; do shift; done
        grep -E -- "$2" {log} || true
    """,
}


def blocks() -> list[str]:
    return _BLOCK.findall((ROOT / "docs" / "operations.md").read_text())


def commands() -> list[str]:
    """Every command of the page, but the function that the first block defines."""
    lines = [line for block in blocks()[1:] for line in block.splitlines()]
    return [re.sub(r"\s+# .*", "", line) for line in lines]


# What a command must print, where its status alone says little.
EXPECTED = {
    "curl --silent --show-error http://127.0.0.1:8080/health": r"ok",
    "curl --silent --show-error http://127.0.0.1:8080/ready": r'"photos": "reachable"',
    "curl --silent --show-error http://127.0.0.1:8080/metrics | grep -E '^mage_(storage|cache_layer)_up": (
        r'mage_storage_up\{storage="photos"\} 1\.0'
    ),
    "mage thumb_cache_stats --storage": r"photos",
    "mage check": r"no issues|0 silenced",
    "mage thumb_url --explain": r"cats/tom\.jpg",
    "mage thumb_url photos": r"/photos/thumbs/400x300/filters:format\(webp\)/cats/tom\.jpg",
    "curl --silent --show-error http://127.0.0.1:8080/metrics | grep -E '^mage_stage": r"mage_stage_waiting",
    "curl --silent --show-error --output": r"(?i)server-timing: layer",
    "mage warm_thumb_cache": r"photos: .* 0 failed",
    "curl --silent --show-error http://127.0.0.1:8080/metrics | grep '^mage_build_info'": r"libvips=",
}


@dataclass(frozen=True)
class Machine:
    """A server, and how a command of the page is run beside it."""

    server: Server
    shims: Path
    places: dict[str, str]

    def run(self, command: str) -> "subprocess.CompletedProcess[str]":
        script = "\n".join(("set -euo pipefail", blocks()[0], command))
        for place, here in self.places.items():
            script = script.replace(place, here)
        environ = {"PATH": f"{self.shims}:{os.environ['PATH']}", "PIP_NO_INDEX": "1", "PIP_DRY_RUN": "1"}
        return subprocess.run(
            ["bash", "-c", script], env=environ, capture_output=True, text=True, timeout=LONG_WAIT_SECONDS, check=False
        )


@pytest.fixture(scope="module")
def machine(originals: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    servers.service("curl")
    directory = tmp_path_factory.mktemp("operations")
    root, shims = directory / "photos", directory / "bin"
    (root / "cats").mkdir(parents=True)
    shutil.copy(originals / "quarters.jpg", root / "cats/tom.jpg")
    disk = {"enabled": True, "dir": str(directory / "cache"), "ttl_seconds": 600, "max_size_mb": 64}
    storage = {"name": "photos", "driver": "local", "root": str(root), "cache": {"disk": disk}}
    with thumb_server({"storages": [storage], "metrics": True}, directory / "mage") as server:
        shims.mkdir()
        for name, text in _SHIMS.items():
            filled = text.replace("{pid}", str(server.process.pid)).replace("{log}", shlex.quote(str(server.log)))
            _program(shims / name, filled)
        for name, words in (("python", ""), ("pip", " -m pip")):
            _program(shims / name, f'exec {shlex.quote(sys.executable)}{words} "$@"')
        places = {
            "/opt/mage/venv/bin": str(shims),
            "/opt/mage/app": str(installed()),
            "/etc/mage/storages.json": str(directory / "mage/storages.json"),
            "/srv/photos": str(root),
            "127.0.0.1:8080": f"127.0.0.1:{server.port}",
        }
        eventually(lambda: json.loads(server.get("ready").body)["storages"] == {"photos": "reachable"})
        yield Machine(server, shims, places)


def _program(path: Path, text: str) -> None:
    path.write_text(f"#!/usr/bin/env bash\n{text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize("command", commands())
def test_a_command_does_what_the_page_says(machine: Machine, command: str) -> None:
    before = workers_of(machine.server.process.pid)
    done = machine.run(command)
    assert done.returncode == 0, done.stdout + done.stderr
    for start, pattern in EXPECTED.items():
        if command.startswith(start):
            assert re.search(pattern, done.stdout + done.stderr), done.stdout + done.stderr
    for signal, more in (("TTIN", 1), ("TTOU", -1)):
        if f"kill -{signal} " in command:
            eventually(lambda more=more: len(workers_of(machine.server.process.pid)) == len(before) + more)  # type: ignore[misc]
    if re.search("systemctl (reload|restart)", command):
        # The next command, too, counts workers: those that stop are not to be among them.
        eventually(lambda: _replaced(before, workers_of(machine.server.process.pid)))
    assert machine.server.process.poll() is None


def _replaced(before: set[int], now: set[int]) -> bool:
    return len(now) == len(before) and not now & before


def test_every_expectation_is_about_a_command_of_the_page() -> None:
    assert [start for start in EXPECTED if not any(each.startswith(start) for each in commands())] == []
