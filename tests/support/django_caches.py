"""Caches of ours for the tests of Django's cache interface."""

from pathlib import Path
from typing import Any

from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache

from thumbs.cache.disk import DiskCache
from thumbs.cache.memory import MemoryCache

MISSING = object()


class Make:
    """Makes caches of one kind that share what they hold, each with its own parameters."""

    def __init__(self, kind: str, directory: Path) -> None:
        self.kind = kind
        self.directory = directory

    def __call__(self, *, options: dict[str, Any] | None = None, path: str = "default", **params: Any) -> BaseCache:
        params = {"OPTIONS": options or {}, **params}
        location = str(self.directory / path)
        match self.kind:
            case "locmem":
                return LocMemCache(location, params)
            case "filebased":
                return FileBasedCache(location, params)
            case "memory":
                return MemoryCache(location, params)
            case _:
                return DiskCache(location, params)


TRAPPED: list[str] = []
