"""A Django cache in the memory of one process, capped in bytes; picture bytes are shared, never copied."""

import pickle
import sys
import threading
from typing import Any

from asgiref.sync import sync_to_async
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache

from thumbs.cache.backend_options import number_option
from thumbs.cache.sieve import Sieve

_DEFAULT_BYTES = 64 * 1024 * 1024
_BYTES_PER_ITEM = 100_000
_LEAST_ITEMS = 100

# Values of exactly these types are immutable, so readers can share them. A subclass may have more state: it is pickled.
_SHARED = frozenset((bytes, str, int, float, bool, type(None)))
_MISSING = object()

_stores: dict[str, Sieve] = {}
_stores_lock = threading.Lock()


class MemoryCache(BaseCache):
    """`LOCATION` names a store that the process shares; the first to name it sets its caps.

    OPTIONS: `MAX_BYTES`, overhead included (default 64 MiB); `MAX_ITEMS`, or as Django says `MAX_ENTRIES`
    (default `MAX_BYTES` / 100 kB, at least 100). There is no `CULL_FREQUENCY`: SIEVE removes one entry at a time.
    """

    def __init__(self, name: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        max_bytes = number_option(params, "MAX_BYTES") or _DEFAULT_BYTES
        max_items = number_option(params, "MAX_ITEMS", "MAX_ENTRIES")
        if max_items is None:
            max_items = max(_LEAST_ITEMS, max_bytes // _BYTES_PER_ITEM)
        with _stores_lock:
            self._store = _stores.setdefault(name, Sieve(max_bytes=max_bytes, max_items=max_items))

    def get(self, key: object, default: object = None, version: int | None = None) -> Any:
        value = self._store.get(self.make_and_validate_key(key, version=version), _MISSING)
        return default if value is _MISSING else _thawed(value)

    def set(
        self, key: object, value: object, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        frozen = _frozen(value)
        name = self.make_and_validate_key(key, version=version)
        self._store.set(name, frozen, size=sys.getsizeof(frozen), expires=self.get_backend_timeout(timeout))

    def add(
        self, key: object, value: object, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        frozen = _frozen(value)
        name = self.make_and_validate_key(key, version=version)
        return self._store.add(name, frozen, size=sys.getsizeof(frozen), expires=self.get_backend_timeout(timeout))

    def touch(self, key: object, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        name = self.make_and_validate_key(key, version=version)
        return self._store.touch(name, self.get_backend_timeout(timeout))

    def delete(self, key: object, version: int | None = None) -> bool:
        return self._store.delete(self.make_and_validate_key(key, version=version))

    def has_key(self, key: object, version: int | None = None) -> bool:
        return self._store.get(self.make_and_validate_key(key, version=version), _MISSING) is not _MISSING

    def incr(self, key: object, delta: int = 1, version: int | None = None) -> int:
        """Add `delta` with no other thread between; the entry keeps its time. Raises ValueError for no entry."""
        name = self.make_and_validate_key(key, version=version)
        while (old := self._store.get(name, _MISSING)) is not _MISSING:
            total: int = _thawed(old) + delta
            frozen = _frozen(total)
            if self._store.swap(name, old, frozen, size=sys.getsizeof(frozen)):
                return total
        raise ValueError(f"Key '{name}' not found")

    async def aincr(self, key: object, delta: int = 1, version: int | None = None) -> int:
        # Django's default reads, then writes: not atomic.
        return await sync_to_async(self.incr, thread_sensitive=True)(key, delta, version)

    def clear(self) -> None:
        self._store.clear()


def forget() -> None:
    """Forget all stores: the next cache that names one sets its caps. Caches that are open keep theirs."""
    with _stores_lock:
        _stores.clear()


class _Pickled(bytes):
    """A value of any other type: each reader gets a copy of its own."""

    __slots__ = ()


def _frozen(value: object) -> object:
    return value if type(value) in _SHARED else _Pickled(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))


def _thawed(value: object) -> Any:
    if type(value) is not _Pickled:
        return value
    return pickle.loads(value)  # noqa: S301 - it never left this process
