"""The steps of our Dockerfile, taken in a directory that stands for the root of the image."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.servers import ROOT
from tests.support.waiting import LONG_WAIT_SECONDS

SYSTEMS_OWN = ("apt-get ", "rm -rf /var/lib/apt/", "useradd ")
PLACES = re.compile(r"(?<![\w.])/(?=build\b|opt/mage\b|app\b|etc/mage\b|var/cache/mage\b)")
MAGE_UID = 10001


@dataclass
class Image:
    """The steps of our Dockerfile, taken one by one in a directory that stands for the image's root.

    What belongs to the system (packages, an account) is not done again here: this machine has it, or the test is left
    out.
    """

    root: Path
    tools: Path
    environ: dict[str, str] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"

    def here(self, text: str) -> str:
        return PLACES.sub(f"{self.root}/", text)

    def build(self, dockerfile: str) -> None:
        for line in re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", dockerfile)).splitlines():
            name, _, rest = line.strip().partition(" ")
            if name in ("RUN", "COPY", "ENV", "FROM", "WORKDIR"):
                getattr(self, f"_{name.lower()}")(rest.strip())
            elif name:
                self.last[name] = rest.strip()

    def _from(self, _: str) -> None:
        """A stage begins with nothing but what it copies from the one before."""
        for place in ("build", "app"):
            shutil.rmtree(self.root / place, ignore_errors=True)

    def _workdir(self, rest: str) -> None:
        self.workdir = self.here(rest)
        Path(self.workdir).mkdir(parents=True, exist_ok=True)

    def _env(self, rest: str) -> None:
        for item in shlex.split(rest):
            name, _, value = item.partition("=")
            self.environ[name] = self.here(value).replace("$PATH", "/usr/local/bin:/usr/bin:/bin")

    def _copy(self, rest: str) -> None:
        *sources, target = rest.split()
        if sources[0].startswith("--"):
            assert sources[1:] == [target], "the stages share one root here"
            assert Path(self.here(target)).exists()
            return
        to = (Path(self.workdir) / self.here(target)).resolve()
        for source in sources:
            assert f"!{source.removeprefix('./')}" in (ROOT / ".dockerignore").read_text().splitlines()
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, to, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                to.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, to)

    def _run(self, rest: str) -> None:
        path = f"{self.tools}:{os.environ['PATH']}"
        environ = {**os.environ, "PATH": path}
        owner = f"-o {MAGE_UID} -g {MAGE_UID}" if os.getuid() == 0 else ""
        for command in (part.strip().replace("-o mage -g mage", owner) for part in rest.split("&&")):
            if not command.startswith(SYSTEMS_OWN):
                subprocess.run(
                    self.here(command), shell=True, check=True, cwd=self.workdir, env=environ, timeout=LONG_WAIT_SECONDS
                )


@pytest.fixture
def image() -> Iterator[Image]:
    servers.service("gcc")
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        pytest.skip("Python's headers are not installed: apt-get install python3-dev")
    with tempfile.TemporaryDirectory(prefix="image-") as name:  # not pytest's directory, which only its owner may enter
        root = Path(name) / "root"
        tools = Path(name) / "bin"
        for place in (Path(name), root, tools):
            place.mkdir(exist_ok=True)
            place.chmod(0o755)
        for tool, words in (("python", ""), ("pip", "-m pip --disable-pip-version-check -qq")):
            (tools / tool).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {words} "$@"\n')
            (tools / tool).chmod(0o755)
        yield Image(root, tools)
