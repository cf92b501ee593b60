"""The server as the steps of docs/deployment.md install it, in a directory that stands for the root of the system."""

import atexit
import re
import shlex
import shutil
import tempfile
from functools import cache
from pathlib import Path

from tests.support.servers import ROOT

_PLACES = re.compile(r"(?<![\w.])/(?=(?:opt|etc)/mage\b)")
# The tests have an account, an environment and a service manager of their own.
_SYSTEMS_OWN = ("useradd ", "python3 -m venv ", "(cd ", "systemctl ", "install -m 644 deploy/mage.service ")


def steps() -> list[str]:
    """The commands of the section about systemd, without those that need the system."""
    text = (ROOT / "docs" / "deployment.md").read_text()
    (block,) = re.findall(r"^## systemd\n\n```sh\n(.*?)```", text, re.MULTILINE | re.DOTALL)
    lines = [line.partition("  #")[0].strip() for line in block.splitlines()]
    return [command for line in lines if not line.startswith(_SYSTEMS_OWN) for command in line.split(" && ")]


@cache
def installed() -> Path:
    """The working directory of the unit, with what the steps put there, and nothing else."""
    root = Path(tempfile.mkdtemp(prefix="mage-install-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    install(root)
    return root / "opt/mage/app"


def install(root: Path) -> None:
    """Take the steps below `root`. Raises ValueError for a command that is unknown here."""
    for command in steps():
        name, *words = shlex.split(_PLACES.sub(f"{root}/", command))
        if name == "mkdir":
            for word in words:
                if not word.startswith("-"):
                    Path(word).mkdir(parents=True, exist_ok=True)
        elif name == "cp" and words[0] == "-r":
            for word in words[1:-1]:
                _copy(ROOT / word, Path(words[-1]))
        elif name == "install":
            _write(words[-2], Path(words[-1]), mode=int(words[words.index("-m") + 1], 8))
        else:
            raise ValueError(command)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        # Python may write into __pycache__ meanwhile.
        shutil.copytree(source, target / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def _write(source: str, target: Path, *, mode: int) -> None:
    """`install`: an empty file, or the configuration that the operator has written."""
    path = target / Path(source).name if target.is_dir() else target
    path.write_text("{}" if source == "storages.json" else "")
    path.chmod(mode)
