"""Environments in which made wheels stand for pyvips and pyvips-binary: both install one and the same file."""

import base64
import hashlib
import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.servers import ROOT
from tests.support.waiting import LONG_WAIT_SECONDS

EXTENSION = "_libvips.abi3.so"
LIBRARY = "pyvips_binary.libs/libvips-0123.so.42"
# A `pyvips` that tells of its libvips what the file that is to be its extension module says: version, mode.
PYVIPS = """
import importlib.util, pathlib
found = importlib.util.find_spec("_libvips")
text = pathlib.Path(found.origin).read_text() if found else "8.18.9 ABI"
if text.startswith("nothing"):
    raise OSError("cannot load library 'libvips.so.42'")
said, mode = text.split()[:2]
API_mode = mode == "API"
type_find = {}.get  # no libjxl
version = [int(part) for part in said.split(".")].__getitem__
"""


def wheel(directory: Path, name: str, version: str, files: dict[str, str], *, requires: str = "") -> Path:
    """A wheel of `files`, written into `directory`. It `requires` another distribution, or none."""
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    head = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    everything = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        + (f"Requires-Dist: {requires}\n" if requires else ""),
        f"{info}/WHEEL": head,
    }
    rows = [
        f"{file},sha256={_digest(content)},{len(content.encode())}"  # as a wheel's own builder writes it
        for file, content in everything.items()
    ]
    path = directory / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, content in everything.items():
            archive.writestr(file, content)
        archive.writestr(f"{info}/RECORD", "\n".join([*rows, f"{info}/RECORD,,", ""]))
    return path


def _digest(content: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).decode().rstrip("=")


def binary_wheel(directory: Path, says: str = "8.18.7 API", *, version: str = "8.18.7") -> Path:
    return wheel(directory, "pyvips-binary", version, {EXTENSION: f"{says} of the bundle", LIBRARY: "a library"})


def pyvips_wheel(directory: Path, says: str | None = "8.14.1 API", *, requires: str = "") -> Path:
    """A pyvips that was built against headers of another libvips; for None, one that was built without."""
    extension = {} if says is None else {EXTENSION: f"{says} built here"}
    return wheel(directory, "pyvips", "3.2.0", {"pyvips/__init__.py": PYVIPS, **extension}, requires=requires)


@dataclass(frozen=True)
class Environment:
    """A virtual environment without pip."""

    root: Path

    @property
    def python(self) -> Path:
        return self.root / "bin/python"

    @property
    def packages(self) -> Path:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return self.root / "lib" / version / "site-packages"

    @property
    def extension(self) -> Path:
        return self.packages / EXTENSION

    def share(self) -> None:
        """From here on it has the packages that run the tests, such as Django, after its own ones."""
        (self.packages / "tests.pth").write_text(f"{sysconfig.get_path('purelib')}\n")

    def install(self, tool: str, *words: Path | str, links: Path | None = None) -> None:
        """One call of `pip` or `uv`, which knows no packages but these wheels, or those in `links`, and keeps none."""
        done = subprocess.run(
            [*_installer(tool, self.python), "--no-index", *(("--find-links", links) if links else ()), *words],
            env=without_settings_of_pip(UV_LINK_MODE="copy"),
            capture_output=True,
            text=True,
            check=False,
            timeout=LONG_WAIT_SECONDS,
        )
        assert done.returncode == 0, done.stderr

    def run(self, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        """This environment's Python in the project's directory."""
        return subprocess.run(
            [self.python, *arguments],
            cwd=ROOT,
            env=without_settings_of_pip(**environ),
            capture_output=True,
            text=True,
            check=False,
            timeout=LONG_WAIT_SECONDS,
        )

    def look(self, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        """`python thumbs/conf/installation.py`, as the scripts call it: it needs nothing but Python."""
        return self.run("-I", "thumbs/conf/installation.py", *arguments, **environ)


def environment(root: Path) -> Environment:
    subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", root], check=True, timeout=LONG_WAIT_SECONDS)
    return Environment(root)


def without_settings_of_pip(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "PYTHON"))}
    kept.pop("DJANGO_SETTINGS_MODULE", None)
    return kept | {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1", **more}


def _installer(tool: str, python: Path) -> Sequence[str]:
    if tool == "pip":
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
        return (*pip, "--python", str(python), "install", "--no-deps", "--no-cache-dir")
    return (sys.executable, "-m", "uv", "pip", "install", "--python", str(python), "--no-deps", "--no-cache")
