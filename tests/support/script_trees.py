"""Trees in which script/setup can be run."""

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.support.installations import PYVIPS
from tests.support.waiting import LONG_WAIT_SECONDS

ROOT = Path(__file__).resolve().parents[2]


# A project that installs without any index: its build backend is a file of its own, and it brings what stands for
# pyvips.
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "tiny"
version = "1"
dependencies = [{dependencies}]
[project.optional-dependencies]
fast = ["a-parser-that-no-index-has"]
test = []
"""


BACKEND = """
import pathlib, zipfile

PYVIPS = __PYVIPS__

def build_editable(directory, config_settings=None, metadata_directory=None):
    name = "tiny-1-py3-none-any.whl"
    metadata = pathlib.Path("pyproject.toml").read_text().partition("dependencies = [")[2].partition("]")[0]
    requires = f"Requires-Dist: {metadata.strip(chr(34))}" if metadata else ""
    with zipfile.ZipFile(pathlib.Path(directory, name), "w") as wheel:
        wheel.writestr("pyvips/__init__.py", PYVIPS)
        wheel.writestr("tiny-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        extras = "Provides-Extra: all\\nProvides-Extra: test\\nProvides-Extra: fast\\n"
        head = "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1\\n"
        wheel.writestr("tiny-1.dist-info/METADATA", f"{head}{extras}{requires}\\n")
        wheel.writestr("tiny-1.dist-info/RECORD", "")
    return name
""".replace("__PYVIPS__", repr(PYVIPS))


def run(command: list[str | Path], **env: str) -> "subprocess.CompletedProcess[str]":
    """Run in an environment without pip's and Mage's own settings; `env` comes on top."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON", "MAGE_"))}
    for name in ("PORT", "STORAGES_CONFIG_PATH"):
        kept.pop(name, None)
    kept |= {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_RETRIES": "0"} | env
    return subprocess.run(command, env=kept, capture_output=True, text=True, timeout=LONG_WAIT_SECONDS, check=False)


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def quick_python(directory: Path) -> Path:
    """This Python; new environments of it get a copy of its own pip. That of `ensurepip` takes seconds to install."""
    packages = Path(sysconfig.get_path("purelib"))
    made = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    pip = " ".join(shlex.quote(str(path)) for path in packages.glob("pip*") if path.name.split("-")[0] == "pip")
    python = shlex.quote(sys.executable)
    return executable(
        directory / "quick-python",
        f"""#!/bin/sh
case "$*" in
    "-I -m venv "*) {python} -I -m venv --without-pip "$4" && exec cp -a -- {pip} "$4/{made}/" ;;
    *) exec {python} "$@" ;;
esac
""",
    )


def project(tmp_path: Path, *, dependencies: str = "") -> Path:
    """A tree with Mage's script/setup and a project that needs nothing but `dependencies`."""
    tree = tmp_path / "a tree with spaces"
    (tree / "script").mkdir(parents=True)
    (tree / "thumbs" / "conf").mkdir(parents=True)
    for name in ("script/setup", "thumbs/conf/installation.py"):
        shutil.copy(ROOT / name, tree / name)
    (tree / "pyproject.toml").write_text(PYPROJECT.format(dependencies=dependencies), encoding="utf-8")
    (tree / "requirements.txt").write_text("", encoding="utf-8")
    (tree / "backend.py").write_text(BACKEND, encoding="utf-8")
    return tree
