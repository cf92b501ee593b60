"""A Django cache on disk, under one cap for all processes; only what this site signed is unpickled."""

import pickle
from contextlib import suppress
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache, InvalidCacheBackendError
from django.utils.crypto import constant_time_compare, salted_hmac

from thumbs.cache.backend_options import number_option
from thumbs.cache.filestore.store import FileStore

_SALT = "thumbs.cache.disk"
_SIGNATURE_BYTES = 32
_RAW, _PICKLED = b"b", b"p"
_MISSING = object()


class DiskCache(BaseCache):
    """`LOCATION` is a directory that holds nothing else. Processes and machines may share it.

    OPTIONS: `MAX_BYTES` of disk and `MAX_ENTRIES` (default of both: no limit). There is no `CULL_FREQUENCY`: the
    entries used longest ago are removed, as many as needed. Bytes are stored as they are; any other value is pickled
    and signed with a key derived from `SECRET_KEY` (`SECRET_KEY_FALLBACKS` still verify). A value that does not verify
    is a miss. Raises OSError if the disk fails, and ForeignDirectory for a directory with other files in it.
    """

    def __init__(self, directory: str | Path, params: dict[str, Any]) -> None:
        super().__init__(params)
        if not directory:
            raise InvalidCacheBackendError("LOCATION of DiskCache must be a directory.")
        self._store = FileStore(
            Path(directory).absolute(),
            max_bytes=number_option(params, "MAX_BYTES"),
            max_items=number_option(params, "MAX_ENTRIES", "MAX_ITEMS"),
        )

    def get(self, key: object, default: object = None, version: int | None = None) -> Any:
        value = self._value(self._name(key, version))
        return default if value is _MISSING else value

    def set(
        self, key: object, value: object, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        name = self._name(key, version)
        self._store.set(name, _sealed(name, value), expires=self.get_backend_timeout(timeout))

    def add(
        self, key: object, value: object, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        name = self._name(key, version)
        payload = _sealed(name, value)
        # Reading removes a value that does not verify, which would otherwise keep the new one out.
        if self._payload(name) is not None:
            return False
        return self._store.add(name, payload, expires=self.get_backend_timeout(timeout))

    def touch(self, key: object, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        name = self._name(key, version)
        return self._payload(name) is not None and self._store.touch(name, self.get_backend_timeout(timeout))

    def delete(self, key: object, version: int | None = None) -> bool:
        return self._store.delete(self._name(key, version))

    def has_key(self, key: object, version: int | None = None) -> bool:
        return self._payload(self._name(key, version)) is not None

    def incr(self, key: object, delta: int = 1, version: int | None = None) -> int:
        """Add `delta` with no other process between; the entry keeps its time. Raises ValueError for no entry."""
        name = self._name(key, version)
        total = 0

        def change(payload: bytes) -> bytes:
            nonlocal total
            if not _verifies(name, payload):
                raise ValueError(f"Key '{name}' not found")
            total = _opened(payload) + delta
            return _sealed(name, total)

        if not self._store.update(name, change):
            raise ValueError(f"Key '{name}' not found")
        return total

    async def aincr(self, key: object, delta: int = 1, version: int | None = None) -> int:
        # Django's default reads, then writes: not atomic.
        return await sync_to_async(self.incr, thread_sensitive=True)(key, delta, version)

    def clear(self) -> None:
        self._store.clear()

    def _name(self, key: object, version: int | None) -> str:
        # A slash would put all keys with the same prefix into one group, which is one directory.
        return self.make_and_validate_key(key, version=version).replace("%", "%25").replace("/", "%2F")

    def _value(self, name: str) -> Any:
        payload = self._payload(name)
        return _MISSING if payload is None else _opened(payload)

    def _payload(self, name: str) -> bytes | None:
        found = self._store.get(name)
        if found is None:
            return None
        payload = bytes(found.payload)
        if _verifies(name, payload):
            return payload
        with suppress(OSError):
            self._store.delete(name)
        return None


def _sealed(name: str, value: object) -> bytes:
    if type(value) is bytes:
        return _RAW + value
    pickled = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return _PICKLED + _signature(name, pickled, settings.SECRET_KEY) + pickled


def _verifies(name: str, payload: bytes) -> bool:
    if payload[:1] == _RAW:
        return True
    if payload[:1] != _PICKLED:
        return False
    signature, pickled = payload[1 : 1 + _SIGNATURE_BYTES], payload[1 + _SIGNATURE_BYTES :]
    return any(
        constant_time_compare(signature, _signature(name, pickled, secret))
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    )


def _opened(payload: bytes) -> Any:
    if payload[:1] == _RAW:
        return payload[1:]
    return pickle.loads(payload[1 + _SIGNATURE_BYTES :])  # noqa: S301 - only after `_verifies`


def _signature(name: str, pickled: bytes, secret: str | bytes) -> bytes:
    # The key is signed with its value, so that a value cannot be moved to another key.
    owner = name.encode("utf-8", "surrogatepass")
    message = len(owner).to_bytes(4, "big") + owner + pickled
    return salted_hmac(_SALT, message, secret=secret, algorithm="sha256").digest()
