"""How a directory, a bucket or a Django storage serves the files that another Django storage, `held_by`, holds.

It serves them where both are the same storage, or the same directory or bucket, or one around or within it.
"""

import os
from urllib.parse import urlsplit

from django.core.files.storage import FileSystemStorage, Storage

from thumbs.sources.served import Served


def below_root(root: str, held_by: object) -> Served | None:
    """By paths below the directory `root`."""
    if not isinstance(held_by, FileSystemStorage):
        return None
    return Served.between(os.path.realpath(held_by.location), os.path.realpath(root))


def keys_in_bucket(bucket: str, base_url: str | None, held_by: object) -> Served | None:
    """By keys in `bucket` at the endpoint `base_url`; None for that is AWS."""
    if getattr(held_by, "bucket_name", None) != bucket:
        return None
    same = _host(getattr(held_by, "endpoint_url", None)) == _host(base_url)
    return Served.between(_location(held_by), "") if same else None


def names_in_storage(storage: Storage, held_by: object) -> Served | None:
    """By names in `storage`."""
    if storage is held_by or _made_alike(storage, held_by):
        return Served()
    if isinstance(storage, FileSystemStorage):
        return below_root(str(storage.location), held_by)
    return _below_prefix(storage, held_by)


def _below_prefix(storage: Storage, held_by: object) -> Served | None:
    """By names in `storage`, where both are the same bucket of an object store."""
    for attribute in ("bucket_name", "endpoint_url"):
        if getattr(storage, attribute, None) != getattr(held_by, attribute, None):
            return None
    if getattr(storage, "bucket_name", None) is None:
        return None
    return Served.between(_location(held_by), _location(storage))


def _location(storage: object) -> str:
    return str(getattr(storage, "location", "") or "")


def _host(url: str | None) -> str | None:
    return urlsplit(url).netloc if url else None


def _made_alike(one: object, other: object) -> bool:
    """Whether both have one class and equal arguments, by `deconstruct`, which Django calls for migrations."""
    made = [getattr(storage, "deconstruct", None) for storage in (one, other)]
    return type(one) is type(other) and None not in made and made[0]() == made[1]()  # type: ignore[misc]
