"""Where a Django storage keeps its files, as a text: equal for two storages whose files are the same.

It is made without asking the storage, and holds no secret.
"""

import itertools
import os
import weakref
from collections.abc import Mapping
from pathlib import PurePath

from django.conf import settings
from django.core.files.storage import FileSystemStorage, InMemoryStorage, Storage

from thumbs.observability.redaction import is_sensitive
from thumbs.sources.storages.django_storage import storage_of
from thumbs.sources.storages.settings import AliasSettings, StorageSettings

# The attributes in which Django's storages, django-storages and others keep what decides where a file is.
_ATTRIBUTES = (
    *("bucket_name", "endpoint_url", "location", "base_location", "account_name", "azure_container"),
    *("custom_endpoint", "root_path", "_host", "_root_path", "_location", "project_id"),
)
_PLAIN = (str, int, bool, type(None), PurePath)

# A storage in memory has no place: each object, in each process, has files of its own.
_numbers: "weakref.WeakKeyDictionary[Storage, int]" = weakref.WeakKeyDictionary()
_next_number = itertools.count(1)


def place_of(storage_settings: StorageSettings) -> str:
    """The place of the storage that the settings name. If it cannot be made, its class and options stand for it."""
    dotted, options = _class_and_options(storage_settings)
    try:
        storage = storage_of(storage_settings)()
    except Exception:  # the system checks and the first request report it
        return repr((dotted, _plain(options)))
    kind = f"{type(storage).__module__}.{type(storage).__qualname__}"
    if isinstance(storage, InMemoryStorage):
        return repr((kind, os.getpid(), _numbers.setdefault(storage, next(_next_number))))
    if isinstance(storage, FileSystemStorage):
        return repr((kind, os.path.realpath(storage.location)))
    found = {name: str(value) for name in _ATTRIBUTES if (value := _attribute(storage, name)) is not None}
    return repr((kind, found or _plain(options)))


def _class_and_options(storage_settings: StorageSettings) -> tuple[str, Mapping[str, object]]:
    if isinstance(storage_settings, AliasSettings):
        alias = settings.STORAGES.get(storage_settings.alias, {})
        return str(alias.get("BACKEND")), alias.get("OPTIONS", {})
    return storage_settings.driver, storage_settings.options


def _attribute(storage: Storage, name: str) -> object:
    try:
        value = getattr(storage, name, None)
    except Exception:  # a property of the storage's class
        return None
    return value if isinstance(value, _PLAIN) else None


def _plain(options: Mapping[str, object]) -> list[tuple[str, str]]:
    """The options that are simple values and no secrets: a new password is not a new place."""
    return sorted(
        (name, str(value)) for name, value in options.items() if isinstance(value, _PLAIN) and not is_sensitive(name)
    )
