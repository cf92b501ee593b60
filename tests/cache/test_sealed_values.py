"""`DiskCache` unpickles nothing that was not signed with a key of the site."""

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from tests.support.django_caches import MISSING, TRAPPED
from thumbs.cache.disk import DiskCache
from thumbs.cache.filestore.store import FileStore


class OfAnyClass:
    """Picklable, equal by content, and of a class that no cache handles specially."""

    def __init__(self, content: object) -> None:
        self.content = content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OfAnyClass) and other.content == self.content

    def __hash__(self) -> int:
        return hash(self.content)


class Trap:
    """Records that it was unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return TRAPPED.append, ("unpickled",)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[DiskCache]:
    TRAPPED.clear()
    yield DiskCache(tmp_path / "disk", {})
    assert TRAPPED == []


def forge(cache: DiskCache, key: str, payload: bytes) -> None:
    cache._store.set(cache._name(key, None), payload, expires=None)


def stored(cache: DiskCache, key: str) -> bytes:
    found = cache._store.get(cache._name(key, None))
    assert found is not None
    return bytes(found.payload)


@pytest.mark.parametrize("payload", [
    b"", b"p", b"p" + bytes(31), b"p" + bytes(32), b"p" + bytes(32) + pickle.dumps(Trap()), pickle.dumps(Trap()),
    b"x" + pickle.dumps(Trap()),
], ids=len)  # fmt: skip
def test_a_forged_value_is_a_miss_for_every_call_and_does_not_stay(disk: DiskCache, payload: bytes) -> None:
    calls: list[Any] = [
        lambda: disk.get("key", MISSING) is MISSING, lambda: not disk.has_key("key"), lambda: disk.add("key", 1),
        lambda: not disk.touch("key"), lambda: disk.get_many(["key"]) == {}, lambda: disk.get_or_set("key", 5) == 5,
    ]  # fmt: skip
    for call in calls:
        forge(disk, "key", payload)
        assert call()
    forge(disk, "key", payload)
    with pytest.raises(ValueError, match="not found"):
        disk.incr("key")
    disk.get("key")
    assert not disk.delete("key")


def test_any_changed_byte_of_a_signed_value_is_a_miss(disk: DiskCache) -> None:
    disk.set("key", {"a": 1})
    good = stored(disk, "key")
    for at in range(1, len(good)):
        forge(disk, "key", bytes([*good[:at], good[at] ^ 1, *good[at + 1 :]]))
        assert disk.get("key", MISSING) is MISSING
    forge(disk, "key", good)
    assert disk.get("key") == {"a": 1}


def test_a_signed_value_is_good_for_its_own_key_and_version_only(disk: DiskCache) -> None:
    disk.set("admin", [True])
    forge(disk, "guest", stored(disk, "admin"))
    assert disk.get("guest") is None
    disk._store.set(disk._name("admin", 2), stored(disk, "admin"), expires=None)
    assert disk.get("admin", version=2) is None


def test_a_secret_that_was_rotated_verifies_until_it_is_dropped(disk: DiskCache) -> None:
    with override_settings(SECRET_KEY="old"):
        disk.set("key", [1])
        disk.set("number", 1)
    with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["older", "old"]):
        assert disk.get("key") == [1]
        assert disk.incr("number") == 2
    with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=[]):
        assert disk.get("number") == 2
        assert disk.get("key") is None


def test_bytes_lie_on_disk_as_they_are(disk: DiskCache) -> None:
    disk.set("key", b"picture" * 10)
    assert stored(disk, "key").endswith(b"picture" * 10)
    assert len(stored(disk, "key")) == 71


def test_a_class_that_is_not_there_any_more_is_not_hidden(disk: DiskCache) -> None:
    # As in Django: the site handles an error in unpickling an entry that is signed.
    disk.set("key", OfAnyClass(1))
    original = globals().pop("OfAnyClass")
    try:
        with pytest.raises(AttributeError):
            disk.get("key")
    finally:
        globals()["OfAnyClass"] = original


def test_the_store_beneath_is_the_same_for_all_processes(tmp_path: Path) -> None:
    DiskCache(tmp_path / "disk", {}).set("key", b"value")
    assert FileStore(tmp_path / "disk", max_bytes=None).usage().entries == 1
