"""Installs thumbor, ipx and the peers of the template tags into the scratch directory with pip and npm, once."""

import json
import shutil
import sys
from importlib.metadata import distributions
from pathlib import Path

from bench.processes import UnavailableError, running

_INSTALL_SECONDS = 900.0
TAG_PEERS = ("sorl-thumbnail", "easy-thumbnails", "django-imagekit")


def thumbor(scratch: Path) -> Path:
    """The directory of a virtual environment that has thumbor. Raises `UnavailableError` with pip's last line."""
    home = scratch / "thumbor"
    if not (home / "bin" / "thumbor").exists():
        home.mkdir(exist_ok=True)
        _run([sys.executable, "-m", "venv", home], home)
        _run([home / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "-q", "thumbor"], home)
    return home


def ipx(scratch: Path) -> Path:
    """A directory that has ipx in `node_modules`. Raises `UnavailableError` with npm's last line."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise UnavailableError("it needs node and npm (on Debian: apt-get install nodejs npm)")
    home = scratch / "ipx"
    if not (home / "node_modules" / "ipx" / "package.json").exists():
        home.mkdir(exist_ok=True)
        # Without a name, npm uses the directory's, "ipx", and refuses to install a package into itself.
        (home / "package.json").write_text('{"name": "bench-peers", "private": true}\n')
        _run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "ipx"], home)
    return home


def tag_peers(scratch: Path) -> Path:
    """A directory of packages with the peers of the template tags. Raises `UnavailableError` with pip's last line."""
    home = scratch / "tag-peers"
    if not (home / "packages" / "imagekit").exists():
        home.mkdir(exist_ok=True)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--upgrade"]
        _run([*pip, "--target", home / "packages", *TAG_PEERS], home)
    return home / "packages"


def python_version(home: Path, package: str) -> str:
    """The version of a package in the virtual environment `home`."""
    paths = [str(path) for path in home.glob("lib/python*/site-packages")]
    return next((distribution.version for distribution in distributions(name=package, path=paths)), "?")


def node_version(home: Path, package: str) -> str:
    """The version of a package in `home`'s `node_modules`."""
    package_json: dict[str, str] = json.loads((home / "node_modules" / package / "package.json").read_text())
    return package_json["version"]


def _run(command: list[str | Path], home: Path) -> None:
    with running(command, log=home / "install.log", cwd=home) as child:
        if child.await_end(_INSTALL_SECONDS):
            raise UnavailableError(f"it could not be installed: {child.last_line}")
