"""A Django storage with nothing but what Django's documentation requires."""

from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage


class Bare(Storage):
    """A storage that can do no more than open what it was given."""

    def __init__(self, **files: bytes) -> None:
        self.files = files

    def _open(self, name: str, _mode: str = "rb") -> "File[bytes]":
        if name not in self.files:
            raise FileNotFoundError(name)
        return ContentFile(self.files[name], name)

    def exists(self, name: str) -> bool:
        return name in self.files
