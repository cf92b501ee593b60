"""Reads the `S3Storage` of django-storages with our `S3Source`, on a copy of the storage's client."""

import copy
import functools
from typing import TypeGuard, cast

from boto3.s3.transfer import S3Transfer
from django.core.files.storage import Storage
from storages.backends.s3 import S3Storage

from thumbs.sources.s3.client import ONE_ATTEMPT, S3Client
from thumbs.sources.s3.settings import S3Settings
from thumbs.sources.s3.source import S3Source

# The attributes that decide how a file is read. A subclass that changes one of them is read through its own `open`.
_READING = (
    "open",
    "_open",
    "_normalize_name",
    "_create_session",
    "connection",
    "bucket",
    "get_object_parameters",
)


def is_plain_s3(storage: Storage) -> TypeGuard[S3Storage]:
    """Whether `S3Source` reads the same bytes as the storage, by the same options."""
    kind = type(storage)
    return (
        isinstance(storage, S3Storage)
        and all(getattr(kind, name) is getattr(S3Storage, name) for name in _READING)
        and not hasattr(getattr(kind, "bucket_name", None), "__get__")
        and not storage.gzip
        and has_plain_client(storage)
        and not storage.object_parameters.keys() & set(S3Transfer.ALLOWED_DOWNLOAD_ARGS)
    )


def has_plain_client(storage: S3Storage) -> bool:
    """Whether our connections to its bucket are like those of the storage's own client."""
    config = storage.client_config
    return storage.verify is None and config.proxies is None and config.client_cert is None


def source_of(storage: S3Storage, *, max_bytes: int, deadline: float) -> S3Source:
    settings = S3Settings(storage.bucket_name)
    make_client = functools.partial(_client_of, storage)
    return S3Source(settings, max_bytes=max_bytes, deadline=deadline, make_client=make_client)


def key_in(storage: S3Storage, path: str) -> str:
    """The key of `path`, joined as the storage does. Paths of the URL's grammar need no normalization."""
    prefix = str(storage.location or "").rstrip("/")
    return f"{prefix}/{path}" if prefix else path


def _client_of(storage: S3Storage) -> S3Client:
    # A copy opens connections of its own, as after unpickling. The site's storage keeps its connections.
    ours = copy.copy(storage)
    ours.client_config = ours.client_config.merge(ONE_ATTEMPT)
    return cast(S3Client, ours.connection.meta.client)
