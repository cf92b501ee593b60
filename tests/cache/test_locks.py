"""Key locks and leases: one of all threads, processes and machines makes an entry; one that has ended blocks none."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.cache import caches
from django.test import override_settings

from tests.support.private_files import private_file
from thumbs.cache.adapters import AliasLayer, DiskLayer, MemoryLayer
from thumbs.cache.entry import Entry
from thumbs.cache.filestore.store import FileStore
from thumbs.cache.layer import Layer
from thumbs.cache.layers import Layers
from thumbs.cache.locks import KeyLock, KeyLocks
from thumbs.cache.sieve import Sieve

KEY = "group/name"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "locks"


def entry(*, fresh: float = 300.0) -> Entry:
    return Entry(b"picture", "image/webp", '"tag"', "v1", 1_600_000_000, time.time(), time.time() + fresh)


def test_a_key_is_locked_until_its_lock_is_released(file: Path) -> None:
    one, other = KeyLocks(private_file(file)), KeyLocks(private_file(file))
    lock = one.try_lock(KEY)
    assert lock is not None
    assert one.try_lock(KEY) is None
    assert other.try_lock(KEY) is None
    assert other.try_lock("group/another") is not None
    lock.release()
    lock.release()
    assert other.try_lock(KEY) is not None


def test_releasing_one_key_releases_no_other(file: Path) -> None:
    """As a lock of a process would, when any descriptor of its file is closed."""
    locks = KeyLocks(private_file(file))
    kept, released = locks.try_lock("a/a"), locks.try_lock("b/b")
    assert kept is not None
    assert released is not None
    released.release()
    assert locks.try_lock("a/a") is None


def test_where_nothing_can_be_locked_every_process_gets_a_lock(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    locks = KeyLocks(private_file(tmp_path / "plain" / "locks"))
    assert locks.try_lock(KEY) is not None
    assert locks.try_lock(KEY) is not None


def test_the_directory_of_the_locks_is_made_when_it_is_missing(tmp_path: Path) -> None:
    locks = KeyLocks(private_file(tmp_path / "run" / "locks"))
    lock = locks.try_lock(KEY)
    assert lock is not None
    assert locks.try_lock(KEY) is None


# ------------------------------------------------------------------------------------------ layers


def on_disk(directory: Path) -> Layers:
    """What one process has of a cache that all of the machine share."""
    return Layers(
        [DiskLayer(FileStore(directory / "cache", max_bytes=None))], locks=KeyLocks(private_file(directory / "locks"))
    )


def test_an_entry_that_was_made_meanwhile_is_found_with_or_without_the_lock(tmp_path: Path) -> None:
    here, there = on_disk(tmp_path), on_disk(tmp_path)
    first = here.lock_or_get(KEY)
    assert (first.lock is not None, first.found, first.expired) == (True, None, None)
    assert there.lock_or_get(KEY) == (None, None, None)
    here.put(KEY, entry())
    second = there.lock_or_get(KEY)
    assert second.lock is None
    assert second.found is not None
    assert second.found.entry.body == b"picture"
    assert first.lock is not None
    first.lock.release()
    third = there.lock_or_get(KEY)
    assert third.found is not None
    assert KeyLocks(private_file(tmp_path / "locks")).try_lock(KEY) is not None  # an entry that is there needs no lock


def test_the_lock_comes_with_the_entry_that_has_expired(tmp_path: Path) -> None:
    layers = on_disk(tmp_path)
    layers.put(KEY, entry(fresh=0.05))
    time.sleep(0.1)
    result = layers.lock_or_get(KEY)
    assert result.found is None
    assert result.expired is not None
    assert result.expired.version == "v1"
    layers.purge("group")
    assert layers.lock_or_get(KEY).expired is None


def test_what_only_one_process_has_is_no_reason_to_wait_for_another(tmp_path: Path) -> None:
    assert not Layers([MemoryLayer(Sieve(max_bytes=1000, max_items=10))]).shared
    assert not Layers().shared
    assert on_disk(tmp_path).shared


def leasing(open_cache: Callable[[], object]) -> Layers:
    shared: Layer = AliasLayer(open_cache, "photos", 300)  # type: ignore[arg-type]
    return Layers([shared])


def test_one_of_all_machines_has_the_lease_of_a_key() -> None:
    locmem = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "leases"}
    with override_settings(CACHES={"default": locmem}):
        here, there = leasing(lambda: caches["default"]), leasing(lambda: caches["default"])
        first = here.lock_or_get(KEY)
        assert first.lock is not None
        assert there.lock_or_get(KEY).lock is None
        assert there.lock_or_get("group/another").lock is not None
        first.lock.release()
        assert there.lock_or_get(KEY).lock is not None


def test_a_cache_that_takes_nothing_and_has_nothing_gives_a_lease_to_every_process() -> None:
    """As Django's clients do when memcached is down: they return False, and raise nothing."""
    with override_settings(CACHES={"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}):
        layers = leasing(lambda: caches["default"])
        assert layers.lock_or_get(KEY).lock is not None
        assert layers.lock_or_get(KEY).lock is not None


def test_a_cache_that_raises_gives_a_lease_to_every_process() -> None:
    def broken() -> object:
        raise ConnectionError

    layers = leasing(broken)
    assert layers.lock_or_get(KEY).lock is not None
    assert layers.lock_or_get(KEY).lock is not None


def test_a_lock_without_callbacks_can_be_released() -> None:
    KeyLock().release()


def test_a_directory_that_another_user_may_write_is_logged_once_and_locks_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    run.chmod(0o777)
    locks = KeyLocks(private_file(run / "locks"))
    with caplog.at_level(logging.WARNING, "thumbs.cache"):
        for _ in range(3):
            assert locks.try_lock(KEY) is not None
        (message,) = caplog.messages
        assert message.startswith(f"thumbnails may be made more than once: {run} ")
        assert f"chmod go-w {run}" in message
        run.chmod(0o700)
        lock = locks.try_lock(KEY)
        assert lock is not None
        assert locks.try_lock(KEY) is None
    assert len(caplog.messages) == 1
