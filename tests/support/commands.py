"""Commands run as a user does, with a `storages.json` of their own, or in this process with settings of their own."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.support import copies
from tests.support.servers import ROOT, write_document
from tests.support.waiting import WAIT_SECONDS

# One of each kind of mistake, and what each is called.
BROKEN = [
    {"name": "photos", "driver": "local", "root": "/nonexistent"},
    {"name": "photos", "driver": "locl"},
    {"name": "Bad", "driver": "local"},
    {"name": "other", "driver": "s3", "buket": "b"},
    {"name": "third", "driver": "s3"},
]
BROKEN_IDS = {"thumbs.E002", "thumbs.E003", "thumbs.E004", "thumbs.E005", "thumbs.E009"}


def local_storage(name: str, root: Path, **cache: object) -> dict[str, object]:
    return {"name": name, "driver": "local", "root": str(root), "cache": cache}


def disk_cache(directory: Path, **more: object) -> dict[str, object]:
    return {"enabled": True, "dir": str(directory), **more}


def environ_with(directory: Path, storages: Sequence[Mapping[str, object]], **more: str) -> dict[str, str]:
    """The environment of a standalone server of `storages`; its configuration is written into `directory`."""
    config = directory / "storages.json"
    write_document(config, {"storages": storages, "run_dir": str(directory / "run")})
    kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    return {**kept, "STORAGES_CONFIG_PATH": str(config), **more}


def finished(command: Sequence[str], environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """The output of `command` and its status, when it has ended."""
    return subprocess.run(
        command, check=False, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=WAIT_SECONDS
    )


def manage(environ: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return copies.finished(["manage.py", *arguments], environ=environ)


class Run:
    """Runs a command in this process, and captures its output."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> str:
        self._capsys.readouterr()
        call_command(*arguments)
        return self._capsys.readouterr().out

    def refused(self, *arguments: str) -> str:
        """The one line of the error."""
        with pytest.raises(CommandError) as raised:
            self(*arguments)
        assert "\n" not in str(raised.value)
        return str(raised.value)
