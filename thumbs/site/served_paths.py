"""Whether a storage of the configuration serves a file of a Django storage, and under which path."""

from typing import cast

from django.core.files.storage import Storage
from django.utils.functional import LazyObject, empty

from thumbs.conf.document import StorageConf
from thumbs.sources.drivers import table
from thumbs.sources.served import Served


def served_path(conf: StorageConf, held_by: Storage, name: str) -> str | None:
    """The path under which `conf` serves the file `name` of the storage `held_by`; None when it does not.

    It does when it reads the same storage, or the same directory or bucket, or one around or within it. Raises
    `UnknownDriver`, and whatever a storage's class raises when it is made.
    """
    found = served(conf, unwrapped(held_by))
    return None if found is None else found.path(name)


def served(conf: StorageConf, held_by: object) -> Served | None:
    """How `conf` serves the files of `held_by`, which is no lazy object. Raises as `served_path` does."""
    driver = table.driver_of(conf.driver)
    return driver.served(driver.settings_of(conf), held_by)


def unwrapped(storage: object) -> object:
    """The storage behind a lazy object such as `default_storage`."""
    if isinstance(storage, LazyObject):
        if storage._wrapped is empty:  # noqa: SLF001
            storage._setup()  # noqa: SLF001
        return cast(object, storage._wrapped)  # noqa: SLF001
    return storage
