"""What must be true of a storage beyond each key by itself: one function a rule, in one table."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from thumbs.conf.document import StorageConf
from thumbs.conf.keys import Problem, read
from thumbs.request.signing import MINIMUM_LENGTH

SIGNATURE_SHORT = "thumbs.E008"
ROOT_MISSING = "thumbs.E009"
INCOMPLETE = "thumbs.E010"
MISPLACED = "thumbs.E011"
UNLIMITED = "thumbs.W001"

_DRIVERS = ("local", "s3", "django")
# Which driver reads which keys: a key of another driver is a mistake that would go unnoticed.
_KEYS_OF_DRIVER = {
    "local": ("root", "follow_symlinks"),
    "s3": ("bucket", "region", "access_key", "secret_key", "base_url", "s3_http_config"),
    "django": ("alias",),
}
_DEFAULTS = read(StorageConf, {"name": "default", "driver": "local"}, "", [])

Rule = Callable[[StorageConf], Iterator[tuple[str, str, str]]]


def problems_of(storage: StorageConf, where: str) -> Iterator[Problem]:
    """Everything that is wrong with `storage`, and warnings (their ids have a W)."""
    for rule in _RULES:
        for problem_id, name, sentence in rule(storage):
            yield Problem(problem_id, f"{where}.{name}" if name else where, sentence)


def _driver_is_known(storage: StorageConf) -> Iterator[tuple[str, str, str]]:
    if storage.driver not in _DRIVERS and "." not in storage.driver:
        yield (
            "thumbs.E003",
            "driver",
            "must be local, s3, django, or a dotted path such as storages.backends.gcloud.GoogleCloudStorage.",
        )


def _keys_fit_the_driver(storage: StorageConf) -> Iterator[tuple[str, str, str]]:
    driver = storage.driver if storage.driver in _DRIVERS else "a class"
    if driver == "a class" and "." not in storage.driver:
        return  # `_driver_is_known` says so
    for owner, names in (*_KEYS_OF_DRIVER.items(), ("a class", ("options",))):
        for name in names:
            if owner != driver and getattr(storage, name) != getattr(_DEFAULTS, name):
                yield MISPLACED, name, f"is a key of driver {owner}, and this storage's driver is {storage.driver}."


def _local_root_exists(storage: StorageConf) -> Iterator[tuple[str, str, str]]:
    if storage.driver != "local":
        return
    if storage.root is None:
        yield "thumbs.E004", "root", "is required with driver local."
    elif not Path(storage.root).is_dir():
        yield ROOT_MISSING, "root", f"is not a directory: {storage.root}"


def _s3_is_complete(storage: StorageConf) -> Iterator[tuple[str, str, str]]:
    if storage.driver != "s3":
        return
    if storage.bucket is None:
        yield "thumbs.E004", "bucket", "is required with driver s3."
    if (storage.access_key is None) != (storage.secret_key is None):
        missing = "access_key" if storage.access_key is None else "secret_key"
        yield INCOMPLETE, missing, "is required when the other key is given."
    elif storage.base_url is not None and storage.access_key is None:
        yield INCOMPLETE, "access_key", "and secret_key are required with base_url."
    if storage.base_url is not None and urlsplit(storage.base_url).scheme not in ("http", "https"):
        yield "thumbs.E003", "base_url", "must be a URL that begins with http:// or https://."


def _django_has_an_alias(storage: StorageConf) -> Iterator[tuple[str, str, str]]:
    if storage.driver == "django" and storage.alias is None:
        yield "thumbs.E004", "alias", "is required with driver django: a name in settings.STORAGES."


def _caches_are_complete(storage: StorageConf) -> Iterator[tuple[str, str, str]]:
    disk, shared = storage.cache.disk, storage.cache.shared
    if disk.enabled and disk.dir is None and disk.alias is None:
        yield "thumbs.E004", "cache.disk.dir", "is required when the disk cache is enabled."
    if disk.enabled and disk.alias is not None and disk.dir is not None:
        yield INCOMPLETE, "cache.disk.alias", "and dir exclude each other."
    if storage.cache.memory.enabled and storage.cache.memory.alias and storage.cache.memory.max_size_mb:
        yield INCOMPLETE, "cache.memory.alias", "and max_size_mb exclude each other: the alias has its own size."
    for place in ("memory", "disk"):
        layer = getattr(storage.cache, place)
        if layer.alias is not None and layer.enabled is None:
            yield INCOMPLETE, f"cache.{place}.alias", f'has no effect without "enabled": true in cache.{place}.'
    if storage.cache.sources and not (disk.enabled or storage.cache.memory.enabled or shared.alias):
        yield INCOMPLETE, "cache.sources", "has no effect without any cache layer enabled."
    if disk.stale_seconds and not (disk.enabled or storage.cache.memory.enabled or shared.alias):
        yield INCOMPLETE, "cache.disk.stale_seconds", "has no effect without any cache layer enabled."


def _signature_is_long_enough(storage: StorageConf) -> Iterator[tuple[str, str, str]]:
    if storage.signature_length < MINIMUM_LENGTH:
        yield (
            SIGNATURE_SHORT,
            "signature_length",
            f"must be at least {MINIMUM_LENGTH}: shorter signatures can be guessed.",
        )


def _unsigned_is_limited(storage: StorageConf) -> Iterator[tuple[str, str, str]]:
    if not storage.signature_secret_key and storage.allowed_sizes is None and not storage.presets_only:
        yield (
            UNLIMITED,
            "",
            "is neither signed nor limited to allowed_sizes or presets_only: anybody can have any thumbnails made.",
        )


_RULES: tuple[Rule, ...] = (
    _driver_is_known,
    _keys_fit_the_driver,
    _local_root_exists,
    _s3_is_complete,
    _django_has_an_alias,
    _caches_are_complete,
    _signature_is_long_enough,
    _unsigned_is_limited,
)
