"""The namespace of a storage's cache keys: two storages in different places never share an entry by accident."""

import hashlib

from thumbs.conf.document import StorageConf
from thumbs.sources.drivers import table


def namespace_of(conf: StorageConf) -> str:
    """The text in every cache key of `conf`: as configured, else a digest of the storage's class and place."""
    if conf.cache.namespace is not None:
        return conf.cache.namespace
    driver = table.driver_of(conf.driver)
    place = driver.place(driver.settings_of(conf))
    return hashlib.blake2b(place.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def scope_of(conf: StorageConf) -> str:
    """What stands before the keys of `conf` in a cache that serves several storages. Their names have no dot."""
    namespace = namespace_of(conf)
    return f"{conf.name}.{namespace}" if namespace else conf.name
