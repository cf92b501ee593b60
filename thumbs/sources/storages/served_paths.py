"""Under which path a directory, a bucket or a Django storage serves a file that another Django storage holds.

`held_by` is that other storage, and `name` the file's name in it. It serves the file where both are the same storage,
or the same directory or bucket, or one around or within it. Else the path is None.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

from django.core.files.storage import FileSystemStorage, Storage


def below_root(root: str, held_by: object, name: str) -> str | None:
    """The path below the directory `root`."""
    if not isinstance(held_by, FileSystemStorage):
        return None
    file = Path(os.path.realpath(held_by.location)) / name
    try:
        return file.relative_to(os.path.realpath(root)).as_posix()
    except ValueError:
        return None


def key_in_bucket(bucket: str, base_url: str | None, held_by: object, name: str) -> str | None:
    """The key in `bucket` at the endpoint `base_url`; None for that is AWS."""
    if getattr(held_by, "bucket_name", None) != bucket:
        return None
    return None if _host(getattr(held_by, "endpoint_url", None)) != _host(base_url) else _key(held_by, name)


def name_in_storage(storage: Storage, held_by: object, name: str) -> str | None:
    """The name in `storage`."""
    if storage is held_by or _made_alike(storage, held_by):
        return name
    if isinstance(storage, FileSystemStorage):
        return below_root(str(storage.location), held_by, name)
    return _below_prefix(storage, held_by, name)


def _below_prefix(storage: Storage, held_by: object, name: str) -> str | None:
    """The name in `storage` of an object in `held_by`, where both are the same bucket of an object store."""
    for attribute in ("bucket_name", "endpoint_url"):
        if getattr(storage, attribute, None) != getattr(held_by, attribute, None):
            return None
    if getattr(storage, "bucket_name", None) is None:
        return None
    key, prefix = _key(held_by, name), _key(storage, "")
    return key.removeprefix(prefix) if key.startswith(prefix) else None


def _key(storage: object, name: str) -> str:
    prefix = str(getattr(storage, "location", "") or "").strip("/")
    return f"{prefix}/{name}" if prefix else name


def _host(url: str | None) -> str | None:
    return urlsplit(url).netloc if url else None


def _made_alike(one: object, other: object) -> bool:
    """Whether both have one class and equal arguments, by `deconstruct`, which Django calls for migrations."""
    made = [getattr(storage, "deconstruct", None) for storage in (one, other)]
    return type(one) is type(other) and None not in made and made[0]() == made[1]()  # type: ignore[misc]
