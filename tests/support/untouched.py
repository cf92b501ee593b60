"""Storages and caches that raise, and a block in which files, sockets and the dimensions of pictures raise as well."""

import contextlib
from collections.abc import Iterator
from typing import Any, NoReturn
from unittest import mock

from django.core.cache.backends.base import BaseCache
from django.core.files.storage import FileSystemStorage


class Touched(AssertionError):
    """Something was asked that a page must not ask."""


def _refuse(name: str) -> Any:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise Touched(name)

    return refuse


_OF_A_STORAGE = (
    *("open", "save", "path", "url", "exists", "listdir", "size", "delete", "is_name_available", "get_valid_name"),
    *("get_alternative_name", "get_available_name", "get_accessed_time", "get_created_time", "get_modified_time"),
)
_OF_A_CACHE = (
    *("add", "get", "set", "touch", "delete", "get_many", "get_or_set", "has_key", "incr", "decr", "set_many"),
    *("delete_many", "clear", "close", "incr_version", "aget", "aset", "aadd", "adelete", "aget_many", "aset_many"),
)
UntouchableStorage = type("UntouchableStorage", (FileSystemStorage,), {name: _refuse(name) for name in _OF_A_STORAGE})
UntouchableCache = type(
    "UntouchableCache",
    (BaseCache,),
    {"__init__": lambda self, _, params: BaseCache.__init__(self, params)}
    | {name: _refuse(name) for name in _OF_A_CACHE if name != "close"},
)
_FUNCTIONS = (
    *("socket.socket.connect", "socket.socket.__init__", "socket.getaddrinfo", "socket.create_connection"),
    *("builtins.open", "io.open", "os.open", "os.stat", "os.lstat", "os.listdir", "os.scandir"),
    "django.core.files.images.get_image_dimensions",
)


@contextlib.contextmanager
def untouched() -> Iterator[None]:
    """A block in which opening a file, a socket or a picture raises `Touched`."""
    with contextlib.ExitStack() as stack:
        for name in _FUNCTIONS:
            stack.enter_context(mock.patch(name, _refuse(name)))
        yield
