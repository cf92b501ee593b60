"""The table of storage drivers: one row each. No other module depends on the name of a driver.

A new driver is a row here, a package of its own with its settings and its source, and its keys in `StorageConf`.
"""

import os
from collections.abc import Iterator
from functools import partial
from typing import Any

from thumbs.problems import Problem
from thumbs.sources import local
from thumbs.sources.drivers.driver import Driver
from thumbs.sources.http import settings as http
from thumbs.sources.object_store import ObjectStore
from thumbs.sources.s3 import settings as s3
from thumbs.sources.served import Served
from thumbs.sources.source import Source
from thumbs.sources.storages import settings as storages


class UnknownDriver(ValueError):
    """No row has this name, and it is no dotted path."""


def driver_of(name: str) -> Driver[Any]:
    """The row for the value of `driver` in the configuration. Raises `UnknownDriver`."""
    for driver in NAMED:
        if driver.name == name:
            return driver
    if "." in name:
        return BY_CLASS
    raise UnknownDriver(name)


def _local_source(settings: local.LocalSettings, max_bytes: int, deadline: float) -> Source:
    return local.LocalSource(
        settings.root, follow_symlinks=settings.follow_symlinks, max_bytes=max_bytes, deadline=deadline
    )


def _below_root(settings: local.LocalSettings, held_by: object) -> Served | None:
    from thumbs.sources.storages.served_paths import below_root  # noqa: PLC0415

    return below_root(settings.root, held_by)


def _root(settings: local.LocalSettings) -> str:
    return repr(("local", os.path.realpath(settings.root)))


def _s3_source(settings: s3.S3Settings, max_bytes: int, deadline: float) -> Source:
    from thumbs.sources.s3.source import S3Source  # noqa: PLC0415

    return S3Source(settings, max_bytes=max_bytes, deadline=deadline)


def _keys_in_bucket(settings: s3.S3Settings, held_by: object) -> Served | None:
    from thumbs.sources.storages.served_paths import keys_in_bucket  # noqa: PLC0415

    return keys_in_bucket(settings.bucket, settings.base_url, held_by)


def _bucket(settings: s3.S3Settings) -> str:
    return repr(("s3", settings.base_url, settings.bucket))


def _objects_of_bucket(settings: s3.S3Settings) -> ObjectStore | None:
    from thumbs.sources.s3.objects import S3Objects  # noqa: PLC0415
    from thumbs.sources.s3.source import S3Source  # noqa: PLC0415

    # No limit of a source's: each call of a store has a deadline of its own, and reads only what the app has written.
    return S3Objects(S3Source(settings, max_bytes=0, deadline=settings.http.request_timeout_sec))


def _http_source(settings: http.HttpSettings, max_bytes: int, deadline: float) -> Source:
    from thumbs.sources.http.source import HttpSource  # noqa: PLC0415

    return HttpSource(settings, max_bytes=max_bytes, deadline=deadline)


def _no_files(_: http.HttpSettings, __: object) -> Served | None:
    return None


def _url(settings: http.HttpSettings) -> str:
    return repr(("http", settings.base_url or settings.allowed_sources))


def _http_problems(settings: http.HttpSettings) -> Iterator[Problem]:
    from thumbs.sources.http.rules import problems  # noqa: PLC0415

    return problems(settings)


def _http_unsigned(settings: http.HttpSettings) -> Iterator[Problem]:
    from thumbs.sources.http.rules import unsigned  # noqa: PLC0415

    return unsigned(settings)


def _http_busy(settings: http.HttpSettings, fetches: int) -> Iterator[Problem]:
    from thumbs.sources.http.rules import busy  # noqa: PLC0415

    return busy(settings, fetches)


def _http_checks(settings: http.HttpSettings) -> Iterator[Problem]:
    from thumbs.sources.http.rules import checks  # noqa: PLC0415

    return checks(settings)


def _storage_source(settings: storages.StorageSettings, max_bytes: int, deadline: float) -> Source:
    from thumbs.sources.storages.django_storage import StorageSource, maker_of, storage_of  # noqa: PLC0415

    maker = partial(maker_of, settings)
    return StorageSource(storage_of(settings), maker=maker, max_bytes=max_bytes, deadline=deadline)


def _names_in_storage(settings: storages.StorageSettings, held_by: object) -> Served | None:
    from thumbs.sources.storages.django_storage import storage_of  # noqa: PLC0415
    from thumbs.sources.storages.served_paths import names_in_storage  # noqa: PLC0415

    return names_in_storage(storage_of(settings)(), held_by)


def _objects_of_storage(settings: storages.StorageSettings) -> ObjectStore | None:
    from thumbs.sources.storages.django_storage import storage_of  # noqa: PLC0415
    from thumbs.sources.storages.object_stores import store_of  # noqa: PLC0415

    return store_of(storage_of(settings)())


def _place(settings: storages.StorageSettings) -> str:
    from thumbs.sources.storages.places import place_of  # noqa: PLC0415

    return place_of(settings)


def _alias_checks(settings: storages.AliasSettings) -> Iterator[Problem]:
    from thumbs.sources.storages.checks import alias_problems  # noqa: PLC0415

    return alias_problems(settings)


def _class_checks(settings: storages.ClassSettings) -> Iterator[Problem]:
    from thumbs.sources.storages.checks import class_problems  # noqa: PLC0415

    return class_problems(settings)


NAMED: tuple[Driver[Any], ...] = (
    Driver(
        "local",
        local.LocalSettings,
        _local_source,
        _below_root,
        place=_root,
        rules=local.problems,
        max_segment_bytes=local.MAX_SEGMENT_BYTES,
    ),
    Driver(
        "s3",
        s3.S3Settings,
        _s3_source,
        _keys_in_bucket,
        place=_bucket,
        rules=s3.problems,
        store=_objects_of_bucket,
    ),
    Driver(
        "http",
        http.HttpSettings,
        _http_source,
        _no_files,
        place=_url,
        rules=_http_problems,
        checks=_http_checks,
        unsigned=_http_unsigned,
        busy=_http_busy,
        naming=http.Urls,
    ),
    Driver(
        "django",
        storages.AliasSettings,
        _storage_source,
        _names_in_storage,
        place=_place,
        rules=storages.problems,
        checks=_alias_checks,
        store=_objects_of_storage,
    ),
)
# The row for every dotted path to a class of a Django storage.
BY_CLASS: Driver[Any] = Driver(
    "a class",
    storages.ClassSettings,
    _storage_source,
    _names_in_storage,
    place=_place,
    checks=_class_checks,
    store=_objects_of_storage,
)
