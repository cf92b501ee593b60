"""Purges files of Django storages, now or when a transaction commits. Never raises; logs an error once per kind."""

import logging
from collections.abc import Callable, Iterable
from functools import partial

from django.core.files.storage import Storage
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from thumbs.errors import BadPath
from thumbs.site.purging import purge
from thumbs.site.served_paths import served_path
from thumbs.wiring import process

logger = logging.getLogger("thumbs")

Call = Callable[[], None]

_CONFIGURATION = ""
_MOST_CHARACTERS = 300  # of a name in the log
# The errors that were logged: what failed (a storage's name, or another text) and the type of the error.
_logged: set[tuple[str, type[Exception]]] = set()


def purge_file(storage: Storage, name: str | None) -> None:
    """Purge the file `name` of `storage` now, in every storage of the configuration that serves it."""
    if not name:
        return
    try:
        confs = process.current().read.storages
    except Exception as error:
        log_once(_CONFIGURATION, error, "the thumbnails of %s are not purged", _printable(name))
        return
    _forget(_CONFIGURATION)
    for conf in confs:
        try:
            path = served_path(conf, storage, name)
            if path is not None:
                purge(conf.name, path)
        except BadPath:
            pass  # no URL can name this file, so it has no thumbnails
        except Exception as error:
            log_once(conf.name, error, "the thumbnails of %s in %s are not purged", _printable(name), conf.name)
        else:
            _forget(conf.name)


def purge_files(storage: Storage, names: Iterable[str]) -> None:
    """Purge each of `names` now; "" names no file."""
    for name in names:
        purge_file(storage, name)


def purge_on_commit(storage: Storage, names: Iterable[str], using: str) -> None:
    """Purge `names` when the transaction of the database `using` commits; now if there is none.

    In the transaction of a `django.test.TestCase`, which never commits, purge now as well.
    """
    files = sorted({name for name in names if name})
    if files:
        call_on_commit([partial(purge_files, storage, files)], using)


def call_on_commit(calls: Iterable[Call], using: str) -> None:
    """Call each of `calls` when the transaction of `using` commits, as `purge_on_commit` does, with one callback."""
    call = partial(_call_each, tuple(calls))
    if not call.args[0]:
        return
    try:
        connection = connections[using]
        # Without an atomic block, each statement commits, or the site commits by itself: then there is no hook.
        if not connection.in_atomic_block or _is_of_test_case(connection):
            call()
        if connection.in_atomic_block:
            transaction.on_commit(call, using=using)
    except Exception as error:
        log_once(f"database {using}", error, "a purge for the database %s failed", using)


def log_once(kind: str, error: Exception, message: str, *arguments: object) -> None:
    """Log `error` with its traceback, unless an error of its type was logged for this `kind`."""
    if (kind, type(error)) not in _logged:
        _logged.add((kind, type(error)))
        logger.error(message, *arguments, exc_info=error)


def forget_errors() -> None:
    """Log the next error of each kind again."""
    _logged.clear()


def _printable(name: str) -> str:
    """The beginning of the name on one line, so that no name looks like a line of the log."""
    start = name[:_MOST_CHARACTERS]
    return start if start.isprintable() else repr(start)


def _call_each(calls: Iterable[Call]) -> None:
    for call in calls:
        call()


def _forget(kind: str) -> None:
    """What failed works: a new failure is news."""
    if _logged:
        _logged.difference_update([each for each in _logged.copy() if each[0] == kind])


def _is_of_test_case(connection: BaseDatabaseWrapper) -> bool:
    """Whether the outermost block is the one that `django.test.TestCase` rolls back.

    Django marks it for its own check of `durable` blocks. A block without the mark is an ordinary one.
    """
    blocks = getattr(connection, "atomic_blocks", None) or [None]
    return bool(getattr(blocks[0], "_from_testcase", False))
