"""Purges by the command, as an operator runs it beside a server."""

import os
from collections.abc import Iterable
from itertools import product
from pathlib import Path

from tests.support.commands import manage

# In one process: each start of Django takes a second.
_CALLS = """
from django.core.management import call_command
for storage, source in {pairs!r}:
    call_command("clear_thumb_cache", storage=storage, source=source)
"""


def purge(directory: Path, storages: Iterable[str], sources: Iterable[str]) -> None:
    """Purge originals from storages of the server whose `storages.json` is in `directory`."""
    environ = {**os.environ, "STORAGES_CONFIG_PATH": str(directory / "storages.json")}
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    done = manage(environ, "shell", "--command", _CALLS.format(pairs=list(product(storages, sources))))
    assert done.returncode == 0, done.stderr
