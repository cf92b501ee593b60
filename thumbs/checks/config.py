"""System checks of the configuration, of the names and directories in it, and of the installed libvips."""

import os
from collections.abc import Collection, Iterator, Sequence

from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from thumbs.cache.filestore.store import ForeignDirectory, Untrusted
from thumbs.conf import installation
from thumbs.conf.document import DUMMY, StorageConf
from thumbs.conf.loading import NotConfigured
from thumbs.problems import ROOT_MISSING, Problem
from thumbs.sources.drivers.table import driver_of
from thumbs.wiring.caches import file_store, inspect_run_directory
from thumbs.wiring.policies import signer
from thumbs.wiring.process import configuration

TAG = "thumbs"

CACHE_DIRECTORY = "thumbs.E014"
SHARED_DIRECTORY = "thumbs.E015"
NO_SECRET = "thumbs.E016"  # noqa: S105 - an id
UNTRUSTED = "thumbs.E019"
# Errors of the machine, which may pass while a server runs. A worker must be able to restart despite them: then only a
# storage or its cache fails.
TRANSIENT = (ROOT_MISSING, CACHE_DIRECTORY, UNTRUSTED)


@checks.register(TAG)
def check_thumbs(**_: object) -> list[checks.CheckMessage]:
    """`settings.THUMBS` key by key, and the aliases, classes and directories that its storages name."""
    loaded = configuration()
    problems = list(loaded.problems)
    if not loaded.unusable:
        problems += _run_directory(loaded.document.run_dir, loaded.storages)
        problems += _shared_directories(loaded.storages)
        for storage in loaded.storages:
            problems += _problems_of(storage, is_read=loaded.document.mode != DUMMY)
    return [message(problem) for problem in problems]


@checks.register(TAG)
def check_libvips(**_: object) -> list[checks.CheckMessage]:
    """Whether the libvips that would run is the installed one, and recent enough. Loads nothing into this process."""
    return [message(Problem(*each)) for each in installation.problems()]


def require(*, ignore: Collection[str] = ()) -> None:
    """Raise NotConfigured with a line for each error of these checks, except the ids in `ignore` and silenced ones.

    Warnings are ignored too: `manage.py check` prints them.
    """
    found = [message for message in checks.run_checks(tags=[TAG]) if not message.is_silenced()]
    errors = [message for message in found if message.is_serious() and message.id not in ignore]
    if errors:
        raise NotConfigured("\n".join(f"({error.id}) {error.msg} {error.hint or ''}".rstrip() for error in errors))


def message(problem: Problem) -> checks.CheckMessage:
    """The message of a problem: an error or a warning, by its id."""
    kind = checks.Error if ".E" in problem.id else checks.Warning
    return kind(f"{problem.where}: {problem.sentence}", hint=problem.hint or None, id=problem.id)


def _problems_of(storage: StorageConf, *, is_read: bool) -> Iterator[Problem]:
    where = f"storages[{storage.name}]"
    yield from _secret(storage, f"{where}.signature_secret_key")
    driver = driver_of(storage.driver)
    if is_read:
        yield from (problem.within(where) for problem in driver.checks(driver.settings_of(storage)))
    yield from _directory(storage, f"{where}.cache.disk.dir")


def _secret(storage: StorageConf, where: str) -> Iterator[Problem]:
    try:
        signer(storage)
    except ImproperlyConfigured:
        yield Problem(NO_SECRET, where, "is derived from SECRET_KEY, which is empty.", "Set SECRET_KEY.")


def _directory(storage: StorageConf, where: str) -> Iterator[Problem]:
    store = file_store(storage)
    if store is None:
        return
    try:
        store.inspect()
    except ForeignDirectory as error:
        yield Problem(CACHE_DIRECTORY, where, f"is refused: {error}.", "Give the cache a directory of its own.")
    except Untrusted as error:
        yield Problem(UNTRUSTED, where, f"is refused: {error}.", error.remedy)
    except OSError as error:
        yield Problem(CACHE_DIRECTORY, where, f"cannot be used: {storage.cache.disk.dir}: {error.strerror or error}.")


def _run_directory(run_dir: str | None, storages: Sequence[StorageConf]) -> Iterator[Problem]:
    try:
        inspect_run_directory(run_dir, storages)
    except Untrusted as error:
        hint = error.remedy if run_dir else f'{error.remedy}; or set "run_dir" to a directory of the server\'s user.'
        yield Problem(UNTRUSTED, "run_dir", f"is refused: {error}.", hint)
    except OSError as error:
        yield Problem(UNTRUSTED, "run_dir", f"cannot be used: {error.filename}: {error.strerror or error}.")


def _shared_directories(storages: Sequence[StorageConf]) -> Iterator[Problem]:
    """Storages with the same cache directory: each would apply its own cap to the other's entries."""
    owners: dict[str, str] = {}
    for storage in storages:
        directory = storage.cache.disk.dir if storage.cache.disk.enabled else None
        if directory is None:
            continue
        owner = owners.setdefault(os.path.realpath(directory), storage.name)
        if owner != storage.name:
            where = f"storages[{storage.name}].cache.disk.dir"
            yield Problem(SHARED_DIRECTORY, where, f"is the directory of storage {owner!r} too.")
