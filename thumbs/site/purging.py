"""Purges one original from Python: its entries go from every layer of every running process."""

from thumbs.problems import nearest
from thumbs.request import cache_tags
from thumbs.request.resolve import group_of
from thumbs.site.links import UnknownStorage, policy_of
from thumbs.site.purge_signal import send_purged
from thumbs.wiring.process import thumbnailer


class NotPurged(RuntimeError):
    """A layer failed. This machine does not serve what was purged, but other machines may."""


def purge(storage: str, path: str) -> int:
    """Drop every thumbnail of the original `path`, and every cached copy of the original.

    Processes of this machine stop serving them within a second, other machines with the same shared layer within five,
    those with nothing in common but an object layer within its `poll_seconds`.
    Returns how many entries it freed in this process and on disk; entries in other processes, in the shared layer
    and in the object layer are not counted. The cost does not depend on the size of the caches.

    `thumbs.signals.purged` is sent when the layers were purged, also where one of them fails.

    Where paths name URLs, `path` may be the URL of the original itself.

    Raises `UnknownStorage`; `BadPath` or `SourceNotAllowed` if no URL can have this path; OSError if the journal cannot
    be written; and `NotPurged` if a layer fails.
    """
    storages = thumbnailer().storages
    if storage not in storages:
        raise UnknownStorage(f"No storage is called {storage!r}. {nearest(storage, list(storages))}")
    policy, layers = storages[storage].policy, storages[storage].layers
    key = policy.key_of(policy.path_of(path))
    count = layers.purge(group_of(storage, key, policy.namespace))
    send_purged(storage, key, count)
    if layers.failing:
        raise NotPurged(f"The layer {' and '.join(layers.failing)} of {storage} fails: {path} is not purged there.")
    return count


def cache_tag(storage: str, path: str) -> str:
    """The tag of the original `path` in the header that `cache_tag_header` of its storage names.

    Raises `UnknownStorage`; `BadPath` or `SourceNotAllowed` if no URL can have this path.
    """
    policy = policy_of(storage)
    return cache_tags.cache_tag(storage, policy.key_of(policy.path_of(path)))
