"""Hot files: a hit from an open file is what opening its path again would give, and few files stay open."""

import os
import resource
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.hot_entries import Hot, Kept, heat, is_hot, keep, open_entries, whole
from tests.support.strategies import examples
from thumbs.cache.filestore import hot_files, trust
from thumbs.cache.filestore.hot_files import LARGEST_PAYLOAD, HotFiles, most_files
from thumbs.cache.filestore.store import FileStore
from thumbs.cache.filestore.trust import Untrusted

KEY = "group/name"


@pytest.fixture(params=[0, 8 << 20], ids=["read at each hit", "in memory"])
def hot(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hot:
    """Bodies are read at each hit, or stay in memory: both give the same."""
    monkeypatch.setattr(hot_files, "_MOST_BODY_BYTES", request.param)
    return Hot(tmp_path / "cache")


def closed(hot: Hot) -> bool:
    return len(hot.files) == 0 and open_entries(hot.directory) == []


# ------------------------------------------------------------------------------------- the answer


@pytest.mark.parametrize("payload", [b"head", b"head and a body", b"head" + os.urandom(LARGEST_PAYLOAD - 4)], ids=len)
def test_a_hit_from_an_open_file_is_that_of_a_closed_one(hot: Hot, payload: bytes) -> None:
    hot.put(KEY, payload, expires=hot.clock.now + 100)
    cold, found = hot.other.get(KEY), hot.get(KEY)
    assert cold is not None
    assert found is not None
    assert whole(found) == cold.payload == payload
    assert (found.created, found.expires) == (cold.created, cold.expires)
    assert found.whole == Kept(KEY, b"head", payload[4:])


def test_a_file_stays_open_from_the_second_read_on_if_it_has_not_just_changed(hot: Hot) -> None:
    hot.other.set(KEY, b"payload", expires=None)
    hot.clock.now -= 1000  # as if it had been written within the last seconds
    for _ in range(3):
        assert not is_hot(hot.get(KEY))
    assert closed(hot)
    hot.clock.now += 1000
    hot.other.set(KEY, b"payload", expires=None)
    assert [is_hot(hot.get(KEY)) for _ in range(4)] == [False, False, True, True]


def test_only_a_read_that_keeps_a_head_keeps_a_file_open(hot: Hot) -> None:
    hot.other.set(KEY, b"payload", expires=None)
    plain = FileStore(hot.directory, max_bytes=None, clock=hot.clock)
    for _ in range(3):
        assert hot.store.get_now(KEY) == hot.store.get(KEY) == plain.get_now(KEY, keep)
    assert closed(hot)


def test_a_payload_without_a_valid_head_is_never_hot(hot: Hot) -> None:
    hot.other.set(KEY, b"\0invalid", expires=None)
    for _ in range(4):
        assert whole(hot.get(KEY)) == b"\0invalid"
    assert closed(hot)


def test_a_large_file_is_never_hot(hot: Hot) -> None:
    """It would hold its disk for as long as it is open."""
    hot.other.set(KEY, bytes([1]) * (LARGEST_PAYLOAD + 1), expires=None)
    for _ in range(4):
        assert not is_hot(hot.get(KEY))
    assert closed(hot)


def test_the_same_key_in_two_directories_is_two_entries(hot: Hot, tmp_path: Path) -> None:
    second = FileStore(tmp_path / "second", max_bytes=None, clock=hot.clock, hot_files=hot.files)
    hot.put(KEY, b"of the first")
    second.set(KEY, b"of the second", expires=None)
    heat(second, KEY)
    assert (whole(hot.get(KEY)), whole(second.get_now(KEY, keep))) == (b"of the first", b"of the second")
    assert len(hot.files) == 2


# --------------------------------------------------- what another process removes, stores or replaces


def _replace_directory(hot: Hot) -> None:
    hot.directory.rename(hot.directory.parent / "old")
    hot.directory.mkdir(mode=0o700)


def _rename_shard(hot: Hot) -> None:
    (path,) = hot.directory.rglob("*.entry")
    path.parent.parent.rename(hot.directory / "renamed")


def _rename_group(hot: Hot) -> None:
    """As a purge does first. It may be killed before it removes the files."""
    (path,) = hot.directory.rglob("*.entry")
    path.parent.rename(path.parent.parent / "0123456789abcdef.tmp")


@pytest.mark.parametrize(
    "act",
    [
        lambda hot: hot.other.delete(KEY),
        lambda hot: hot.other.delete_group("group"),
        lambda hot: hot.other.clear(),
        lambda hot: hot.other.touch(KEY, hot.clock.now - 1),
        lambda hot: shutil.rmtree(hot.directory),
        _replace_directory,
        _rename_shard,
        _rename_group,
    ],
    ids=["delete", "purge", "clear", "expire", "delete directory", "replace directory", "rename shard", "rename group"],
)
def test_an_entry_that_another_process_takes_away_is_a_miss_at_once(hot: Hot, act: Callable[[Hot], object]) -> None:
    hot.put(KEY, b"payload")
    act(hot)
    assert hot.get(KEY) is None
    assert closed(hot)


def test_an_entry_that_another_process_stores_is_found_at_once(hot: Hot) -> None:
    hot.put(KEY, b"the first")
    for payload in (b"the other", b"another length"):
        hot.other.set(KEY, payload, expires=None)
        assert whole(hot.get(KEY)) == payload
        heat(hot.store, KEY)
        assert is_hot(hot.get(KEY))
        assert whole(hot.get(KEY)) == payload
        assert len(open_entries(hot.directory)) == len(hot.files) == 1


def test_a_directory_that_is_put_back_is_read_again(hot: Hot) -> None:
    hot.put(KEY, b"payload")
    away = hot.directory.rename(hot.directory.parent / "away")
    assert hot.get(KEY) is None
    away.rename(hot.directory)
    assert whole(hot.get(KEY)) == b"payload"


def test_an_entry_that_is_evicted_is_a_miss_and_one_in_use_is_not_evicted(tmp_path: Path) -> None:
    hot = Hot(tmp_path / "cache", max_bytes=2_000_000)
    hot.put("used/name", b"used" * 1000)
    unused = hot.put("unused/name", b"unused" * 1000)
    for number in range(200):
        hot.clock.now += 61
        assert whole(hot.get("used/name")) == b"used" * 1000
        hot.store.mark_used()
        hot.other.set(f"g{number}/name", b"x" * 50_000, expires=None)
    assert not unused.exists()
    assert hot.get("unused/name") is None
    assert hot.other.usage().bytes <= 2_000_000


# ---------------------------------------------------------------------------------------- time


@pytest.mark.parametrize(("seconds", "is_there"), [(99, True), (101, False), (-59, True), (-61, False)])
def test_an_entry_is_fresh_as_long_as_that_of_a_closed_file(hot: Hot, seconds: float, *, is_there: bool) -> None:
    """It expires, and where the clock was set back it dates from a wrong clock."""
    hot.put(KEY, b"payload", expires=hot.clock.now + 100)
    hot.clock.now += seconds
    assert (hot.get(KEY) is not None) is is_there
    assert (hot.other.get(KEY) is not None) is is_there


def test_the_expiry_that_another_process_sets_counts(hot: Hot) -> None:
    hot.put(KEY, b"payload", expires=hot.clock.now + 100)
    assert hot.other.touch(KEY, hot.clock.now + 1000)
    hot.clock.now += 500
    assert whole(hot.get(KEY)) == b"payload"


# ----------------------------------------------------------------------- files that are not ours


def _rewrite(path: Path) -> None:
    """Other bytes in place, of the same length, and the old times."""
    status = path.stat()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    with path.open("r+b") as file:
        file.write(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _truncate(path: Path) -> None:
    status = path.stat()
    os.truncate(path, status.st_size - 1)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def _let_others_write(path: Path) -> None:
    path.chmod(0o666)


def _link(path: Path) -> None:
    outside = path.parent.parent.parent.parent / "outside"
    path.rename(outside)
    path.symlink_to(outside)


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _other(path: Path) -> None:
    """The file of another key, moved here."""
    other = FileStore(path.parent.parent.parent, max_bytes=None)
    other.set("another/name", b"of another key", expires=None)
    (moved,) = [each for each in path.parent.parent.parent.rglob("*.entry") if each != path]
    moved.replace(path)


@pytest.mark.parametrize("act", [_rewrite, _truncate, _append, _let_others_write, _link, _fifo, _other])
def test_a_file_that_is_tampered_with_is_a_miss_and_is_removed(hot: Hot, act: Callable[[Path], object]) -> None:
    path = hot.put(KEY, b"payload")
    act(path)
    with pytest.raises(BlockingIOError):
        hot.get(KEY)
    assert closed(hot)
    assert hot.store.get(KEY) is None
    assert not os.path.lexists(path)


def test_a_file_that_is_given_to_another_user_is_a_miss(hot: Hot) -> None:
    path = hot.put(KEY, b"payload")
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(path, 65534, 65534)
    with pytest.raises(BlockingIOError):
        hot.get(KEY)


def test_a_directory_that_other_users_may_write_is_refused(hot: Hot, monkeypatch: pytest.MonkeyPatch) -> None:
    hot.put(KEY, b"payload")
    monkeypatch.setattr(trust, "_CHECK_SECONDS", 0.0)
    hot.store._reader._directory._check_at = 0.0
    hot.directory.chmod(0o777)
    with pytest.raises(Untrusted):
        hot.get(KEY)
    hot.directory.chmod(0o700)
    assert whole(hot.get(KEY)) == b"payload"


def test_a_file_that_the_page_cache_has_lost_is_read_by_get(hot: Hot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hot_files, "_MOST_BODY_BYTES", 0)
    payload = b"head" + os.urandom(199_996)
    path = hot.put(KEY, payload)
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    with pytest.raises(BlockingIOError):
        hot.get(KEY)
    found = hot.store.get(KEY)
    assert found is not None
    assert found.payload == payload
    assert whole(hot.get(KEY)) == payload


# --------------------------------------------------------------------------------- uses and hits


def test_a_use_of_a_hot_file_is_written_to_it(hot: Hot) -> None:
    path = hot.put(KEY, b"payload", expires=hot.clock.now + 10_000)
    expires = path.stat().st_mtime
    hot.clock.now += 3600
    assert is_hot(hot.get(KEY))
    assert path.stat().st_atime < hot.clock.now - 3000
    hot.store.mark_used()
    assert path.stat().st_atime == pytest.approx(hot.clock.now)
    assert path.stat().st_mtime == expires
    assert whole(hot.get(KEY)) == b"payload"


def test_an_overdue_use_of_a_hot_file_is_left_to_get(hot: Hot) -> None:
    path = hot.put(KEY, b"payload")
    hot.clock.now += 3600
    assert is_hot(hot.get(KEY))
    hot.clock.now += 5
    with pytest.raises(BlockingIOError):
        hot.get(KEY)
    assert hot.store.get(KEY) is not None
    assert path.stat().st_atime == pytest.approx(hot.clock.now)


def test_hits_of_hot_files_are_counted(hot: Hot) -> None:
    hot.put(KEY, b"payload")
    before = hot.store._counter.hits
    for _ in range(5):
        assert is_hot(hot.get(KEY))
    assert hot.store._counter.hits == before + 5


# ------------------------------------------------------------------------- few files, and not long


def test_a_removed_file_is_closed_by_the_next_sweep_without_a_request(hot: Hot) -> None:
    """Else it would take disk that the cap does not count."""
    hot.put("a/name", b"payload")
    hot.put("b/name", b"payload")
    hot.other.delete_group("a")
    assert len(open_entries(hot.directory)) == 2
    assert hot.files.sweep()
    assert len(open_entries(hot.directory)) == len(hot.files) == 1
    assert is_hot(hot.get("b/name"))


def test_a_file_that_cannot_be_asked_is_closed_and_ends_no_sweep(hot: Hot, monkeypatch: pytest.MonkeyPatch) -> None:
    hot.put("a/name", b"payload")
    with monkeypatch.context() as broken:
        broken.setattr(os, "fstat", lambda _: (_ for _ in ()).throw(OSError(116, "Stale file handle")))
        assert not hot.files.sweep()
    assert closed(hot)


def test_a_file_that_is_not_used_any_more_is_closed(hot: Hot) -> None:
    hot.put("a/name", b"payload")
    hot.put("b/name", b"payload")
    for _ in range(10):
        assert is_hot(hot.get("a/name"))
        assert hot.files.sweep()
    assert len(hot.files) == 1
    assert not is_hot(hot.get("b/name"))
    assert is_hot(hot.get("a/name"))


def test_the_thread_that_sweeps_ends_with_the_last_file_and_starts_again(
    hot: Hot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hot_files, "_SWEEP_SECONDS", 0.01)
    monkeypatch.setattr(hot_files, "_IDLE_SWEEPS", 10**9)  # it is closed because it was removed, not because it is idle
    for _ in range(2):
        hot.put(KEY, b"payload")
        sweeping = [thread for thread in threading.enumerate() if thread.name == "mage-hot-files"]
        assert sweeping
        hot.other.delete(KEY)
        for thread in sweeping:
            thread.join(60)
            assert not thread.is_alive()
        assert closed(hot)


def test_no_file_stays_open_where_no_thread_can_be_started(hot: Hot, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    hot.other.set(KEY, b"payload", expires=None)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        for _ in range(4):
            assert whole(hot.get(KEY)) == b"payload"
        assert closed(hot)
    hot.get(KEY)
    assert is_hot(hot.get(KEY))


def test_files_of_all_stores_of_a_process_have_one_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hot_files, "_MOST_FILES", 8)
    hot = Hot(tmp_path / "cache")
    second = FileStore(tmp_path / "second", max_bytes=None, clock=hot.clock, hot_files=hot.files)
    for store in (hot.store, second):
        for number in range(100):
            store.set(f"g{number}/name", b"payload", expires=None)
            for _ in range(4):
                assert whole(store.get_now(f"g{number}/name", keep)) == b"payload"
            assert len(open_entries(tmp_path)) == len(hot.files) <= 8
    assert len(hot.files) == 8


def test_what_is_read_in_turn_does_not_push_everything_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hot_files, "_MOST_FILES", 50)
    hot = Hot(tmp_path / "cache")
    keys = [f"g{number}/name" for number in range(100)]
    for key in keys:
        hot.other.set(key, b"payload", expires=None)
        heat(hot.store, key)
    assert sum(is_hot(hot.get(key)) for _ in range(5) for key in keys) > 5 * 40


def test_what_is_read_often_takes_the_place_of_what_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hot_files, "_MOST_FILES", 4)
    hot = Hot(tmp_path / "cache")
    for number in range(4):
        hot.put(f"old{number}/name", b"payload")
    hot.files.sweep()
    hot.other.set(KEY, b"payload", expires=None)
    assert any(is_hot(hot.get(KEY)) for _ in range(40))


@pytest.mark.parametrize(
    ("limit", "expected"), [(64, 4), (1024, 64), (4096, 256), (1 << 20, 256), (resource.RLIM_INFINITY, 256)]
)
def test_a_process_that_may_open_few_files_keeps_few_open(
    monkeypatch: pytest.MonkeyPatch, limit: int, expected: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    assert most_files() == expected


def test_files_over_a_new_limit_are_closed(hot: Hot, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(10):
        hot.put(f"g{number}/name", b"payload")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, 64))
    hot.files.sweep()
    assert len(open_entries(hot.directory)) == len(hot.files) == 4


def test_a_file_that_a_thread_reads_is_closed_after_that(hot: Hot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its number could be that of another file by then, whose bytes would be the answer."""
    monkeypatch.setattr(hot_files, "_MOST_BODY_BYTES", 0)
    hot.put(KEY, b"payload")
    real = os.preadv

    def preadv(fd: int, *arguments: object) -> int:
        hot.other.delete(KEY)
        hot.files.sweep()
        assert len(hot.files) == 0
        new = os.open("/dev/zero", os.O_RDONLY)
        try:
            assert new != fd
            return real(fd, *arguments)  # type: ignore[arg-type]
        finally:
            os.close(new)

    monkeypatch.setattr(os, "preadv", preadv)
    assert whole(hot.get(KEY)) == b"payload"
    monkeypatch.undo()
    assert closed(hot)


def test_threads_that_read_and_remove_at_once_get_only_whole_payloads(hot: Hot) -> None:
    keys = [f"g{number}/name" for number in range(6)]
    payloads = {key: bytes([65 + number]) * 3000 for number, key in enumerate(keys)}
    wrong: list[object] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            for key in keys:
                try:
                    found = whole(hot.get(key))
                except BlockingIOError:
                    continue
                if found not in (None, payloads[key]):
                    wrong.append(found)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for turn in range(examples(300)):
        key = keys[turn % 6]
        hot.other.set(key, payloads[key], expires=None)
        hot.files.sweep()
        if turn % 3 == 0:
            hot.other.delete(key)
    stop.set()
    for reader in readers:
        reader.join(60)
    assert wrong == []


def test_the_files_of_a_store_that_is_gone_are_closed(tmp_path: Path) -> None:
    hot = Hot(tmp_path / "cache")
    hot.put(KEY, b"payload")
    hot.files = hot.store._reader._hot_files = HotFiles()
    del hot
    assert open_entries(tmp_path) == []


def test_what_a_forked_child_does_first_leaves_it_without_hot_files(hot: Hot) -> None:
    hot.put(KEY, b"payload")
    hot.files._start_empty()
    assert closed(hot)
    assert not is_hot(hot.get(KEY))
    assert [whole(hot.get(KEY)), is_hot(hot.get(KEY))] == [b"payload", True]
