"""The rules of `cache.objects`, which names another storage of the document."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from thumbs.conf.document import ObjectCacheConf, StorageConf
from thumbs.problems import MISSING_KEY, Problem, nearest
from thumbs.sources.drivers import table
from thumbs.sources.drivers.driver import no_store

UNKNOWN_STORAGE = "thumbs.E042"
NO_OBJECT_STORE = "thumbs.E043"

STORES = "Such as driver s3, or the classes of django-storages for S3, Google Cloud Storage and Azure."


def object_problems(storages: Sequence[StorageConf]) -> Iterator[Problem]:
    """What is wrong with the object layers, as far as the configuration alone shows it."""
    by_name = {storage.name: storage for storage in storages}
    for storage in storages:
        where = f"storages[{storage.name}].cache.objects.storage"
        name = storage.cache.objects.storage
        if name is None:
            if storage.cache.objects != ObjectCacheConf():
                hint = 'Such as "storage": "cache-bucket", the name of another storage of this document.'
                yield Problem(MISSING_KEY, where, "is required with the other keys of cache.objects.", hint)
        elif name not in by_name:
            yield Problem(UNKNOWN_STORAGE, where, f"{name!r} is no storage of this document.", nearest(name, by_name))
        elif not _may_be_store(by_name[name]):
            yield not_a_store(where, name)


def not_a_store(where: str, name: str) -> Problem:
    return Problem(NO_OBJECT_STORE, where, f"{name!r} is no object store: entries cannot be kept in it.", STORES)


def _may_be_store(storage: StorageConf) -> bool:
    """Whether its driver can be that of an object store. Of a Django storage only its class shows it."""
    with suppress(table.UnknownDriver):  # an error of its own
        return table.driver_of(storage.driver).store is not no_store
    return True
