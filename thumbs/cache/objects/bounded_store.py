"""An object store whose calls end in time: callers leave at their deadline, whatever the store's client does."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from thumbs.errors import StorageFailed, StorageTimeout, ThumbError
from thumbs.sources.object_store import NotConditional, ObjectStore
from thumbs.sources.per_process import PerProcess
from thumbs.sources.reading import Deadline
from thumbs.sources.thread_pool import DaemonThreadPool

T = TypeVar("T")
Call = Callable[[ObjectStore, Deadline], T]

# Those of the lookup stage, so that no lookup waits for another one.
_READS = 8
# Background writes, purges and listings.
_WRITES = 8


class StoreFailed(Exception):
    """A store failed for the reason in the text: the log of a layer has the text of an error, and not its cause."""


class BoundedStore:
    """The store that `open_store` returns; it is called at the first use, and may raise anything.

    A name that is looked up, or a role's credentials that are fetched, cannot be interrupted. So every call has a
    thread. Reads have threads of their own: a write may take longer.
    """

    def __init__(self, open_store: Callable[[], ObjectStore | None]) -> None:
        self._store = PerProcess(lambda: _required(open_store()))
        self._reads, self._writes = DaemonThreadPool(_READS), DaemonThreadPool(_WRITES)

    def get(self, key: str, seconds: float) -> bytes | None:
        return self._call(self._reads, lambda store, deadline: store.get(key, deadline), seconds)

    def put(self, key: str, data: bytes, seconds: float) -> None:
        self._call(self._writes, lambda store, deadline: store.put(key, data, deadline), seconds)

    def put_new(self, key: str, data: bytes, seconds: float) -> bool:
        return self._call(self._writes, lambda store, deadline: store.put_new(key, data, deadline), seconds)

    def delete(self, keys: Sequence[str], seconds: float) -> None:
        self._call(self._writes, lambda store, deadline: store.delete(keys, deadline), seconds)

    def page(self, prefix: str, after: str, seconds: float) -> list[str]:
        return self._call(self._writes, lambda store, deadline: store.page(prefix, after, deadline), seconds)

    def close(self) -> None:
        """End the threads, each when its call has ended."""
        self._reads.close()
        self._writes.close()
        if self._store.made is not None:
            self._store.made.close()

    def _call(self, pool: DaemonThreadPool, call: Call[T], seconds: float) -> T:
        deadline = Deadline(seconds)
        try:
            return pool.call(lambda: call(self._store.get(), deadline), deadline)
        except NotConditional:
            raise
        except StorageTimeout as error:  # its own text is about an original
            raise StoreFailed(f"{type(error).__name__}: no answer within {seconds:g} s") from error
        except ThumbError as error:
            cause = error.__cause__
            if cause is None:
                raise
            raise StoreFailed(f"{type(error).__name__}, {type(cause).__name__}: {cause}") from cause


def _required(store: ObjectStore | None) -> ObjectStore:
    if store is None:  # a check of the configuration says so, but may be silenced
        raise StorageFailed("the storage of an object layer must be an object store")
    return store
