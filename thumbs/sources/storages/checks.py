"""Checks that take a configured Django: whether an alias exists, and whether a storage class can be made."""

import contextlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage, storages
from django.utils.module_loading import import_string

from thumbs import extras
from thumbs.observability.redaction import redacted
from thumbs.problems import UNKNOWN_ALIAS, UNKNOWN_CLASS, Problem, nearest
from thumbs.sources.storages.placement import dependence
from thumbs.sources.storages.settings import AliasSettings, ClassSettings

PER_REQUEST = "thumbs.E023"
WORKING_DIRECTORY = "thumbs.E041"
_STANDALONE = "mage_project."  # where the settings of the standalone server have their URLs


def alias_problems(storage: AliasSettings) -> Iterator[Problem]:
    alias = storage.alias
    if alias not in settings.STORAGES:
        hint = nearest(alias, settings.STORAGES)
        yield Problem(UNKNOWN_ALIAS, "alias", f"{alias!r} is not in settings.STORAGES.", hint)
        return
    backend = str(settings.STORAGES[alias].get("BACKEND"))
    try:
        make = import_string(backend)
    except Exception as error:
        yield from _not_imported("alias", backend, error)
        return
    try:
        opened = storages[alias]
    except Exception as error:  # each class has its own exceptions for options that it does not know
        yield Problem(UNKNOWN_CLASS, "alias", f"{alias!r}: {backend} cannot be made: {_line(error)}.")
        return
    yield from _of_requests("alias", backend, opened, make)
    yield from _of_directory("alias", opened)


def class_problems(storage: ClassSettings) -> Iterator[Problem]:
    driver = storage.driver
    try:
        make = import_string(driver)
    except Exception as error:  # django-storages reports a missing library with an exception of another type
        yield from _not_imported("driver", driver, error)
        return
    try:
        opened = make(**storage.options)
    except Exception as error:  # as above
        yield from _not_made(driver, make, storage, error)
        return
    yield from _of_requests("driver", driver, opened, make)
    yield from _of_directory("driver", opened)


def _of_requests(key: str, dotted: str, opened: object, make: object) -> Iterator[Problem]:
    reason = dependence(opened, make)
    if reason is not None:
        sentence = (
            f"{dotted} may read from another place in each request: it {reason}. Caches would mix these places up."
        )
        hint = 'Use a storage for each tenant, or one whose names begin with the tenant: docs/django.md, "Tenants".'
        yield Problem(PER_REQUEST, key, sentence, hint)


def _of_directory(key: str, opened: object) -> Iterator[Problem]:
    """Django's storage of files, without a location and without MEDIA_ROOT, has the working directory.

    In a site, that is for the site to decide; the standalone server has no MEDIA_ROOT.
    """
    is_placed = not isinstance(opened, FileSystemStorage) or str(opened.base_location)
    if not is_placed and str(settings.ROOT_URLCONF).startswith(_STANDALONE):
        hint = 'Use "driver": "local" with "root", or give the class its "location" in options.'
        yield Problem(WORKING_DIRECTORY, key, "serves the working directory of the server.", hint)


def _not_imported(key: str, dotted: str, error: Exception) -> Iterator[Problem]:
    needed = extras.extras_behind(error)
    if not needed:
        yield Problem(UNKNOWN_CLASS, key, f"{dotted} cannot be imported: {_line(error)}.")
        return
    # The S3 storages of django-storages need both, and the import ends at the first.
    if "storages" in needed and dotted.startswith("storages.backends.s3"):
        needed = ("storages", "s3")
    yield from extras.missing(key, dotted, *needed)


def _not_made(driver: str, make: Callable[..., Any], storage: ClassSettings, error: Exception) -> Iterator[Problem]:
    known = _known_options(make)
    unknown = next((name for name in storage.options if name not in known), None) if known else None
    hint = "" if unknown is None else nearest(unknown, sorted(known))
    yield Problem(UNKNOWN_CLASS, "options", f"{driver} does not take them: {_line(error)}.", hint)


def _known_options(make: Any) -> set[str]:
    """The names of the arguments of a storage class; empty where they cannot be found out."""
    with contextlib.suppress(Exception):
        if hasattr(make, "get_default_settings"):  # django-storages lists them here; its signatures take any name
            return set(make.get_default_settings(make.__new__(make)))
        parameters = inspect.signature(make.__init__).parameters.values()  # not of `make`: Django wraps `__new__`
        named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        return {each.name for each in parameters if each.kind in named} - {"self"}
    return set()


def _line(error: Exception) -> str:
    """The text of an error as part of a sentence, without the secrets that a class may have put into it."""
    return redacted(" ".join(str(error).split()).removesuffix("."))
