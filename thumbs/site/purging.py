"""Purging from Python: what was made of one original goes, in every layer and every running process."""

from thumbs.problems import nearest
from thumbs.request.grammar import check_path
from thumbs.request.resolve import group_of
from thumbs.site.links import UnknownStorage
from thumbs.wiring.process import thumbnailer


class NotPurged(RuntimeError):
    """A layer could not do it; processes of this machine do not serve what was purged, but others may."""


def purge(storage: str, path: str) -> int:
    """Drop every thumbnail of the original `path`, and what is kept of the original itself.

    All processes of this machine that serve the storage stop using them within a second, those of other machines that
    have a shared layer with it within five. Returns how many entries it freed in this process and on disk; how many
    the memory of others and a shared layer held is not to be known. The cost does not depend on what else is cached.

    Raises `UnknownStorage`, `BadPath` for what is no path, OSError where the purge cannot be written down, and
    `NotPurged`.
    """
    storages = thumbnailer().storages
    if storage not in storages:
        raise UnknownStorage(f"No storage is called {storage!r}. {nearest(storage, list(storages))}")
    check_path(path)
    layers = storages[storage].layers
    count = layers.purge(group_of(storage, path))
    if layers.failing:
        raise NotPurged(f"The layer {' and '.join(layers.failing)} of {storage} fails: {path} is not purged there.")
    return count
