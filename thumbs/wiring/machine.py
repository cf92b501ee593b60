"""What a scrape of metrics looks up of the machine."""

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from thumbs.cache.filestore.store import ForeignDirectory
from thumbs.conf.loading import Configuration
from thumbs.observability.memory import memory
from thumbs.wiring.caches import file_store

if TYPE_CHECKING:
    from thumbs.observability.machine import MachineCollector


def machine(read: Configuration, directory: str | None) -> "MachineCollector":
    """The room of each disk cache of `read`, and the memory of the workers that write their counts to `directory`."""
    from thumbs.observability.machine import MachineCollector, Room  # noqa: PLC0415 - it needs prometheus-client

    rooms = {}
    for conf in read.storages:
        store = file_store(conf)
        if store is not None and conf.cache.disk.dir:
            with suppress(OSError, ForeignDirectory):
                space = os.statvfs(_existing(Path(conf.cache.disk.dir)))
                rooms[conf.name] = Room(store.usage().cap, space.f_bavail * space.f_frsize)
    return MachineCollector(rooms, memory(directory))


def _existing(path: Path) -> Path:
    """`path`, or the first directory above it that exists: a cache is made by its first entry."""
    return next((each for each in (path, *path.parents) if each.exists()), path)
