"""The wheel of this tree, and environments of their own that it is installed in."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.servers import ROOT
from tests.support.waiting import LONG_WAIT_SECONDS

_UV = [sys.executable, "-m", "uv"]


def finished(
    command: list[str], directory: Path, environ: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """What a command printed, run in `directory` without the environment of the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DJANGO"))}
    return subprocess.run(
        command,
        cwd=directory,
        env={**kept, **(environ or {})},
        capture_output=True,
        text=True,
        timeout=LONG_WAIT_SECONDS,
        check=False,
    )


def build(work: Path) -> Path:
    """The wheel, built below `work`. Skips where packages cannot be downloaded."""
    tree = work / "tree"
    shutil.copytree(ROOT / "thumbs", tree / "thumbs", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in"):
        shutil.copy(ROOT / name, tree / name)
    _need_network(finished([*_UV, "build", "--quiet", "--wheel", "--out-dir", str(work), str(tree)], work))
    [wheel] = work.glob("*.whl")
    return wheel


def install(wheel: Path, environment: Path, *, extras: str = "") -> Path:
    """The Python of a new environment with the wheel and perhaps `extras`, as `jxl` or `storages,s3`."""
    python, work = environment / "bin/python", environment.parent
    _need_network(finished([*_UV, "venv", "--quiet", "--python", sys.executable, str(environment)], work))
    wanted = f"{wheel}[{extras}]" if extras else str(wheel)
    _need_network(finished([*_UV, "pip", "install", "--quiet", "--python", str(python), wanted], work))
    _need_network(finished([str(python), "-I", "-m", "thumbs.conf.installation", "--repair"], work))
    return python


def extended(base: Path, environment: Path, wheel: Path, *, extras: str = "") -> Path:
    """The Python of a copy of the environment `base`, which `install` made of the wheel, perhaps with `extras`.

    What has been imported there is compiled already: that takes most of the time of a new environment.
    """
    shutil.copytree(base, environment, symlinks=True)
    python = environment / "bin/python"
    if extras:
        install = [*_UV, "pip", "install", "--quiet", "--python", str(python), f"{wheel}[{extras}]"]
        _need_network(finished(install, environment.parent))
    return python


def _need_network(done: "subprocess.CompletedProcess[str]") -> None:
    """Skip where packages cannot be downloaded; fail in CI, and for every other reason."""
    if done.returncode == 0:
        return
    offline = any(sign in done.stderr for sign in ("dns error", "Failed to fetch", "error sending request", "offline"))
    if offline and not os.environ.get("MAGE_REQUIRE_SERVICES"):
        pytest.skip("the package index cannot be reached")
    pytest.fail(done.stderr)
