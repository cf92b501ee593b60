"""Rules that concern several keys of a storage: one function for each rule, in one table."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from thumbs.conf.document import LimitsConf, StorageConf
from thumbs.conf.keys import read
from thumbs.errors import BadPath
from thumbs.http.cache_control import PRIVATE_DEFAULT, is_public
from thumbs.problems import INCOMPLETE, MISSING_KEY, WRONG_VALUE, Problem
from thumbs.request.grammar import check_path
from thumbs.request.signing import MINIMUM_LENGTH
from thumbs.sources.drivers import table
from thumbs.sources.drivers.driver import Driver

SIGNATURE_SHORT = "thumbs.E008"
MISPLACED = "thumbs.E011"
UNLIMITED = "thumbs.W001"

_DEFAULTS = read(StorageConf, {"name": "default", "driver": "local"}, "", [])

_LIMIT = (
    'Set "signature_secret_key": "django" (its key is made of SECRET_KEY; or a long random text), or '
    '"allowed_sizes": ["400x300"].'
)
Rule = Callable[[StorageConf], Iterator[Problem]]


def problems_of(storage: StorageConf, where: str, *, fetches: int = LimitsConf().fetches) -> Iterator[Problem]:
    """All errors and warnings of `storage`; the ids of warnings have a W. `fetches` may run at once in a process."""
    for rule in _RULES:
        for problem in rule(storage):
            yield problem.within(where)
    driver = _driver(storage)
    if driver is not None:
        for problem in driver.busy(driver.settings_of(storage), fetches):
            yield problem.within(where)


def _driver_is_known(storage: StorageConf) -> Iterator[Problem]:
    try:
        table.driver_of(storage.driver)
    except table.UnknownDriver:
        names = ", ".join(driver.name for driver in table.NAMED)
        example = "storages.backends.gcloud.GoogleCloudStorage"
        yield Problem(WRONG_VALUE, "driver", f"must be {names}, or a dotted path such as {example}.")


def _keys_fit_the_driver(storage: StorageConf) -> Iterator[Problem]:
    """A key of another driver is a mistake that would go unnoticed."""
    reported: set[str] = set()
    own = _driver(storage)
    for driver in (*table.NAMED, table.BY_CLASS):
        for name in driver.keys:
            if name in reported:  # of two drivers
                continue
            if own is not None and name not in own.keys and getattr(storage, name) != getattr(_DEFAULTS, name):
                sentence = f"is a key of driver {driver.name}, and this storage's driver is {storage.driver}."
                reported.add(name)
                yield Problem(MISPLACED, name, sentence)


def _driver_is_satisfied(storage: StorageConf) -> Iterator[Problem]:
    driver = _driver(storage)
    if driver is not None:
        settings = driver.settings_of(storage)
        yield from driver.rules(settings)
        if not storage.signature_secret_key:
            yield from driver.unsigned(settings)


def _driver(storage: StorageConf) -> Driver[Any] | None:
    """The storage's driver; None for an unknown one, which `_driver_is_known` reports."""
    with suppress(table.UnknownDriver):
        return table.driver_of(storage.driver)
    return None


def _caches_are_complete(storage: StorageConf) -> Iterator[Problem]:
    disk, shared = storage.cache.disk, storage.cache.shared
    if disk.enabled and disk.dir is None and disk.alias is None:
        hint = 'Such as "dir": "/var/cache/mage/photos": a directory for this cache alone.'
        yield Problem(MISSING_KEY, "cache.disk.dir", "is required when the disk cache is enabled.", hint)
    if disk.enabled and disk.alias is not None and disk.dir is not None:
        yield Problem(INCOMPLETE, "cache.disk.alias", "and dir exclude each other.")
    if storage.cache.memory.enabled and storage.cache.memory.alias and storage.cache.memory.max_size_mb:
        yield Problem(
            INCOMPLETE, "cache.memory.alias", "and max_size_mb exclude each other: the alias has its own size."
        )
    for place in ("memory", "disk"):
        layer = getattr(storage.cache, place)
        if layer.alias is not None and layer.enabled is None:
            yield Problem(
                INCOMPLETE, f"cache.{place}.alias", f'has no effect without "enabled": true in cache.{place}.'
            )
    keeps_originals = disk.enabled or storage.cache.memory.enabled or shared.alias
    if storage.cache.sources and not keeps_originals:
        yield Problem(INCOMPLETE, "cache.sources", "has no effect without any cache layer enabled.")
    if disk.stale_seconds and not (keeps_originals or storage.cache.objects.storage):
        yield Problem(INCOMPLETE, "cache.disk.stale_seconds", "has no effect without any cache layer enabled.")


def _signature_is_long_enough(storage: StorageConf) -> Iterator[Problem]:
    if storage.signature_length < MINIMUM_LENGTH:
        yield Problem(
            SIGNATURE_SHORT,
            "signature_length",
            f"must be at least {MINIMUM_LENGTH}: shorter signatures can be guessed.",
        )


def _unsigned_is_limited(storage: StorageConf) -> Iterator[Problem]:
    if not storage.signature_secret_key and storage.allowed_sizes is None and not storage.presets_only:
        yield Problem(
            UNLIMITED,
            "",
            "is neither signed nor limited to allowed_sizes or presets_only: any client can request any thumbnail.",
            _LIMIT,
        )


def _private_is_not_public(storage: StorageConf) -> Iterator[Problem]:
    if storage.private and storage.cache_control is not None and is_public(storage.cache_control):
        hint = f'Leave it out for "{PRIVATE_DEFAULT}", or begin it with "private".'
        yield Problem(INCOMPLETE, "cache_control", "lets shared caches keep the pictures of a private storage.", hint)


def _cache_tag_header_is_set_once(storage: StorageConf) -> Iterator[Problem]:
    name = storage.cache_tag_header
    if name is not None and name.lower() in map(str.lower, storage.headers):
        yield Problem(INCOMPLETE, "cache_tag_header", f"and headers exclude each other: both set {name}.")


def _fallback_has_a_path(storage: StorageConf) -> Iterator[Problem]:
    driver = _driver(storage)
    if storage.fallback is None or driver is None:
        return
    settings = driver.settings_of(storage)
    if any(".E" in problem.id for problem in driver.rules(settings)):
        return
    naming = driver.naming(settings)
    try:
        path = storage.fallback if naming is None else naming.path(storage.fallback)
        check_path(path, max_segment_bytes=driver.max_segment_bytes)
        if naming is not None:
            naming.canonical(path)
    except (BadPath, ValueError):
        yield Problem(WRONG_VALUE, "fallback", "must be the path of an original in this storage, as in a URL.")


_RULES: tuple[Rule, ...] = (
    _driver_is_known,
    _keys_fit_the_driver,
    _driver_is_satisfied,
    _caches_are_complete,
    _signature_is_long_enough,
    _unsigned_is_limited,
    _private_is_not_public,
    _cache_tag_header_is_set_once,
    _fallback_has_a_path,
)
