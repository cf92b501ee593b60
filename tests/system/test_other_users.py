"""The trust rule between real users: what another user owns is refused in a process of this one."""

import os
from pathlib import Path

import pytest
from django.core.management.base import CommandError

from tests.support.planted import OTHER, SERVICE, as_user
from tests.support.private_files import private_file
from tests.support.trusted import opened, put
from thumbs.cache.filestore.store import FileStore
from thumbs.cache.filestore.trust import PrivateDirectory, Untrusted
from thumbs.management.address import require_free
from thumbs.sources.local import LocalSettings, problems

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")


@pytest.fixture
def directory(reachable_path: Path) -> Path:
    """A directory that every user may reach."""
    made = reachable_path / "private"
    made.mkdir(mode=0o700)
    return made


# ---------------------------------------------------------------------------------- directories


@as_root
def test_a_directory_of_another_user_is_refused_but_by_root(directory: Path) -> None:
    os.chown(directory, OTHER, OTHER)
    directory.chmod(0o755)
    opened(PrivateDirectory(directory))
    assert as_user(OTHER, lambda: opened(PrivateDirectory(directory))) == ""
    assert as_user(SERVICE, lambda: opened(PrivateDirectory(directory))) == "Untrusted"
    directory.chmod(0o700)
    assert as_user(SERVICE, lambda: opened(PrivateDirectory(directory))) == "Untrusted"
    os.chown(directory, 0, 0)
    directory.chmod(0o755)
    assert as_user(SERVICE, lambda: opened(PrivateDirectory(directory))) == ""


# ---------------------------------------------------------------------------------------- files


@as_root
def test_a_file_of_another_user_is_refused_even_in_a_private_directory(directory: Path) -> None:
    file = directory / "file"
    file.touch()
    os.chown(file, OTHER, OTHER)
    with pytest.raises(Untrusted, match=f"owned by user {OTHER}"):
        put(private_file(file))
    os.chown(directory, SERVICE, SERVICE)
    with pytest.raises(Untrusted, match=f"owned by user {OTHER}"):  # in a directory that root may use
        put(private_file(file))
    assert as_user(SERVICE, lambda: put(private_file(file))) == "Untrusted"
    file.chmod(0o666)
    assert as_user(SERVICE, lambda: put(private_file(file))) == "Untrusted"
    os.chown(file, SERVICE, SERVICE)
    file.chmod(0o600)
    put(private_file(file))


@as_root
def test_what_root_makes_for_another_user_belongs_to_that_user(directory: Path) -> None:
    os.chown(directory, SERVICE, SERVICE)
    (directory / "before").touch()  # by root in a version without this rule
    for name in ("file", "before", "below/file"):
        put(private_file(directory / name))
    made = [directory / name for name in ("file", "before", "below", "below/file")]
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made} == {(SERVICE, SERVICE)}
    assert as_user(SERVICE, lambda: put(private_file(directory / "file"))) == ""


# ---------------------------------------------------------------------------------- disk caches


@as_root
def test_all_that_root_puts_into_a_cache_belongs_to_its_user(directory: Path) -> None:
    cache = directory / "cache"
    cache.mkdir(mode=0o700)
    os.chown(cache, SERVICE, SERVICE)
    store = FileStore(cache, max_bytes=None)
    for key in ("group/name", "alone"):
        assert store.set(key, b"data", expires=None)
    store.sweep()
    with store.try_lock_janitor() as first:
        assert first
    paths = list(cache.rglob("*"))
    assert len(paths) == 8  # tag, ledger, janitor; two shards, a group, two entries
    assert {(path.stat().st_uid, path.stat().st_gid) for path in paths} == {(SERVICE, SERVICE)}
    os.chown(directory, SERVICE, SERVICE)

    def use() -> None:
        own = FileStore(cache, max_bytes=None)
        own.set("group/name", b"new", expires=None)
        found = own.get("alone")
        assert found is not None
        assert own.clear() == 2

    assert as_user(SERVICE, use) == ""


@as_root
def test_an_entry_that_may_not_be_read_is_a_miss_and_is_removed(directory: Path) -> None:
    """As root leaves it that wrote into the cache of another user, without this app."""
    cache = directory / "cache"
    os.chown(directory, SERVICE, SERVICE)

    def use() -> None:
        store = FileStore(cache, max_bytes=None)
        store.set("group/name", b"data", expires=None)

    def look() -> None:
        assert FileStore(cache, max_bytes=None).get("group/name") is None
        assert list(cache.rglob("*.entry")) == []

    assert as_user(SERVICE, use) == ""
    [entry] = cache.rglob("*.entry")
    os.chown(entry, 0, 0)
    assert as_user(SERVICE, look) == ""


# ---------------------------------------------------------------------------------- configuration


@as_root
@pytest.mark.parametrize("private", ["private", "private/root"])
def test_a_root_that_this_user_may_not_read_is_an_error_of_the_configuration(directory: Path, private: str) -> None:
    root = directory / "root"
    root.mkdir()
    directory.chmod(0o711)
    (directory.parent / private).chmod(0o700)

    def look() -> None:
        [problem] = problems(LocalSettings(str(root)))
        assert (problem.id, problem.sentence) == ("thumbs.E009", f"may not be read by this user: {root}")

    assert list(problems(LocalSettings(str(root)))) == []  # root may
    assert as_user(SERVICE, look) == ""


@as_root
def test_a_socket_in_a_directory_that_this_user_may_not_search_is_refused(directory: Path) -> None:
    inner = directory / "inner"
    inner.mkdir()

    def look() -> None:
        with pytest.raises(CommandError, match="cannot be written"):
            require_free(f"unix:{inner}/socket")

    assert as_user(SERVICE, look) == ""
