"""A storage that writes down which modules its process has imported, for tests of a server's real processes."""

import sys
from pathlib import Path

from django.core.files import File
from django.core.files.storage import FileSystemStorage
from django.utils.deconstruct import deconstructible


@deconstructible
class ListingStorage(FileSystemStorage):
    """Files of `location`. Each read writes the names of all imported modules into `listed`, one a line."""

    def __init__(self, location: str, listed: str) -> None:
        super().__init__(location=location)
        self._listed = Path(listed)

    def open(self, name: str, mode: str = "rb") -> "File[bytes]":
        self._listed.write_text("\n".join(sorted(sys.modules)))
        return super().open(name, mode)
