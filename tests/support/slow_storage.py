"""A Django storage that is slow, and logs which process read what."""

import os
import time
from pathlib import Path

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage


class SlowStorage(FileSystemStorage):
    """`seconds` for each read; a line `pid name` in `journal` before it."""

    def __init__(self, location: str, journal: str, seconds: float) -> None:
        super().__init__(location=location)
        self._journal = journal
        self._seconds = seconds

    def open(self, name: str, mode: str = "rb") -> File:  # type: ignore[type-arg]
        with Path(self._journal).open("a") as journal:
            journal.write(f"{os.getpid()} {name}\n")
        time.sleep(self._seconds)
        return super().open(name, mode)
