"""Whether a file in a Django storage is an original of ours, and which."""

import os
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from django.core.files.storage import FileSystemStorage, Storage, storages
from django.utils.functional import LazyObject, empty
from django.utils.module_loading import import_string

from thumbs.conf.document import StorageConf


def served_path(conf: StorageConf, held_by: Storage, name: str) -> str | None:
    """The path under which `conf` serves the file `name` in the storage `held_by`; None when it does not.

    It does when it reads the same storage, or the same directory or bucket, or one around or within it. Raises whatever
    a storage's class raises when it is made.
    """
    held_by = _itself(held_by)
    if conf.driver == "local":
        return _below(conf.root or "", held_by, name)
    if conf.driver == "s3":
        return _key_in(conf, held_by, name)
    ours = storages[conf.alias or ""] if conf.driver == "django" else import_string(conf.driver)(**conf.options)
    if ours is held_by or _made_alike(ours, held_by):
        return name
    if isinstance(ours, FileSystemStorage):
        return _below(str(ours.location), held_by, name)
    return _below_prefix(ours, held_by, name)


def _below(root: str, held_by: Storage, name: str) -> str | None:
    """The path below `root` of a file on disk; None when it is on no disk, or somewhere else."""
    if not isinstance(held_by, FileSystemStorage):
        return None
    file = Path(os.path.realpath(held_by.location)) / name
    try:
        return file.relative_to(os.path.realpath(root)).as_posix()
    except ValueError:
        return None


def _key_in(conf: StorageConf, held_by: Storage, name: str) -> str | None:
    """The key in the bucket of `conf`; None when it is no bucket, or another one."""
    if getattr(held_by, "bucket_name", None) != conf.bucket:
        return None
    return None if _host(getattr(held_by, "endpoint_url", None)) != _host(conf.base_url) else _key(held_by, name)


def _below_prefix(ours: Storage, held_by: Storage, name: str) -> str | None:
    """The name in `ours` of an object in `held_by`, where both are the same bucket of an object store."""
    for attribute in ("bucket_name", "endpoint_url"):
        if getattr(ours, attribute, None) != getattr(held_by, attribute, None):
            return None
    if getattr(ours, "bucket_name", None) is None:
        return None
    key, prefix = _key(held_by, name), _key(ours, "")
    return key.removeprefix(prefix) if key.startswith(prefix) else None


def _key(storage: Storage, name: str) -> str:
    prefix = str(getattr(storage, "location", "") or "").strip("/")
    return f"{prefix}/{name}" if prefix else name


def _host(url: str | None) -> str | None:
    return urlsplit(url).netloc if url else None


def _made_alike(one: Storage, other: Storage) -> bool:
    """Of the same class, with the same arguments, as far as a storage tells: Django asks that of it for migrations."""
    told = [getattr(storage, "deconstruct", None) for storage in (one, other)]
    return type(one) is type(other) and None not in told and told[0]() == told[1]()  # type: ignore[misc]


def _itself(storage: Storage) -> Storage:
    """What a lazy object such as `default_storage` stands for."""
    if isinstance(storage, LazyObject):
        if storage._wrapped is empty:  # noqa: SLF001
            storage._setup()  # noqa: SLF001
        return cast(Storage, storage._wrapped)  # noqa: SLF001
    return storage
