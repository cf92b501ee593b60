"""Installs client libraries by name, and lets them write URLs. The directory var/ keeps them; git ignores it.

Without npm, or without its registry, a test is skipped; in CI it fails.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.servers import ROOT, service
from tests.support.waiting import LONG_WAIT_SECONDS, WAIT_SECONDS

# `.ci/machine` installs these.
NPM = {
    "@imgproxy/imgproxy-node": "1.1.0",
    "@nuxt/image": "2.1.0",
    "thumbor-url-builder": "0.1.1",
    "unpic": "4.2.2",
}
PYPI = {"imgora": "0.0.1", "libthumbor": "2.0.2"}
_HERE = Path(__file__).parent
_NPM_PREFIX, _PYPI_TARGET = ROOT / "var/clients/npm", ROOT / "var/clients/pypi"


@dataclass(frozen=True)
class Written:
    """A URL that a client library wrote, and the picture that its options ask for: its size and content type."""

    client: str
    url: str
    size: tuple[int, int]
    type: str


def of_npm(address: str, key: str, salt: str, secret: str, directory: Path) -> list[Written]:
    """URLs of a server at `address`, with the key and the salt of imgproxy, and the key of thumbor."""
    node = service("node")
    if not all(_has_npm(name, version) for name, version in NPM.items()):
        wanted = [f"{name}@{version}" for name, version in NPM.items()]
        options = ("--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts", "--omit=optional")
        _install([service("npm"), "install", *options, "--prefix", str(_NPM_PREFIX), *wanted])
    # node looks for packages beside the program.
    (directory / "node_modules").symlink_to(_NPM_PREFIX / "node_modules")
    program = shutil.copy(_HERE / "urls_of_npm.mjs", directory)
    return _written([node, str(program), address, key, salt, secret])


def of_pypi(address: str, secret: str) -> list[Written]:
    """URLs of a server at `address`, with the key of thumbor and imagor."""
    if not all((_PYPI_TARGET / f"{name}-{version}.dist-info").is_dir() for name, version in PYPI.items()):
        wanted = [f"{name}=={version}" for name, version in PYPI.items()]
        options = ("--quiet", "--upgrade", "--target", str(_PYPI_TARGET))
        _install([sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *options, *wanted])
    environ = {**os.environ, "PYTHONPATH": str(_PYPI_TARGET)}
    return _written([sys.executable, str(_HERE / "urls_of_pypi.py"), address, secret], environ)


def _has_npm(name: str, version: str) -> bool:
    package = _NPM_PREFIX / "node_modules" / name / "package.json"
    return package.is_file() and json.loads(package.read_text())["version"] == version


def _install(command: Sequence[str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=LONG_WAIT_SECONDS)
    if done.returncode != 0:
        reason = f"the client libraries cannot be installed: {done.stderr.strip()[-300:]}"
        if os.environ.get("MAGE_REQUIRE_SERVICES"):
            pytest.fail(reason)
        pytest.skip(reason)


def _written(command: Sequence[str], environ: Mapping[str, str] | None = None) -> list[Written]:
    done = subprocess.run(command, check=False, env=environ, capture_output=True, text=True, timeout=WAIT_SECONDS)
    assert done.returncode == 0, done.stderr
    return [
        Written(each["client"], each["url"], (each["size"][0], each["size"][1]), each["type"])
        for each in json.loads(done.stdout)
    ]
