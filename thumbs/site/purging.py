"""Purges one original from Python: its entries go from every layer of every running process."""

from thumbs.problems import nearest
from thumbs.request.resolve import group_of
from thumbs.site.links import UnknownStorage
from thumbs.wiring.process import thumbnailer


class NotPurged(RuntimeError):
    """A layer failed. This machine does not serve what was purged, but other machines may."""


def purge(storage: str, path: str) -> int:
    """Drop every thumbnail of the original `path`, and every cached copy of the original.

    Processes of this machine stop serving them within a second, other machines with the same shared layer within five,
    those with nothing in common but an object layer within its `poll_seconds`.
    Returns how many entries it freed in this process and on disk; entries in other processes, in the shared layer
    and in the object layer are not counted. The cost does not depend on the size of the caches.

    Where paths name URLs, `path` may be the URL of the original itself.

    Raises `UnknownStorage`; `BadPath` or `SourceNotAllowed` if no URL can have this path; OSError if the journal cannot
    be written; and `NotPurged` if a layer fails.
    """
    storages = thumbnailer().storages
    if storage not in storages:
        raise UnknownStorage(f"No storage is called {storage!r}. {nearest(storage, list(storages))}")
    policy, layers = storages[storage].policy, storages[storage].layers
    count = layers.purge(group_of(storage, policy.key_of(policy.path_of(path)), policy.namespace))
    if layers.failing:
        raise NotPurged(f"The layer {' and '.join(layers.failing)} of {storage} fails: {path} is not purged there.")
    return count
