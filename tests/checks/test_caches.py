"""The checks of cache layers: a storage that keeps nothing, a layer without a size, and caches that may hang."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from django.test import override_settings

from tests.support.documents import bucket, checked, disk, local, one

LOCMEM = "django.core.cache.backends.locmem.LocMemCache"
DUMMY = "django.core.cache.backends.dummy.DummyCache"
REDIS = "django.core.cache.backends.redis.RedisCache"
MEMCACHED = "django.core.cache.backends.memcached.PyMemcacheCache"
DJANGO_REDIS = "django_redis.cache.RedisCache"
URL = "redis://127.0.0.1:1"
BOTH = "?socket_timeout=0.05&socket_connect_timeout=0.05"


def found(storage: object, caches: Mapping[str, object] | None = None) -> list[tuple[str, str, str]]:
    """The id, the place and the hint of each message but the missing clients, which are not always installed."""
    with override_settings(CACHES={"default": {"BACKEND": LOCMEM}, **(caches or {})}):
        messages = checked(one(storage), without=["thumbs.E021"])
    return [(str(each.id), str(each.msg).partition(": ")[0], str(each.hint)) for each in messages]


def ids(storage: object, caches: Mapping[str, object] | None = None) -> list[str]:
    return [code for code, *_ in found(storage, caches)]


# --------------------------------------------------------------------------------------- no layer


@pytest.mark.parametrize(
    "cache",
    [
        {},
        {"memory": {"enabled": False, "max_size_mb": 64}},
        {"memory": {"max_size_mb": 64}},
        {"disk": {"enabled": False, "dir": "/nonexistent"}},
        {"disk": {"ttl_seconds": 60}},
        {"shared": {"alias": "dummy"}},
        {"memory": {"enabled": True, "alias": "dummy"}},
        {"disk": {"enabled": True, "alias": "dummy"}, "shared": {"alias": "dummy"}},
    ],
)
def test_a_storage_that_keeps_nothing_is_warned_about(tmp_path: Path, cache: dict[str, object]) -> None:
    [(code, place, hint)] = found(local(tmp_path, cache=cache), {"dummy": {"BACKEND": DUMMY}})
    assert (code, place) == ("thumbs.W009", "storages[photos].cache")
    assert '"cache": {"memory": {"enabled": true, "max_size_mb": 64}}' in hint


def test_every_storage_is_looked_at_and_a_bucket_too(tmp_path: Path) -> None:
    kept = local(tmp_path, name="kept", cache={"memory": {"enabled": True, "max_size_mb": 1}})
    messages = checked({"STORAGES": [bucket(), kept, local(tmp_path, name="other")]}, without=[])
    assert [str(each.msg).partition(".")[0] for each in messages] == ["storages[photos]", "storages[other]"]


@pytest.mark.parametrize(
    "cache",
    [
        {"memory": {"enabled": True, "max_size_mb": 64}},
        {"memory": {"enabled": True, "alias": "default"}},
        {"shared": {"alias": "default"}},
        {"disk": {"enabled": True, "alias": "default"}},
        {"shared": {"alias": "dummy"}, "memory": {"enabled": True, "max_size_mb": 64}},
    ],
)
def test_a_storage_with_any_layer_is_not_warned_about(tmp_path: Path, cache: dict[str, object]) -> None:
    assert ids(local(tmp_path, cache=cache), {"dummy": {"BACKEND": DUMMY}}) == []


def test_a_disk_cache_is_a_layer(tmp_path: Path) -> None:
    assert ids(local(tmp_path, cache=disk(str(tmp_path / "cache")))) == []


# --------------------------------------------------------------------------------------- no size


@pytest.mark.parametrize("more", [{}, {"max_items": 100}])
def test_a_memory_cache_without_a_size_is_warned_about(tmp_path: Path, more: dict[str, object]) -> None:
    cache: dict[str, object] = {"memory": {"enabled": True, **more}}
    [(code, place, hint)] = found(local(tmp_path, cache=cache))
    assert (code, place) == ("thumbs.W010", "storages[photos].cache.memory.enabled")
    assert '"max_size_mb": 64' in hint
    with_disk = cache | disk(str(tmp_path / "cache"))
    assert ids(local(tmp_path, cache=with_disk)) == ["thumbs.W010"]


@pytest.mark.parametrize("memory", [{"max_size_mb": 1}, {"alias": "default"}, {"max_size_mb": 1, "max_items": 9}])
def test_a_memory_cache_with_a_size_is_not_warned_about(tmp_path: Path, memory: dict[str, object]) -> None:
    assert ids(local(tmp_path, cache={"memory": {"enabled": True, **memory}})) == []


# ---------------------------------------------------------------------------------------- timeouts


@pytest.mark.parametrize(
    ("backend", "more", "hint"),
    [
        (REDIS, {}, '"socket_connect_timeout": 0.05 and "socket_timeout": 0.05'),
        (REDIS, {"OPTIONS": {"socket_timeout": 1}}, '"socket_connect_timeout"'),
        (REDIS, {"OPTIONS": {"socket_timeout": None, "socket_connect_timeout": 1}}, '"socket_timeout"'),
        (REDIS, {"LOCATION": [URL + BOTH, URL]}, '"socket_timeout"'),
        ("tests.support.own_redis.OwnRedisCache", {}, '"socket_timeout"'),
        (DJANGO_REDIS, {}, '"SOCKET_CONNECT_TIMEOUT": 0.05 and "SOCKET_TIMEOUT": 0.05'),
        (DJANGO_REDIS, {"OPTIONS": {"SOCKET_TIMEOUT": 1}}, '"SOCKET_CONNECT_TIMEOUT"'),
    ],
)
def test_a_redis_alias_without_timeouts_is_warned_about(
    tmp_path: Path, backend: str, more: dict[str, object], hint: str
) -> None:
    caches = {"fleet": {"BACKEND": backend, "LOCATION": URL, **more}}
    [(code, place, told)] = found(local(tmp_path, cache={"shared": {"alias": "fleet"}}), caches)
    assert (code, place) == ("thumbs.W012", "storages[photos].cache.shared.alias")
    assert hint in told


@pytest.mark.parametrize(
    ("backend", "more"),
    [
        (REDIS, {"OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1}}),
        (REDIS, {"LOCATION": URL + BOTH}),
        (REDIS, {"LOCATION": [URL + BOTH, URL + BOTH]}),
        (REDIS, {"LOCATION": f"{URL}{BOTH},{URL}{BOTH}"}),
        (DJANGO_REDIS, {"OPTIONS": {"SOCKET_TIMEOUT": 1, "SOCKET_CONNECT_TIMEOUT": 1}}),
        (
            DJANGO_REDIS,
            {"OPTIONS": {"CONNECTION_POOL_KWARGS": {"socket_timeout": 1, "socket_connect_timeout": 1}}},
        ),
    ],
)
def test_a_redis_alias_with_timeouts_is_not_warned_about(tmp_path: Path, backend: str, more: dict[str, object]) -> None:
    caches = {"fleet": {"BACKEND": backend, "LOCATION": URL, **more}}
    assert ids(local(tmp_path, cache={"shared": {"alias": "fleet"}}), caches) == []


def test_a_redis_alias_that_no_storage_uses_is_not_looked_at(tmp_path: Path) -> None:
    cache = {"memory": {"enabled": True, "max_size_mb": 1}}
    assert ids(local(tmp_path, cache=cache), {"fleet": {"BACKEND": REDIS, "LOCATION": URL}}) == []


def test_a_timeout_of_none_is_no_timeout_for_memcached_either(tmp_path: Path) -> None:
    options = {"timeout": None, "connect_timeout": 0.05}
    caches = {"fleet": {"BACKEND": MEMCACHED, "LOCATION": "127.0.0.1:1", "OPTIONS": options}}
    assert ids(local(tmp_path, cache={"shared": {"alias": "fleet"}}), caches) == ["thumbs.W002"]
