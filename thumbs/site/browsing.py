"""Lists the originals of a storage page by page, within a deadline, so that a hanging storage delays only its page."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

from thumbs.errors import BadPath, ServerExhausted, StorageFailed
from thumbs.image.formats import format_of_extension
from thumbs.request.grammar import check_path
from thumbs.sources.listing import Listable, Unlistable
from thumbs.sources.reading import Deadline
from thumbs.sources.thread_pool import DaemonThreadPool
from thumbs.wiring.process import thumbnailer

PAGE_LENGTH = 50
SECONDS = 10.0
_THREADS = 2  # for each storage: one that hangs keeps two threads, and no more

_pools: dict[str, DaemonThreadPool] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class OriginalsPage:
    """The keys of one page. `more`: another page follows."""

    keys: tuple[str, ...]
    more: bool


def can_list(storage: str) -> bool:
    """Whether the source of the storage has a listing. It may still refuse when it is asked."""
    return isinstance(thumbnailer().storages[storage].source, Listable)


def originals(storage: str, prefix: str = "", *, number: int = 0, seconds: float = SECONDS) -> OriginalsPage:
    """Page `number`, from 0, of the keys that begin with `prefix`, `PAGE_LENGTH` on each.

    Files with the extension of anything but a picture are left out, and names that no URL can hold. A page costs the
    listing of all before it. Raises KeyError for an unknown storage, `Unlistable`, `StorageFailed`, and
    `StorageTimeout` after `seconds`.
    """
    source, deadline = thumbnailer().storages[storage].source, Deadline(seconds)
    if not isinstance(source, Listable):
        raise Unlistable
    try:
        return _pool(storage).call(lambda: _page(source, prefix, number, deadline), deadline)
    except ServerExhausted as error:
        raise StorageFailed from error


def _page(source: Listable, prefix: str, number: int, deadline: Deadline) -> OriginalsPage:
    first = number * PAGE_LENGTH
    keys: list[str] = []
    for position, key in enumerate(_shown(source.paths(prefix), deadline)):
        if position >= first + PAGE_LENGTH:
            return OriginalsPage(tuple(keys), more=True)
        if position >= first:
            keys.append(key)
    return OriginalsPage(tuple(keys), more=False)


def _shown(paths: Iterator[str], deadline: Deadline) -> Iterator[str]:
    for path in paths:
        deadline.left()  # the caller has gone when it has passed
        if _may_be_a_picture(path) and _has_a_url(path):
            yield path


def _may_be_a_picture(path: str) -> bool:
    return format_of_extension(path) is not None or "." not in path.rpartition("/")[2]


def _has_a_url(path: str) -> bool:
    try:
        check_path(path)
    except BadPath:
        return False
    return True


def _pool(storage: str) -> DaemonThreadPool:
    """Threads of their own: those of the source may all be occupied by requests for pictures."""
    with _lock:
        return _pools.setdefault(storage, DaemonThreadPool(_THREADS))
