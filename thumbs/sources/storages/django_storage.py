"""Django storages as sources: files on disk and in S3 by our own readers, all others through their `open`.

`FileSystemStorage.open` follows links out of its root, hangs on a FIFO and takes `a.jpg/` for `a.jpg`. `S3Storage.open`
fetches the whole object before its first byte, with ten threads and four times the CPU of ours, and waits a minute for
a server that hangs. A subclass that changes how files are read is read through its own `open`.
"""

import functools
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeGuard, cast

from django.core.files.storage import FileSystemStorage, Storage, storages
from django.utils.module_loading import import_string

from thumbs.errors import StorageFailed
from thumbs.sources.listing import Listable, Unlistable
from thumbs.sources.local import LocalSource
from thumbs.sources.per_process import PerProcess
from thumbs.sources.source import Closable, Original, Probeable, Source, Version
from thumbs.sources.storages.any_storage import AnyStorageSource
from thumbs.sources.storages.placement import Placement, dependence
from thumbs.sources.storages.settings import AliasSettings, StorageSettings

_Locate = Callable[[str], tuple[Source, str]]

# The attributes that decide how a file is read.
_READING = ("open", "_open", "path")
_S3_MODULE = "storages.backends.s3"


def storage_of_alias(alias: str) -> Callable[[], Storage]:
    """Opens the storage of this alias in the site's `STORAGES`: the same object that the site uses."""
    return functools.partial(storages.__getitem__, alias)


def storage_of_class(dotted: str, options: Mapping[str, object]) -> Callable[[], Storage]:
    """Opens a storage of the class at the dotted path, made with these options."""

    def open_storage() -> Storage:
        return cast(Storage, import_string(dotted)(**options))

    return open_storage


def maker_of(settings: StorageSettings) -> object:
    """What the dotted path of the storage's class leads to: a class, or what a site has in the place of one."""
    if isinstance(settings, AliasSettings):
        return import_string(cast(Any, storages).backends[settings.alias]["BACKEND"])
    return import_string(settings.driver)


def storage_of(settings: StorageSettings) -> Callable[[], Storage]:
    """Opens the storage that a driver's settings name."""
    if isinstance(settings, AliasSettings):
        return storage_of_alias(settings.alias)
    return storage_of_class(settings.driver, settings.options)


class StorageSource:
    """The files of the Django storage that `open_storage` returns. It is called once in each process, at first use.

    `maker` returns what makes the storage, by default its class. `max_bytes` limits one file, `deadline` is seconds for
    one call.
    """

    def __init__(
        self,
        open_storage: Callable[[], Storage],
        *,
        maker: Callable[[], object] | None = None,
        max_bytes: int,
        deadline: float,
    ) -> None:
        self._open_storage = open_storage
        self._maker = maker
        self._max_bytes = max_bytes
        self._seconds = deadline
        self._opened = PerProcess(self._open)
        self._locate = PerProcess(self._choose)
        self._made: list[Closable] = []
        self._on_disk: tuple[str, LocalSource] | None = None

    def read(self, path: str) -> Original:
        source, key = self._located(path)
        original = source.read(key)
        self.require_place()  # a request in another thread may have changed it meanwhile
        return original

    def version(self, path: str) -> Version:
        source, key = self._located(path)
        return source.version(key)

    def ready(self) -> None:
        source, _ = self._located("")
        source.ready()

    def probe(self) -> None:
        """As `ready`, but raises `SourceDenied` where the storage refuses that."""
        source, _ = self._located("")
        if isinstance(source, Probeable):
            source.probe()
        else:
            source.ready()

    def is_empty(self) -> bool:
        """Whether it has no file at all, as far as that can be asked: of files on disk."""
        source, _ = self._located("")
        return isinstance(source, LocalSource) and source.is_empty()

    def close(self) -> None:
        for source in self._made:
            source.close()

    def paths(self, prefix: str) -> Iterator[str]:
        source, key = self._located(prefix)
        if not isinstance(source, Listable):
            raise Unlistable
        before = len(key) - len(prefix)
        return (found[before:] for found in source.paths(key))

    def require_place(self) -> None:
        """Raise `StorageFailed` if where the storage reads depends on the request, as far as that shows.

        The caller is in the context of a request: what the caches have may be of another place. Nothing is raised for a
        storage that cannot be opened.
        """
        try:
            _, placement = self._opened.get()
        except Exception:
            return
        placement.require()

    def _located(self, path: str) -> tuple[Source, str]:
        try:
            _, placement = self._opened.get()
            placement.require()
            return self._locate.get()(path)
        except StorageFailed:
            raise
        except Exception as error:
            raise StorageFailed from error

    def _open(self) -> tuple[Storage, Placement]:
        storage = self._open_storage()
        maker = type(storage) if self._maker is None else self._maker()
        return storage, Placement(storage, dependence(storage, maker))

    def _choose(self) -> _Locate:
        """A function from a path to its source, and its name there.

        Root and prefix are read at each call, because a site may change them: `override_settings(MEDIA_ROOT=…)` does.
        """
        storage, _ = self._opened.get()
        if _is_plain_disk(storage):
            return lambda path: (self._local(str(storage.location)), path)
        if _S3_MODULE in sys.modules:
            # Imported only here: a site without S3 need not install boto3.
            from thumbs.sources.storages.s3_storage import is_plain_s3, key_in, source_of  # noqa: PLC0415

            if is_plain_s3(storage):
                s3 = source_of(storage, max_bytes=self._max_bytes, deadline=self._seconds)
                self._made.append(s3)
                return lambda path: (s3, key_in(storage, path))
        other = AnyStorageSource(storage, max_bytes=self._max_bytes, deadline=self._seconds)
        self._made.append(other)
        return lambda path: (other, path)

    def _local(self, root: str) -> LocalSource:
        """The source of this root. It is kept, because it notices when the root is replaced."""
        kept = self._on_disk
        if kept is None or kept[0] != root:
            kept = self._on_disk = (root, LocalSource(root, max_bytes=self._max_bytes, deadline=self._seconds))
        return kept[1]


def _is_plain_disk(storage: Storage) -> TypeGuard[FileSystemStorage]:
    return isinstance(storage, FileSystemStorage) and all(
        getattr(type(storage), name) is getattr(FileSystemStorage, name) for name in _READING
    )
