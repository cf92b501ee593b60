"""Where a Django storage reads files. It must be the same for every request, because the keys of caches do not name it.

Storages of multi-tenant sites read from the directory of the request's tenant. Thumbnails are rendered in threads of
their own, without the request's context, and a wrapper answers before a tenant is known. So such a storage is refused:
by what its class is (`dependence`), and, where that does not show it, when its place changes (`Placement`).
"""

import inspect
import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from functools import cached_property
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from asgiref.local import Local
from django.conf import settings
from django.core.files.storage import FileSystemStorage
from django.db import connections
from django.utils.connection import ConnectionProxy
from django.utils.functional import LazyObject
from django.utils.functional import cached_property as django_cached_property

from thumbs.errors import StorageFailed

logger = logging.getLogger("thumbs")

# Attributes of Django's storages and of django-storages that say where files are.
_ATTRIBUTES = (
    *("location", "base_location", "bucket_name", "endpoint_url", "azure_container", "account_name", "root_path"),
)
# Methods that make a file's name there, and those that read one.
_NAMING = ("path", "_normalize_name", "_full_path", "_get_valid_path", "_get_file_path")
_READING = ("open", "_open", "__getattr__", "__getattribute__")
_PROBE = "x"
_TENANTS = {"django_tenants", "tenant_schemas"}
_KNOWN = {"django", "storages"}
_DEPTH = 4  # calls that are followed from a storage's own code
_FOLLOW_MEDIA_ROOT = "MEDIA_ROOT"


def dependence(storage: object, made_by: object) -> str | None:
    """The end of "… may differ between requests: it …"; None if nothing shows that `storage` does.

    `made_by` is what the dotted path of its class leads to.
    """
    kind = type(storage)
    if not inspect.isclass(made_by):
        return "is made by a function, which may return another storage for each request"
    if issubclass(kind, LazyObject):
        return "is a lazy object, which may stand for another storage in each request"
    if any(each.__module__.partition(".")[0] in _TENANTS for each in kind.__mro__):
        return "has a directory for each tenant"
    for name in _ATTRIBUTES:
        if _is_computed(kind, name):
            return f"computes {name} anew at each access"
    for names, with_locals in (((*_ATTRIBUTES, *_NAMING), True), (_READING, False)):
        for name in names:
            found = _reads_context(kind, name, with_locals=with_locals)
            if found:
                return f"reads {found} in {name}"
    return None


class Placement:
    """The place of `storage` when this was made. `dependence` is that of the storage."""

    def __init__(self, storage: object, dependence: str | None) -> None:
        self._storage = storage
        self._dependence = dependence
        self._place = place(storage)
        self._reported = False
        # What is compared for each hit: the attributes that there are, unless more than these decides about the place.
        self._names = tuple(name for name in _ATTRIBUTES if _has(storage, name))
        kind = type(storage)
        named = any(_own(kind, name) is not None for name in _NAMING)
        self._values = None if named or issubclass(kind, LazyObject) else self._seen()

    def require(self) -> None:
        """Raise `StorageFailed` unless the storage has the same place in this thread and context."""
        reason = self._dependence
        if reason is None and not self._is_unchanged():
            reason = "has changed its location since it was opened"
        if reason is not None:
            self._report(reason)
            raise StorageFailed

    def _is_unchanged(self) -> bool:
        if self._values is not None and self._seen() == self._values:
            return True
        return place(self._storage) == self._place

    def _seen(self) -> tuple[object, ...] | None:
        try:
            return tuple([getattr(self._storage, name) for name in self._names])
        except Exception:  # `place` says what it means
            return None

    def _report(self, reason: str) -> None:
        """Once: it happens with every request."""
        if not self._reported:
            self._reported = True
            kind = type(self._storage)
            logger.error("%s.%s is not read: it %s; see thumbs.E023", kind.__module__, kind.__qualname__, reason)


def place(storage: object) -> tuple[object, ...]:
    """A value that is equal for equal places, as seen in this thread and context."""
    kind = type(storage)
    values = [_attribute(storage, name) for name in _ATTRIBUTES]
    if isinstance(storage, FileSystemStorage) and getattr(storage, "_location", None) is None:
        root = os.path.abspath(settings.MEDIA_ROOT)  # noqa: PTH100 - as Django makes `location`
        values = [_FOLLOW_MEDIA_ROOT if value in (root, settings.MEDIA_ROOT) else value for value in values]
    for name in _NAMING:
        if _own(kind, name) is not None:
            values.append(_call(storage, name))
    if issubclass(kind, LazyObject):
        values.append(id(_attribute(storage, "_wrapped")))
    return tuple(values)


def _has(storage: object, name: str) -> bool:
    try:
        return hasattr(storage, name)
    except Exception:  # such as that no tenant is chosen
        return True


def _attribute(storage: object, name: str) -> object:
    try:
        value = getattr(storage, name, None)
    except Exception as error:  # as above
        return type(error)
    return value if isinstance(value, str) else repr(value)


def _call(storage: object, name: str) -> object:
    try:
        return getattr(storage, name)(_PROBE)
    except Exception as error:  # as above
        return type(error)


# ---------------------------------------------------------------------------------- what a class shows


def _own(kind: type[Any], name: str) -> object:
    """The attribute of `kind`, if a class of the site defines it; None if one of Django or django-storages does."""
    for each in kind.__mro__:
        if name in vars(each):
            return None if _is_known(each.__module__) else vars(each)[name]
    return None


def _is_known(module: str) -> bool:
    root = module.partition(".")[0]
    return root in _KNOWN or root in sys.stdlib_module_names


def _is_computed(kind: type[Any], name: str) -> bool:
    """Whether it is a property or another descriptor. What is computed once for each storage is none."""
    attribute = _own(kind, name)
    once = (cached_property, django_cached_property, FunctionType)
    return hasattr(type(attribute), "__get__") and not isinstance(attribute, once)


def _reads_context(kind: type[Any], name: str, *, with_locals: bool) -> str:
    """What of a thread's or a request's state the attribute's code reads; "" if nothing is found."""
    seen: set[object] = set()
    waiting = [(function, 0) for function in _functions(_own(kind, name))]
    while waiting:
        function, depth = waiting.pop()
        if function in seen or _is_known(function.__module__ or ""):
            continue
        seen.add(function)
        for used, value in _values(function, kind):
            if isinstance(value, ContextVar):
                return f"the context variable {value.name!r}"
            if with_locals and (_is_local(value) or _is_database(value)):
                return used
            if depth < _DEPTH:
                waiting += [(each, depth + 1) for each in _functions(value)]
    return ""


def _is_local(value: object) -> bool:
    return isinstance(value, threading.local | Local)


def _is_database(value: object) -> bool:
    """Whether it is `connection` or `connections`: the schema or the tenant is on it."""
    return value is connections or (isinstance(value, ConnectionProxy) and vars(value)["_connections"] is connections)


def _functions(value: object) -> Iterator[FunctionType]:
    """The functions whose code runs when `value` is called or read."""
    if isinstance(value, property):
        value = value.fget
    elif isinstance(value, cached_property | django_cached_property):
        value = value.func
    elif isinstance(value, staticmethod | classmethod | MethodType):
        value = value.__func__
    value = inspect.unwrap(value) if isinstance(value, FunctionType) else value
    if isinstance(value, FunctionType):
        yield value


def _values(function: FunctionType, kind: type[Any]) -> Iterator[tuple[str, object]]:
    """The objects that the code of `function` names: globals, closures, attributes of modules and of the class."""
    names = list(_names(function.__code__))
    for name in names:
        value = function.__globals__.get(name, sys.modules.get(name))
        yield name, value
        yield name, _own(kind, name)
        if isinstance(value, ModuleType) and not _is_known(value.__name__):
            yield from ((f"{name}.{attribute}", vars(value).get(attribute)) for attribute in names)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # it is not set yet
            continue


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
