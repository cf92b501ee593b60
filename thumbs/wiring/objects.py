"""Builds the layer of a storage's cache that is in the object store of another storage."""

from collections.abc import Mapping
from functools import partial

from thumbs.cache.layer import Layer
from thumbs.cache.objects.alone import SharingObjectLayer
from thumbs.cache.objects.bounded_store import BoundedStore
from thumbs.cache.objects.layer import Lifetimes, ObjectLayer
from thumbs.cache.objects.names import Names
from thumbs.conf.document import StorageConf
from thumbs.sources.drivers import table
from thumbs.sources.object_store import ObjectStore
from thumbs.wiring.namespaces import scope_of


def object_layer(conf: StorageConf, stores: Mapping[str, StorageConf], *, keep: float) -> Layer | None:
    """The object layer of `conf`, in one of `stores`, by name; None where it has none. Opens no connection.

    `keep` is the seconds for which an entry is served.
    """
    objects = conf.cache.objects
    holder = stores.get(objects.storage or "")
    if holder is None:
        return None
    # Where machines share a cache, that has the feed and the leases: it is faster, and costs nothing for each request.
    kind = ObjectLayer if conf.cache.shared.alias else SharingObjectLayer
    times = Lifetimes(ttl=objects.ttl_seconds, timeout=objects.timeout_ms / 1000, poll=objects.poll_seconds, keep=keep)
    return kind(BoundedStore(partial(store_of, holder)), Names(objects.prefix, scope_of(conf)), times)


def store_of(conf: StorageConf) -> ObjectStore | None:
    """The object store behind `conf`; None where that is something else.

    Opens no connection. Raises `UnknownDriver`, and what the constructor of a storage raises.
    """
    driver = table.driver_of(conf.driver)
    return driver.store(driver.settings_of(conf))
