"""From an empty directory, with the wheel and the steps of docs/deployment.md: a server that is probed and scraped."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pyvips
from prometheus_client.parser import text_string_to_metric_families

from tests.support import servers
from tests.support.markdown import Block, blocks
from tests.support.servers import ROOT, Server
from tests.support.waiting import LONG_WAIT_SECONDS

_PACKED = ("thumbs", "mage_project", "pyproject.toml", "README.md", "LICENSE")
_NO_INDEX = re.compile(r"NewConnectionError|NameResolutionError|Max retries exceeded|ProxyError")


@dataclass(frozen=True)
class Newcomer:
    """A server that the steps have started, in the directory that was empty. `port` stands for 8080."""

    directory: Path
    server: Server
    environ: dict[str, str]

    def run(self, command: str) -> str:
        """What a command prints. Fails the test where its status is not 0."""
        return run(command.replace("127.0.0.1:8080", f"127.0.0.1:{self.server.port}"), self.directory, self.environ)


def steps() -> tuple[list[str], str, list[str]]:
    """The lines that prepare, the line that serves, and those that look at the server."""
    text = (ROOT / "docs" / "deployment.md").read_text()
    first = text.count("\n", 0, text.index("\n## From the package alone\n"))
    last = text.count("\n", 0, text.index("\n## systemd\n"))
    install, look = (block.text for block in _within(blocks(ROOT / "docs" / "deployment.md"), first, last))
    *prepare, serve = install.splitlines()
    return prepare, serve, look.splitlines()


def _within(found: list[Block], first: int, last: int) -> list[Block]:
    return [block for block in found if first < block.line < last]


def run(script: str, directory: Path, environ: dict[str, str]) -> str:
    """The standard output of a script of bash. Without a package index the test is skipped; in CI it fails."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=directory,
        env=environ,
        capture_output=True,
        text=True,
        timeout=LONG_WAIT_SECONDS,
        check=False,
    )
    if done.returncode and _NO_INDEX.search(done.stderr) and not os.environ.get("MAGE_REQUIRE_SERVICES"):
        pytest.skip("no package index can be reached")
    if done.returncode:  # no exception: one that names an extra is a reason to skip a test
        pytest.fail(done.stdout + done.stderr)
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree."""
    copy, built = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("dist")
    for name in _PACKED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy)
    run(f"{sys.executable} -m uv build --quiet --wheel --out-dir {built} {copy}", built, dict(os.environ))
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def newcomer(wheel: Path, originals: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    servers.service("curl")
    directory = tmp_path_factory.mktemp("empty")
    prepare, serve, _ = steps()
    kept = ("PATH", "HOME", "LANG", "SSL_CERT_FILE", "HTTPS_PROXY", "https_proxy")
    environ = {name: text for name, text in os.environ.items() if name in kept or name.startswith("PIP_")}
    # The wheel stands for what a package index would have.
    environ["PIP_FIND_LINKS"] = f"{wheel.parent} {environ.get('PIP_FIND_LINKS', '')}"
    # Of this interpreter, which is one of those that the package promises.
    places = directory.parent / "bin"
    places.mkdir(exist_ok=True)
    (places / "python3").unlink(missing_ok=True)
    (places / "python3").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (places / "python3").chmod(0o755)
    environ["PATH"] = f"{places}:{environ['PATH']}"
    run("\n".join(prepare), directory, environ)
    shutil.copy(originals / "quarters.jpg", directory / "photos/tom.jpg")
    port, log = servers.free_port(), wheel.parent / "log"
    exports = [line for line in prepare if line.startswith("export ")]
    line = "\n".join([*exports, f"exec {serve}"]).replace("127.0.0.1:8080", f"127.0.0.1:{port}")
    with servers.running(["bash", "-c", line], log=log, environ=environ, directory=directory) as process:
        servers.wait_for_port(port, process, log)
        yield Newcomer(directory, Server("newcomer", port, process, log), environ)


def test_the_server_is_probed_gives_a_thumbnail_and_is_scraped(newcomer: Newcomer) -> None:
    *_, look = steps()
    assert len(look) == 4
    health, ready, _, metrics = map(newcomer.run, look)
    assert json.loads(health) == {"status": "ok"}
    assert json.loads(ready)["storages"].keys() == {"photos"}
    picture = pyvips.Image.new_from_file(str(newcomer.directory / "tom.webp"))
    assert (picture.width, picture.height, picture.get("vips-loader")) == (400, 300, "webpload")
    assert re.search(r"^mage_requests_total\{.* [1-9]", metrics)
    page = newcomer.server.get("metrics").body.decode()
    samples = [sample.name for family in text_string_to_metric_families(page) for sample in family.samples]
    assert {"mage_requests_total", "mage_storage_up", "mage_build_info"} <= set(samples)


def test_the_server_runs_from_the_wheel_and_its_log_says_which_libvips(newcomer: Newcomer) -> None:
    script = "venv/bin/python -c 'import mage_project, thumbs; print(thumbs.__file__, mage_project.__file__)'"
    places = newcomer.run(script).split()
    assert [Path(place).is_relative_to(newcomer.directory / "venv") for place in places] == [True, True]
    assert re.search(r"libvips [\d.]+ \(bundled, API mode\)", newcomer.server.log.read_text())


def test_a_command_of_the_pages_runs_there_too(newcomer: Newcomer) -> None:
    command = "venv/bin/python -m django thumb_cache_stats --storage photos"
    assert "photos" in newcomer.run(f"export DJANGO_SETTINGS_MODULE=mage_project.settings\n{command}")
