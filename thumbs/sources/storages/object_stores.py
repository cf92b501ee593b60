"""Google's and Azure's storages of django-storages, and its `S3Storage`, as object stores.

Their own `save` and `open` are not used: they look for free names, make public what they write and know no conditions.
Errors are known by their HTTP status, so that no client library is imported here.
"""

import contextlib
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from django.core.files.storage import Storage

from thumbs.errors import StorageDenied, StorageFailed, ThumbError
from thumbs.sources.object_store import PAGE_KEYS, ObjectStore
from thumbs.sources.reading import Deadline

# The longest wait for one object, in the place of `request_timeout_sec` of the driver `s3`.
MAX_SECONDS = 60.0
_LARGEST_BYTES = 1 << 30
_MISSING = 404
_DENIED = (401, 403)
_EXISTS = (409, 412)
_GOOGLE, _AZURE, _S3 = (f"storages.backends.{name}" for name in ("gcloud", "azure_storage", "s3"))


def store_of(storage: Storage) -> ObjectStore | None:
    """The object store behind `storage`; None for a storage of another class. Opens no connection."""
    if _is_a(storage, _GOOGLE, "GoogleCloudStorage"):
        return _GoogleObjects(storage)
    if _is_a(storage, _AZURE, "AzureStorage"):
        return _AzureObjects(storage)
    if _is_a(storage, _S3, "S3Storage"):
        # Imported only here: a site without S3 need not install boto3.
        from thumbs.sources.s3.objects import S3Objects  # noqa: PLC0415
        from thumbs.sources.storages.s3_storage import has_plain_client, key_in, source_of  # noqa: PLC0415

        if has_plain_client(storage):
            source = source_of(storage, max_bytes=_LARGEST_BYTES, deadline=MAX_SECONDS)
            return S3Objects(source, location=key_in(storage, ""))
    return None


def _is_a(storage: object, module: str, name: str) -> bool:
    """Whether `storage` is of that class. A class whose module is not imported has no instance."""
    return isinstance(storage, getattr(sys.modules.get(module), name, ()))


class _ClientObjects(ABC):
    """What the two have in common: `location`, which stands before each key, and the meaning of errors."""

    def __init__(self, storage: Any) -> None:
        self._storage = storage
        location = str(storage.location or "").strip("/")
        self._location = f"{location}/" if location else ""

    def close(self) -> None:  # noqa: B027 - there is nothing to do
        """The clients are those of the site's storage."""

    def get(self, key: str, deadline: Deadline) -> bytes | None:
        try:
            with _translated():
                return self._read(self._location + key, deadline.left())
        except StorageFailed as error:
            if _status_of(error.__cause__) == _MISSING:
                return None
            raise

    def put(self, key: str, data: bytes, deadline: Deadline) -> None:
        with _translated():
            self._write(self._location + key, data, deadline.left(), only_new=False)

    def put_new(self, key: str, data: bytes, deadline: Deadline) -> bool:
        try:
            with _translated():
                self._write(self._location + key, data, deadline.left(), only_new=True)
        except StorageFailed as error:
            if _status_of(error.__cause__) in _EXISTS:
                return False
            raise
        return True

    def delete(self, keys: Sequence[str], deadline: Deadline) -> None:
        for key in keys:
            try:
                with _translated():
                    self._remove(self._location + key, deadline.left())
            except StorageFailed as error:
                if _status_of(error.__cause__) != _MISSING:
                    raise

    def page(self, prefix: str, after: str, deadline: Deadline) -> list[str]:
        last = self._location + after if after else ""
        with _translated():
            names = self._names(self._location + prefix, last, deadline.left())
            return [name.removeprefix(self._location) for name in islice((n for n in names if n > last), PAGE_KEYS)]

    @abstractmethod
    def _read(self, name: str, seconds: float) -> bytes: ...

    @abstractmethod
    def _write(self, name: str, data: bytes, seconds: float, *, only_new: bool) -> None: ...

    @abstractmethod
    def _remove(self, name: str, seconds: float) -> None: ...

    @abstractmethod
    def _names(self, prefix: str, after: str, seconds: float) -> Iterator[str]: ...


class _GoogleObjects(_ClientObjects):
    """A bucket of Google Cloud Storage. Its client's retries are off: they sleep past the deadline."""

    def _read(self, name: str, seconds: float) -> bytes:
        data: bytes = self._storage.bucket.blob(name).download_as_bytes(timeout=seconds, retry=None)
        return data

    def _write(self, name: str, data: bytes, seconds: float, *, only_new: bool) -> None:
        condition = {"if_generation_match": 0} if only_new else {}
        self._storage.bucket.blob(name).upload_from_string(
            data, content_type="application/octet-stream", timeout=seconds, retry=None, **condition
        )

    def _remove(self, name: str, seconds: float) -> None:
        self._storage.bucket.delete_blob(name, timeout=seconds, retry=None)

    def _names(self, prefix: str, after: str, seconds: float) -> Iterator[str]:
        blobs = self._storage.bucket.list_blobs(
            prefix=prefix, start_offset=after or None, max_results=PAGE_KEYS + 1, timeout=seconds, retry=None
        )
        return (str(blob.name) for blob in blobs)


class _AzureObjects(_ClientObjects):
    """A container of Azure. It cannot list from a key on, so earlier keys are skipped here."""

    def _read(self, name: str, seconds: float) -> bytes:
        data: bytes = self._storage.client.download_blob(name, **_azure_options(seconds)).readall()
        return data

    def _write(self, name: str, data: bytes, seconds: float, *, only_new: bool) -> None:
        self._storage.client.upload_blob(name, data, overwrite=not only_new, **_azure_options(seconds))

    def _remove(self, name: str, seconds: float) -> None:
        self._storage.client.delete_blob(name, **_azure_options(seconds))

    def _names(self, prefix: str, after: str, seconds: float) -> Iterator[str]:  # noqa: ARG002 - see above
        found = self._storage.client.list_blob_names(name_starts_with=prefix, **_azure_options(seconds))
        return (str(name) for name in found)


def _azure_options(seconds: float) -> dict[str, Any]:
    return {"connection_timeout": seconds, "read_timeout": seconds, "retry_total": 0}


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Raise a `ThumbError` for every exception of a client."""
    try:
        yield
    except ThumbError:
        raise
    except Exception as error:
        raise (StorageDenied if _status_of(error) in _DENIED else StorageFailed) from error


def _status_of(error: BaseException | None) -> int | None:
    """The HTTP status of an error of Google's client (`code`) or Azure's (`status_code`)."""
    for name in ("code", "status_code"):
        status = getattr(error, name, None)
        if isinstance(status, int):
            return int(status)
    return None
