"""An object store in memory, for tests of what is built on one. The contract suite has real ones."""

import threading
from collections.abc import Sequence

from thumbs.errors import StorageFailed
from thumbs.sources.object_store import NotConditional
from thumbs.sources.reading import Deadline


class DictStore:
    """`objects` is what it has, `calls` are (method, key). While `fails` is set, every call raises `StorageFailed`;
    so it does, from that error, while `reason` is set.

    While `hangs` is set, every call waits until `released` is.
    """

    def __init__(self, *, conditional: bool = True) -> None:
        self.objects: dict[str, bytes] = {}
        self.calls: list[tuple[str, str]] = []
        self.fails = False
        self.reason: Exception | None = None
        self.hangs = False
        self.released = threading.Event()
        self._conditional = conditional
        self._lock = threading.Lock()

    def count(self, method: str) -> int:
        return sum(name == method for name, _ in self.calls)

    def get(self, key: str, _: Deadline) -> bytes | None:
        self._call("get", key)
        return self.objects.get(key)

    def put(self, key: str, data: bytes, _: Deadline) -> None:
        self._call("put", key)
        self.objects[key] = data

    def put_new(self, key: str, data: bytes, _: Deadline) -> bool:
        self._call("put_new", key)
        if not self._conditional:
            raise NotConditional
        with self._lock:
            return self.objects.setdefault(key, data) is data

    def delete(self, keys: Sequence[str], _: Deadline) -> None:
        for key in keys:
            self._call("delete", key)
            self.objects.pop(key, None)

    def page(self, prefix: str, after: str, _: Deadline) -> list[str]:
        self._call("page", prefix)
        return sorted(key for key in self.objects if key.startswith(prefix) and key > after)[:3]

    def close(self) -> None:
        self.released.set()

    def _call(self, method: str, key: str) -> None:
        self.calls.append((method, key))
        if self.hangs:
            self.released.wait()
        if self.fails or self.reason is not None:
            raise StorageFailed from self.reason
