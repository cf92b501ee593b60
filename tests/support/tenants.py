"""Storages of multi-tenant sites: each reads below the directory of the tenant that the request has chosen."""

import contextlib
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType
from typing import Any

from django.core.files.storage import FileSystemStorage, Storage
from django.db import connection
from django.utils.functional import LazyObject, cached_property

ROOT = ""  # set by the tests
tenant: ContextVar[str] = ContextVar("tenant", default="red")
_thread = threading.local()
registry = ModuleType("registry")
registry.__dict__["chosen"] = tenant


@contextlib.contextmanager
def chosen(name: str) -> Iterator[None]:
    """As the middleware of such a site does, in each of the usual ways."""
    token = tenant.set(name)
    _thread.name = name
    connection.schema_name = name  # type: ignore[attr-defined]  # as django-tenants does
    try:
        yield
    finally:
        tenant.reset(token)
        del _thread.name
        del connection.schema_name  # type: ignore[attr-defined]


def current() -> str:
    return tenant.get()


def of_thread() -> str:
    return getattr(_thread, "name", "red")


def root_of(name: str) -> str:
    return str(Path(ROOT) / name)


class ByProperty(FileSystemStorage):
    @property
    def location(self) -> str:
        return root_of(current())


class ByBaseLocation(FileSystemStorage):
    @property
    def base_location(self) -> str:
        return root_of(of_thread())

    @property
    def location(self) -> str:
        return self.base_location


class Inherited(ByProperty):
    """Another class of the site, derived from the first."""


class ByPath(FileSystemStorage):
    def path(self, name: str) -> str:
        return f"{root_of(current())}/{name}"


class ByThread(FileSystemStorage):
    def path(self, name: str) -> str:
        return f"{root_of(of_thread())}/{name}"


class BySchema(FileSystemStorage):
    def path(self, name: str) -> str:
        return f"{root_of(getattr(connection, 'schema_name', 'red'))}/{name}"


class ByModule(FileSystemStorage):
    def path(self, name: str) -> str:
        return f"{root_of(registry.chosen.get())}/{name}"


class ByMethod(FileSystemStorage):
    def path(self, name: str) -> str:
        return f"{self.tenant_root()}/{name}"

    def tenant_root(self) -> str:
        return root_of(current())


def _directory(name: str) -> str:
    return _of_tenant(name)


def _of_tenant(name: str) -> str:
    return _below_root(name)


def _below_root(name: str) -> str:
    return f"{root_of(current())}/{name}"


class ByFourCalls(FileSystemStorage):
    def path(self, name: str) -> str:
        return _directory(name)


class ByOpen(FileSystemStorage):
    def __init__(self) -> None:
        super().__init__(location=ROOT)

    def _open(self, name: str, mode: str = "rb") -> Any:
        return super()._open(f"{current()}/{name}", mode)  # type: ignore[misc]  # the stubs lack it


class ByCachedProperty(FileSystemStorage):
    """Its place is that of the first request, which is one tenant's for all."""

    @cached_property
    def location(self) -> str:
        return root_of(current())


class Delegating(Storage):
    """It passes everything on to a storage of the tenant."""

    def __getattribute__(self, name: str) -> Any:
        return getattr(FileSystemStorage(root_of(current())), name)


class Lazy(LazyObject):  # type: ignore[type-arg]
    def _setup(self) -> None:
        self._wrapped = FileSystemStorage(root_of(current()))


def by_function() -> Storage:
    return FileSystemStorage(root_of(current()))


class Assigned(FileSystemStorage):
    """Nothing shows it: the site's middleware assigns to `location` in each request."""


class Fixed(FileSystemStorage):
    """A storage of a site's own with one place for all requests."""

    def __init__(self, name: str = "red") -> None:
        super().__init__(location=root_of(name))
        self._clients = threading.local()  # a client for each thread is no place

    def path(self, name: str) -> str:
        return super().path(name.lower())

    def _open(self, name: str, mode: str = "rb") -> Any:
        self._clients.opened = name
        _thread.opened = name
        return super()._open(name, mode)  # type: ignore[misc]  # as above
