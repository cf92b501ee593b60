"""`MemoryCache` and `DiskCache` implement Django's cache interface."""

import asyncio
import datetime
import decimal
import pickle
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import CacheHandler
from django.core.cache.backends.base import BaseCache, CacheKeyWarning, InvalidCacheBackendError
from django.utils.safestring import SafeString, mark_safe

from tests.support.django_caches import MISSING, TRAPPED, Make
from thumbs.cache.disk import DiskCache
from thumbs.cache.filestore.store import ForeignDirectory
from thumbs.cache.memory import MemoryCache

if not settings.configured:
    settings.configure(SECRET_KEY="a key of the tests")


@pytest.fixture(params=["locmem", "filebased", "memory", "disk"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    return Make(request.param, tmp_path)


@pytest.fixture
def cache(make: Make) -> BaseCache:
    return make()


class OfAnyClass:
    """Picklable, equal by content, and of a class that no cache handles specially."""

    def __init__(self, content: object) -> None:
        self.content = content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OfAnyClass) and other.content == self.content

    def __hash__(self) -> int:
        return hash(self.content)


VALUES = [
    None, True, False, 0, 1, -1, 2**80, 1.5, float("inf"), "", "text", "ünïcode €\U0001f600", b"", b"\x00\xff" * 500,
    bytearray(b"bytes"), [1, "two", None], {"a": {"b": [1]}}, (1, 2), {1, 2}, frozenset((1,)), range(3), Ellipsis,
    datetime.datetime(2026, 11, 24, tzinfo=datetime.UTC), decimal.Decimal("1.10"), uuid.UUID(int=1), ValueError,
    OfAnyClass([1, 2]), 3 + 4j, "x" * 100_000,
]  # fmt: skip

# ---------------------------------------------------------------------------------------- values


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:20])
def test_any_picklable_value_comes_back_as_it_was(cache: BaseCache, value: object) -> None:
    cache.set("key", value)
    found = cache.get("key", MISSING)
    assert found == value
    assert type(found) is type(value)


def test_a_subclass_of_a_plain_type_stays_one(cache: BaseCache) -> None:
    class_of = {type(cache.get_or_set(name, value)) for name, value in {"a": mark_safe("<b>")}.items()}
    assert class_of == {SafeString}


def test_what_cannot_be_pickled_is_an_error_and_not_stored(cache: BaseCache) -> None:
    for store in (cache.set, cache.add):
        with pytest.raises((pickle.PickleError, AttributeError, TypeError)):
            store("key", lambda: None)
    assert cache.get("key") is None


def test_a_value_that_its_reader_changes_is_not_changed_in_the_cache(cache: BaseCache) -> None:
    given = {"list": [1]}
    cache.set("key", given)
    given["list"].append(2)
    cache.get("key")["list"].append(3)
    assert cache.get("key") == {"list": [1]}


def test_none_is_a_value_and_no_miss(cache: BaseCache) -> None:
    cache.set("key", None)
    assert cache.get("key", "default") is None
    assert cache.has_key("key")
    assert not cache.add("key", 1)
    assert cache.get_many(["key", "other"]) == {"key": None}
    assert cache.get_or_set("key", 1) is None
    assert cache.get_or_set("new", None) is None
    assert "new" in cache


def test_a_miss_gives_the_default(cache: BaseCache) -> None:
    assert cache.get("key") is None
    assert cache.get("key", "default") == "default"
    assert not cache.has_key("key")
    assert "key" not in cache


# ------------------------------------------------------------------------------------ operations


def test_set_replaces(cache: BaseCache) -> None:
    for value in ("one", 2, b"three", [4], None):
        cache.set("key", value)
        assert cache.get("key", MISSING) == value


def test_add_stores_only_what_is_not_there(cache: BaseCache) -> None:
    assert cache.add("key", "first") is True
    assert cache.add("key", "second") is False
    assert cache.get("key") == "first"
    cache.set("over", 1, timeout=-1)
    assert cache.add("over", 2) is True
    assert cache.get("over") == 2


def test_delete_says_what_was_there(cache: BaseCache) -> None:
    cache.set("key", 1)
    assert cache.delete("key") is True
    assert cache.get("key") is None
    assert cache.delete("key") is False


def test_incr_and_decr_add_and_return_the_sum(cache: BaseCache) -> None:
    cache.set("key", 41)
    assert cache.incr("key") == 42
    assert cache.incr("key", 10) == 52
    assert cache.decr("key") == 51
    assert cache.decr("key", 10) == 41
    assert cache.incr("key", -82) == -41
    assert cache.get("key") == -41
    assert type(cache.get("key")) is int


def test_incr_of_nothing_is_a_value_error(cache: BaseCache) -> None:
    cache.set("over", 1, timeout=-1)
    for change in (cache.incr, cache.decr):
        for key in ("key", "over"):
            with pytest.raises(ValueError, match="not found"):
                change(key)


def test_incr_of_what_is_no_number_leaves_it(cache: BaseCache) -> None:
    cache.set("key", "text")
    with pytest.raises(TypeError):
        cache.incr("key")
    assert cache.get("key") == "text"


def test_many_at_once(cache: BaseCache) -> None:
    assert cache.set_many({"a": 1, "b": b"2", "c": None}) == []
    assert cache.get_many(["a", "b", "c", "d"]) == {"a": 1, "b": b"2", "c": None}
    assert cache.get_many(iter(["a", "d"])) == {"a": 1}
    cache.delete_many(["a", "c", "d"])
    assert cache.get_many(["a", "b", "c", "d"]) == {"b": b"2"}
    assert cache.set_many({}) == []
    assert cache.get_many([]) == {}


def test_get_or_set_calls_what_can_be_called_and_only_on_a_miss(cache: BaseCache) -> None:
    calls: list[int] = []

    def value() -> str:
        calls.append(1)
        return "made"

    assert cache.get_or_set("key", value) == "made"
    assert cache.get_or_set("key", value) == "made"
    assert calls == [1]
    assert cache.get_or_set("plain", 5, timeout=None, version=2) == 5
    assert cache.get("plain", version=2) == 5


def test_clear_removes_everything(cache: BaseCache) -> None:
    cache.set_many({str(number): number for number in range(50)})
    cache.set("other", 1, version=9)
    cache.clear()
    assert cache.get_many([str(number) for number in range(50)]) == {}
    assert cache.get("other", version=9) is None
    cache.set("key", 1)
    assert cache.get("key") == 1


def test_close_closes_nothing_that_is_needed(cache: BaseCache) -> None:
    cache.set("key", 1)
    cache.close()
    assert cache.get("key") == 1


# ---------------------------------------------------------------------------------------- expiry


def test_no_timeout_is_for_ever(cache: BaseCache, make: Make) -> None:
    for stay in (cache, make(TIMEOUT=0)):
        stay.set("a", 1, timeout=None)
        assert stay.get("a") == 1
        stay.clear()
        assert stay.add("a", 1, None)
        assert stay.touch("a", None)
        stay.set_many({"b": 2}, None)
        assert stay.get_many(["a", "b"]) == {"a": 1, "b": 2}


def test_zero_and_less_are_over_at_once(cache: BaseCache) -> None:
    for timeout in (0, -1, -1000):
        cache.set("key", "old")
        cache.set("key", "new", timeout=timeout)
        assert cache.get("key") is None
        assert not cache.has_key("key")
        assert cache.get_many(["key"]) == {}
        cache.set_many({"key": 1}, timeout)
        assert "key" not in cache
        assert cache.add("key", 1, timeout)
        assert "key" not in cache
        cache.set("key", "old")
        assert cache.touch("key", timeout)
        assert cache.get("key") is None
        assert not cache.touch("key", 100)


def test_an_entry_lives_for_its_timeout(cache: BaseCache) -> None:
    cache.set("short", 1, 0.2)
    cache.set("long", 2, 1000)
    cache.set("shortened", 3, 1000)
    assert cache.touch("shortened", 0.2) is True
    cache.set("lengthened", 4, 100)
    assert cache.touch("lengthened", None) is True
    cache.set("replaced", 5, 0.2)
    cache.set("replaced", 6, None)
    time.sleep(0.25)
    assert cache.get_many(["short", "long", "shortened", "lengthened", "replaced"]) == {
        "long": 2, "lengthened": 4, "replaced": 6,
    }  # fmt: skip
    assert cache.touch("short") is False
    assert cache.add("short", 7) is True


def test_the_default_timeout_is_that_of_the_settings(make: Make) -> None:
    for over in (make(TIMEOUT=0), make(TIMEOUT=-5, path="b")):
        over.set("key", 1)
        assert over.get("key") is None
        over.set("key", 1, timeout=100)
        assert over.get("key") == 1
        over.touch("key")
        assert over.get("key") is None
    stay = make(TIMEOUT=None, path="c")
    stay.set("key", 1)
    assert stay.get("key") == 1


def test_times_far_away_are_taken(cache: BaseCache) -> None:
    for timeout in (60 * 60 * 24 * 30 + 1, 10**9):
        assert cache.add(str(timeout), "value", timeout)
        cache.set(str(timeout), "new", timeout)
        assert cache.get(str(timeout)) == "new"


# ----------------------------------------------------------------------------- keys and versions


def test_versions_are_apart(cache: BaseCache, make: Make) -> None:
    second = make(VERSION=2)
    cache.set("key", 1)
    cache.set("key", 2, version=2)
    assert (cache.get("key"), cache.get("key", version=1), cache.get("key", version=3)) == (1, 1, None)
    assert (second.get("key"), second.get("key", version=1)) == (2, 1)
    assert second.delete("key")
    assert cache.get("key") == 1
    assert cache.incr("key", version=1) == 2
    assert not cache.add("key", 9, version=1)
    assert cache.get_many(["key"], version=2) == {}
    assert cache.has_key("key", version=1)
    assert not cache.touch("key", version=2)
    cache.delete_many(["key"], version=1)
    assert cache.get("key") is None


def test_incr_version_moves_the_value(cache: BaseCache) -> None:
    cache.set("key", b"value", version=2)
    assert cache.incr_version("key", version=2) == 3
    assert (cache.get("key", version=2), cache.get("key", version=3)) == (None, b"value")
    assert cache.decr_version("key", version=3, delta=2) == 1
    assert cache.get("key") == b"value"
    for change in (cache.incr_version, cache.decr_version):
        with pytest.raises(ValueError, match="not found"):
            change("nothing")


def test_prefixes_are_apart(cache: BaseCache, make: Make) -> None:
    other = make(KEY_PREFIX="other")
    cache.set("key", 1)
    assert other.get("key") is None
    other.set("key", 2)
    assert (cache.get("key"), other.get("key")) == (1, 2)


def test_a_key_function_makes_the_keys(make: Make) -> None:
    cache = make(KEY_FUNCTION=lambda key, prefix, version: f"{prefix}/{version}/{key.lower()}")
    cache.set("A", 1)
    assert cache.get("a") == 1


def test_keys_of_every_kind_are_apart(cache: BaseCache) -> None:
    keys = ["a", "a/", "a/b", "/a", "a%2Fb", "a%b", "../a", ".", "..", "A", "ä", "a:1", "1", "x" * 200]
    cache.set_many({key: key for key in keys})
    assert cache.get_many(keys) == {key: key for key in keys}
    cache.delete("a")
    assert cache.get_many(keys) == {key: key for key in keys[1:]}


@pytest.mark.parametrize("key", ["with space", "with\ncontrol", "x" * 300])
def test_a_key_that_memcached_would_refuse_warns(cache: BaseCache, key: str) -> None:
    calls: list[Any] = [
        lambda: cache.set(key, 1), lambda: cache.get(key), lambda: cache.add(key, 1), lambda: cache.touch(key),
        lambda: cache.has_key(key), lambda: cache.incr(key), lambda: cache.get_many([key]), lambda: cache.delete(key),
        lambda: cache.set_many({key: 1}), lambda: cache.delete_many([key]),
    ]  # fmt: skip
    for call in calls:
        with pytest.warns(CacheKeyWarning):
            call()


# --------------------------------------------------------------------------------------- culling


def test_the_number_of_entries_is_bounded(make: Make) -> None:
    cache = make(options={"MAX_ENTRIES": 30})
    for number in range(100):
        cache.set(f"key{number}", number, 1000)
        assert cache.get(f"key{number}") == number
    assert 0 < sum(cache.has_key(f"key{number}") for number in range(100)) <= 30


# ------------------------------------------------------------------------- threads and coroutines


@pytest.fixture(params=["memory", "disk"])
def ours(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    return Make(request.param, tmp_path)


def in_threads(work: Any, count: int = 8) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_threads_that_count_together_miss_nothing(ours: Make) -> None:
    ours().set("key", 0)

    def count() -> None:
        cache = ours()
        for _ in range(50):
            cache.incr("key")

    in_threads(count)
    assert ours().get("key") == 400


def test_one_of_many_threads_adds(ours: Make) -> None:
    won: list[int] = []

    def add() -> None:
        cache = ours()
        won.extend(number for number in range(20) if cache.add(str(number), "value"))

    in_threads(add)
    assert sorted(won) == list(range(20))


def test_incr_keeps_the_time(ours: Make) -> None:
    cache = ours(TIMEOUT=-1)
    cache.set("key", 1, timeout=1000)
    assert cache.incr("key") == 2
    assert cache.get("key") == 2


def test_the_coroutines_do_the_same(cache: BaseCache) -> None:
    async def work() -> None:
        await cache.aset("key", 1)
        assert await cache.aget("key") == 1
        assert not await cache.aadd("key", 2)
        assert await cache.aincr("key", 2) == 3
        assert await cache.adecr("key") == 2
        assert await cache.atouch("key", 100)
        assert await cache.ahas_key("key")
        assert await cache.aget_or_set("new", lambda: 5) == 5
        assert await cache.aset_many({"a": 1}) == []
        assert await cache.aget_many(["a", "b"]) == {"a": 1}
        assert await cache.aincr_version("a") == 2
        await cache.adelete_many(["key"])
        assert not await cache.adelete("key")
        await cache.aclear()
        assert await cache.aget("new") is None
        await cache.aclose()

    asyncio.run(work())


def test_coroutines_that_count_together_miss_nothing(ours: Make) -> None:
    cache = ours()
    cache.set("key", 0)

    async def work() -> None:
        await asyncio.gather(*(cache.aincr("key") for _ in range(50)))

    asyncio.run(work())
    assert cache.get("key") == 50


# ------------------------------------------------------------------------------- our own promises


def test_bytes_are_shared_in_memory_and_not_copied(tmp_path: Path) -> None:
    cache = MemoryCache(str(tmp_path), {})
    value = bytes(1000)
    cache.set("key", value)
    assert cache.get("key") is value


def test_memory_of_one_name_is_shared_and_of_two_is_not(tmp_path: Path) -> None:
    MemoryCache(f"{tmp_path}/a", {}).set("key", 1)
    assert MemoryCache(f"{tmp_path}/a", {}).get("key") == 1
    assert MemoryCache(f"{tmp_path}/b", {}).get("key") is None


def test_the_byte_cap_holds_and_the_well_used_stays(ours: Make) -> None:
    cache = ours(options={"MAX_BYTES": 400_000})
    cache.set("used", b"value")
    for number in range(100):
        cache.get("used")
        cache.set(f"key{number}", bytes(20_000))
    left = sum(cache.has_key(f"key{number}") for number in range(100))
    assert 5 < left <= 20
    assert cache.get("used") == b"value" or ours.kind == "disk"  # the last use on disk is written once a minute
    cache.set("key99", bytes(500_000))
    assert cache.get("key99") is None


@pytest.mark.parametrize("backend", ["thumbs.cache.memory.MemoryCache", "thumbs.cache.disk.DiskCache"])
def test_a_site_names_it_in_its_settings(tmp_path: Path, backend: str) -> None:
    alias = {"BACKEND": backend, "LOCATION": str(tmp_path / "site"), "TIMEOUT": 60, "OPTIONS": {"MAX_BYTES": 1_000_000}}
    first, second = CacheHandler({"default": alias}), CacheHandler({"default": alias})
    first["default"].set("key", {"a": b"value"})
    assert second["default"].get("key") == {"a": b"value"}
    first.close_all()


@pytest.mark.parametrize("name", ["MAX_BYTES", "MAX_ITEMS", "MAX_ENTRIES"])
@pytest.mark.parametrize("value", [0, -1, "100", 1.5, True])
def test_an_option_that_is_no_number_is_refused(ours: Make, name: str, value: object) -> None:
    with pytest.raises(InvalidCacheBackendError, match=name):
        ours(options={name: value})


def test_a_directory_is_needed(tmp_path: Path) -> None:
    with pytest.raises(InvalidCacheBackendError, match="LOCATION"):
        DiskCache("", {})
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(ForeignDirectory):
        DiskCache(str(tmp_path), {}).set("key", 1)


# --------------------------------------------------------------------- nothing unsigned is unpickled


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[DiskCache]:
    TRAPPED.clear()
    yield DiskCache(tmp_path / "disk", {})
    assert TRAPPED == []
