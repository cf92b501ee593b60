"""System checks of the cache layers of storages: aliases of Django's `CACHES`, their clients and timeouts, no layer."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks.caches import check_file_based_cache_is_absolute
from django.core.checks.registry import registry
from django.utils.module_loading import import_string

from thumbs import extras
from thumbs.checks.config import TAG, message
from thumbs.conf.document import StorageConf
from thumbs.conf.object_rules import not_a_store
from thumbs.problems import UNKNOWN_ALIAS, Problem, nearest
from thumbs.wiring.objects import store_of
from thumbs.wiring.process import configuration

NO_TIMEOUT = "thumbs.W002"
NO_CACHE = "thumbs.W009"
NO_SIZE = "thumbs.W010"
NO_REDIS_TIMEOUT = "thumbs.W012"

_DUMMY = "django.core.cache.backends.dummy.DummyCache"
_MEMCACHED = "django.core.cache.backends.memcached.BaseMemcachedCache"
_DJANGO_REDIS = "django.core.cache.backends.redis.RedisCache"
# Other backends over Redis. They take the names of timeouts in upper case.
_OTHER_REDIS = ("django_redis.cache.RedisCache", "redis_cache.backends.base.BaseRedisCache", "django_valkey")
# The backends of Django whose client is an extra. Django imports it at the first use.
_CLIENTS = {"django.core.cache.backends.memcached.PyMemcacheCache": "memcached", _DJANGO_REDIS: "redis"}
_EXAMPLE = '"cache": {"memory": {"enabled": true, "max_size_mb": 64}}'


@checks.register(TAG)
def check_caches(**_: object) -> list[checks.CheckMessage]:
    """The layers of each storage. Opens no connection."""
    loaded = configuration()
    if loaded.unusable:
        return []
    stores = {storage.cache.objects.storage for storage in loaded.storages}
    problems = [problem for storage in loaded.storages for problem in _problems_of(storage, stores)]
    problems += [problem for storage in loaded.storages for problem in _object_problems(storage, loaded.stores)]
    return [message(problem) for problem in problems]


def report_missing_clients(storages: Iterable[StorageConf]) -> None:
    """Let `check_caches` report a client that is not installed, in the place of a traceback.

    A check of Django's makes every cache of `CACHES`, and PyMemcacheCache then imports its client. So that check is
    taken out where a layer of `storages` has a cache whose client is missing.
    """
    aliases = {alias for storage in storages for _, alias in _aliases(storage) if alias in settings.CACHES}
    if any(not extras.is_installed(extra) for alias in aliases for extra in _clients_of(_classes(alias))):
        registry.registered_checks.discard(check_file_based_cache_is_absolute)


def _problems_of(storage: StorageConf, stores: Collection[str | None]) -> Iterator[Problem]:
    where = f"storages[{storage.name}].cache"
    memory = storage.cache.memory
    for layer, alias in _aliases(storage):
        yield from _alias_problems(alias, f"{where}.{layer}.alias")
    if memory.enabled and memory.alias is None and not memory.max_size_mb:
        hint = 'Set "max_size_mb": 64 beside it: MiB in each process.'
        yield Problem(NO_SIZE, f"{where}.memory.enabled", "has no effect without max_size_mb.", hint)
    elif not _keeps(storage) and storage.name not in stores:  # one that is a layer may have no originals
        sentence = "has no layer that keeps anything: every request reads and renders its original again."
        yield Problem(
            NO_CACHE,
            where,
            sentence,
            f"The least is {_EXAMPLE} (True in Python); a disk cache is shared by all processes.",
        )


def _aliases(storage: StorageConf) -> Iterator[tuple[str, str]]:
    cache = storage.cache
    for layer, alias in (("memory", cache.memory.alias), ("disk", cache.disk.alias), ("shared", cache.shared.alias)):
        if alias is not None:
            yield layer, alias


def _keeps(storage: StorageConf) -> bool:
    """Whether a layer of the storage keeps entries. An alias that is unknown may: it is an error of its own."""
    memory, disk, shared = storage.cache.memory, storage.cache.disk, storage.cache.shared
    aliases = [shared.alias, memory.alias if memory.enabled else None, disk.alias if disk.enabled else None]
    if any(alias is not None and _DUMMY not in _classes(alias) for alias in aliases):
        return True
    return bool((memory.enabled and memory.max_size_mb) or (disk.enabled and disk.dir) or storage.cache.objects.storage)


def _object_problems(storage: StorageConf, stores: Mapping[str, StorageConf]) -> Iterator[Problem]:
    """Of a Django storage only its class shows whether it is an object store."""
    name = storage.cache.objects.storage
    if name is None or name not in stores:
        return
    try:
        store = store_of(stores[name])
    except Exception:  # a class that cannot be made is an error of its own
        return
    if store is None:
        yield not_a_store(f"storages[{storage.name}].cache.objects.storage", name)


def _alias_problems(alias: str, where: str) -> Iterator[Problem]:
    if alias not in settings.CACHES:
        yield Problem(UNKNOWN_ALIAS, where, f"{alias!r} is not in settings.CACHES.", nearest(alias, settings.CACHES))
        return
    classes = _classes(alias)
    for extra in _clients_of(classes):
        yield from extras.missing(where, f"the cache {alias!r}", extra)
    given = _given_options(alias)
    if _MEMCACHED in classes and not {"timeout", "connect_timeout"} <= given:
        hint = 'Set "connect_timeout": 0.05 and "timeout": 0.05 in its OPTIONS.'
        yield Problem(NO_TIMEOUT, where, f"the cache {alias!r} has no timeout: if it hangs, requests wait.", hint)
    if _is_redis(classes) and not {"socket_timeout", "socket_connect_timeout"} <= given:
        names = ("socket_connect_timeout", "socket_timeout")
        first, second = names if _DJANGO_REDIS in classes else map(str.upper, names)
        hint = f'Set "{first}": 0.05 and "{second}": 0.05 in its OPTIONS.'
        sentence = f"the cache {alias!r} has no timeouts: if Redis hangs, requests wait."
        yield Problem(NO_REDIS_TIMEOUT, where, sentence, hint)


def _clients_of(classes: frozenset[str]) -> list[str]:
    """The extras with the client of a backend of these classes."""
    return [extra for backend, extra in _CLIENTS.items() if backend in classes]


def _is_redis(classes: frozenset[str]) -> bool:
    return _DJANGO_REDIS in classes or any(name.startswith(_OTHER_REDIS) for name in classes)


def _classes(alias: str) -> frozenset[str]:
    """The dotted names of the alias's backend and of its base classes; only its own name if it cannot be imported."""
    dotted = str(_conf_of(alias).get("BACKEND"))
    try:
        mro = import_string(dotted).__mro__
    except (ImportError, AttributeError):  # Django reports it at the first use
        return frozenset({dotted})
    return frozenset({dotted, *(f"{each.__module__}.{each.__qualname__}" for each in mro)})


def _given_options(alias: str) -> set[str]:
    """The names of the client's options in OPTIONS, and in the URLs of LOCATION; those of None are not given."""
    conf = _conf_of(alias)
    options: Mapping[str, Any] = conf.get("OPTIONS") or {}
    pool = options.get("CONNECTION_POOL_KWARGS") or {}
    given = {str(name).lower() for name, value in (*options.items(), *pool.items()) if value is not None}
    locations = conf.get("LOCATION") or ""
    urls = locations.replace(";", ",").split(",") if isinstance(locations, str) else locations
    in_urls = [set(parse_qs(urlsplit(str(url)).query)) for url in urls]
    return given | set.intersection(*in_urls) if in_urls else given


def _conf_of(alias: str) -> Mapping[str, Any]:
    configured: Mapping[str, Any] = settings.CACHES
    conf: Mapping[str, Any] = configured.get(alias, {})
    return conf
