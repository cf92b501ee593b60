"""Django storages whose listing hangs, fails, or is long."""

import threading

from django.core.files.storage import Storage
from django.utils.deconstruct import deconstructible

_FOREVER = threading.Event()


@deconstructible
class StuckStorage(Storage):
    """It never answers."""

    def listdir(self, path: str) -> tuple[list[str], list[str]]:  # noqa: ARG002 - Django passes it
        _FOREVER.wait()
        return [], []

    def exists(self, name: str) -> bool:  # noqa: ARG002 - Django passes it
        _FOREVER.wait()
        return False


@deconstructible
class FailingStorage(Storage):
    """It fails with an error that no client may see."""

    def listdir(self, path: str) -> tuple[list[str], list[str]]:  # noqa: ARG002 - Django passes it
        raise RuntimeError("the password is hunter2")

    def exists(self, name: str) -> bool:  # noqa: ARG002 - Django passes it
        raise RuntimeError("the password is hunter2")


@deconstructible
class CrowdedStorage(Storage):
    """A hundred thousand names in one directory."""

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        return ([], [f"{number:06}.jpg" for number in range(100_000)]) if path == "many" else (["many"], [])

    def exists(self, name: str) -> bool:  # noqa: ARG002 - Django passes it
        return True
