"""The trust rule: what another user owns or may write to is not used, whatever its name."""

import contextlib
import fcntl
import os
import shutil
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.planted import OTHER, SERVICE
from tests.support.private_files import private_file
from tests.support.trusted import opened, put
from tests.support.waiting import WAIT_SECONDS, eventually
from thumbs.cache.filestore import flock
from thumbs.cache.filestore.inspect import inspect_cache
from thumbs.cache.filestore.stats import Stats
from thumbs.cache.filestore.store import FileStore, ForeignDirectory
from thumbs.cache.filestore.trust import PrivateDirectory, PrivateFile, Untrusted
from thumbs.cache.purge.journal import PurgeJournal

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory that every user may reach."""
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(parent.stat().st_mode | 0o711)
    made = tmp_path / "private"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture
def store(tmp_path: Path, directory: Path) -> FileStore:
    store = FileStore(directory / "cache", max_bytes=None)
    assert store.set("group/name", b"data", expires=None)
    return store


# ---------------------------------------------------------------------------------- directories


@pytest.mark.parametrize("mode", [0o700, 0o750, 0o755, 0o2750, 0o1700])
def test_a_directory_that_no_other_user_may_write_is_used(directory: Path, mode: int) -> None:
    directory.chmod(mode)
    opened(PrivateDirectory(directory))


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777, 0o2777, 0o2775, 0o702])
def test_a_directory_that_another_user_may_write_is_refused_with_what_to_do(directory: Path, mode: int) -> None:
    directory.chmod(mode)
    with pytest.raises(Untrusted, match=f"{directory} is owned by user {os.geteuid()} with mode {mode:04o}") as refused:
        opened(PrivateDirectory(directory))
    assert f"chmod go-w {directory}" in refused.value.remedy
    assert "chown" not in refused.value.remedy


@as_root
def test_root_uses_a_directory_of_its_own_only_where_root_made_it(directory: Path) -> None:
    opened(PrivateDirectory(directory, own=True))
    os.chown(directory, OTHER, OTHER)
    with pytest.raises(Untrusted, match=f"owned by user {OTHER} with mode 0700") as refused:
        opened(PrivateDirectory(directory, own=True))
    assert f"chown 0 {directory}" in refused.value.remedy


def test_a_link_to_a_directory_is_followed_but_where_any_user_may_make_one(directory: Path, tmp_path: Path) -> None:
    link, further = tmp_path / "link", tmp_path / "further"
    link.symlink_to(directory.name)
    further.symlink_to(link)
    opened(PrivateDirectory(further))
    with pytest.raises(Untrusted, match="is a symbolic link"):
        opened(PrivateDirectory(link, own=True))
    directory.chmod(0o777)
    with pytest.raises(Untrusted, match="mode 0777"):
        opened(PrivateDirectory(further))


@as_root
def test_a_link_of_another_user_is_not_followed(directory: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(directory)
    os.chown(link, OTHER, OTHER, follow_symlinks=False)
    with pytest.raises(Untrusted, match=f"symbolic link of user {OTHER}"):
        put(PrivateFile(PrivateDirectory(link), "file"))
    assert list(directory.iterdir()) == []


def test_links_in_a_circle_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(Untrusted):
        opened(PrivateDirectory(tmp_path / "a"))


@contextlib.contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def test_what_is_made_is_private_whatever_the_umask_is(tmp_path: Path) -> None:
    with umask(0):
        put(private_file(tmp_path / "a" / "b" / "file"))
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "a/b", "a/b/file")]
    assert modes == [0o755, 0o700, 0o600]


def test_a_directory_in_a_sticky_one_for_all_is_used(directory: Path) -> None:
    """As in /tmp, and in the emptyDir of a pod."""
    directory.chmod(0o3777)
    put(private_file(directory / "mage" / "file"))
    assert stat.S_IMODE((directory / "mage").stat().st_mode) & 0o777 == 0o700


def test_reading_learns_within_a_second_that_a_directory_is_not_private_any_more(directory: Path) -> None:
    seen = PrivateDirectory(directory)
    assert seen.owners() == {0, os.geteuid()}
    directory.chmod(0o777)

    def refused() -> bool:
        with contextlib.suppress(Untrusted):
            seen.owners()
            return False
        return True

    eventually(refused)


# ---------------------------------------------------------------------------------------- files


@pytest.mark.parametrize("kind", ["fifo", "link", "hard link", "directory", "socket"])
def test_what_is_no_file_of_its_own_is_refused_and_not_waited_for(directory: Path, kind: str) -> None:
    path, outside = directory / "file", directory.parent / "outside"
    outside.write_bytes(b"precious")
    bound = socket.socket(socket.AF_UNIX)
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "link":
            path.symlink_to(outside)
        case "hard link":
            path.hardlink_to(outside)
        case "directory":
            path.mkdir()
        case "socket":
            bound.bind(str(path))
    with bound:
        for flags in (os.O_RDONLY, os.O_RDWR | os.O_CREAT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC):
            with pytest.raises((Untrusted, IsADirectoryError)):
                private_file(path).open(flags)
    assert outside.stat().st_uid == os.geteuid()


@pytest.mark.parametrize("mode", [0o660, 0o606, 0o666])
def test_a_file_that_another_user_may_write_is_refused(directory: Path, mode: int) -> None:
    (directory / "file").touch()
    (directory / "file").chmod(mode)
    with pytest.raises(Untrusted, match=f"file is owned by user {os.geteuid()} with mode {mode:04o}"):
        put(private_file(directory / "file"))


@as_root
def test_a_file_of_roots_elsewhere_is_not_given_away_by_a_hard_link(directory: Path) -> None:
    secret = directory.parent / "shadow"
    secret.write_bytes(b"secret")
    secret.chmod(0o600)
    os.chown(directory, OTHER, OTHER)
    (directory / "file").hardlink_to(secret)
    with pytest.raises(Untrusted):
        put(private_file(directory / "file"))
    assert secret.stat().st_uid == 0


# ---------------------------------------------------------------------------------- disk caches


def calls_on(store: FileStore) -> dict[str, Callable[[], object]]:
    return {
        "get": lambda: store.get("group/name"),
        "get_now": lambda: store.get_now("group/name"),
        "set": lambda: store.set("group/name", b"new", expires=None),
        "add": lambda: store.add("group/other", b"new", expires=None),
        "touch": lambda: store.touch("group/name", None),
        "delete": lambda: store.delete("group/name"),
        "delete_group": lambda: store.delete_group("group"),
        "count_group": lambda: store.count_group("group"),
        "clear": store.clear,
        "usage": store.usage,
        "sweep": store.sweep,
        "prepare": store.prepare,
        "inspect": store.inspect,
        "lock": lambda: store.try_lock_janitor().__enter__(),
    }


def test_every_use_of_a_cache_directory_requires_that_it_is_private(store: FileStore, directory: Path) -> None:
    cache = directory / "cache"
    cache.chmod(0o777)
    before = sorted((path, path.lstat().st_mtime_ns) for path in cache.rglob("*"))
    refused = []
    for name, call in calls_on(FileStore(cache, max_bytes=None)).items():
        with contextlib.suppress(Untrusted):
            call()
            refused.append(name)
    assert refused == []
    assert sorted((path, path.lstat().st_mtime_ns) for path in cache.rglob("*")) == before
    cache.chmod(0o700)
    found = FileStore(cache, max_bytes=None).get("group/name")
    assert found is not None
    assert found.payload == b"data"


@as_root
def test_an_entry_that_another_user_put_there_is_a_miss_and_is_removed(store: FileStore, directory: Path) -> None:
    [entry] = (directory / "cache").rglob("*.entry")
    os.chown(entry, OTHER, OTHER)
    assert store.get("group/name") is None
    assert not entry.exists()


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_an_entry_that_another_user_may_write_is_a_miss_and_is_removed(
    store: FileStore, directory: Path, mode: int
) -> None:
    [entry] = (directory / "cache").rglob("*.entry")
    entry.chmod(mode)
    assert store.get("group/name") is None
    assert not entry.exists()


@as_root
@pytest.mark.parametrize("name", ["mage-account", "mage-janitor", "CACHEDIR.TAG", "shard"])
def test_whatever_of_a_cache_another_user_owns_is_found_by_the_check(
    store: FileStore, directory: Path, name: str
) -> None:
    with store.try_lock_janitor():
        pass
    [shard] = (directory / "cache").glob("??")
    planted = shard if name == "shard" else directory / "cache" / name
    store.inspect()
    os.chown(planted, OTHER, OTHER)
    with pytest.raises(Untrusted, match=f"{planted} is owned by user {OTHER}"):
        store.inspect()


@as_root
@pytest.mark.parametrize("name", ["mage-account", "shard"])
def test_what_another_user_planted_in_a_cache_is_not_written(store: FileStore, directory: Path, name: str) -> None:
    [shard] = (directory / "cache").glob("??")
    os.chown(shard if name == "shard" else directory / "cache" / name, OTHER, OTHER)
    with pytest.raises(Untrusted):
        store.set("group/name", b"new", expires=None)


@pytest.mark.parametrize("name", ["mage-account", "mage-janitor", "CACHEDIR.TAG", "mage-purges"])
def test_a_fifo_in_a_cache_holds_no_one_up(directory: Path, name: str) -> None:
    cache = directory / "cache"
    cache.mkdir()
    os.mkfifo(cache / name)
    for call in calls_on(FileStore(cache, max_bytes=None)).values():
        with contextlib.suppress(OSError, ValueError):
            call()
    assert stat.S_ISFIFO((cache / name).stat().st_mode)


@as_root
def test_root_writes_through_no_link_that_the_user_of_a_cache_made(store: FileStore, directory: Path) -> None:
    cache, outside = directory / "cache", directory / "outside"
    for path in (cache, *cache.rglob("*")):
        os.chown(path, SERVICE, SERVICE)
    outside.mkdir()
    [group] = cache.glob("??/*")
    shutil.rmtree(group)
    group.symlink_to(outside)
    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        store.set("group/name", b"new", expires=None)
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("name", ["mage-account", "CACHEDIR.TAG"])
def test_statistics_of_a_cache_wait_for_no_fifo(store: FileStore, directory: Path, name: str) -> None:
    (directory / "cache" / name).unlink()
    os.mkfifo(directory / "cache" / name)

    def look() -> None:
        with contextlib.suppress(ForeignDirectory):
            assert inspect_cache(directory / "cache", now=0.0).stats == Stats()

    assert in_time(look)


def test_a_purge_waits_for_a_journal_that_stays_locked_no_longer_than_for_any_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flock, "LOCK_SECONDS", 0.1)
    journal = tmp_path / "journal"
    PurgeJournal(private_file(journal), keep=60).append("group")
    with journal.open() as result:
        fcntl.flock(result, fcntl.LOCK_EX)

        def append() -> None:
            with pytest.raises(TimeoutError):
                PurgeJournal(private_file(journal), keep=60).append("group")

        assert in_time(append)


def in_time(act: Callable[[], None]) -> bool:
    """Whether `act` ends well within a minute."""
    done = threading.Event()

    def act_and_set() -> None:
        act()
        done.set()

    threading.Thread(target=act_and_set, daemon=True).start()
    return done.wait(WAIT_SECONDS)
