"""Clears the caches of a storage from Python: no running process serves what was cached before."""

from contextlib import suppress
from dataclasses import dataclass

from thumbs.cache.filestore.store import ForeignDirectory
from thumbs.problems import nearest
from thumbs.site.links import UnknownStorage
from thumbs.site.purging import NotPurged
from thumbs.wiring.caches import file_store
from thumbs.wiring.process import current, thumbnailer


@dataclass(frozen=True, slots=True)
class Cleared:
    """How many entries were removed in this process and on disk, and the bytes of disk that this freed."""

    entries: int
    freed: int


def clear(storage: str) -> Cleared:
    """Drop every thumbnail of the storage, and every cached original.

    Processes of this machine stop serving them within a second, other machines with the same shared layer within five,
    those with nothing in common but an object layer within its `poll_seconds`.
    Raises `UnknownStorage`, OSError if the journal cannot be written, and `NotPurged` if a layer fails.
    """
    storages = thumbnailer().storages
    if storage not in storages:
        raise UnknownStorage(f"No storage is called {storage!r}. {nearest(storage, list(storages))}")
    before = _disk_bytes(storage)
    layers = storages[storage].layers
    entries = layers.clear()
    if layers.failing:
        raise NotPurged(f"The layer {' and '.join(layers.failing)} of {storage} fails: it is not cleared there.")
    return Cleared(entries, max(0, before - _disk_bytes(storage)))


def _disk_bytes(storage: str) -> int:
    conf = next(each for each in current().read.storages if each.name == storage)
    store = file_store(conf)
    if store is not None:
        with suppress(OSError, ForeignDirectory):
            return store.usage().bytes
    return 0
