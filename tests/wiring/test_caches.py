"""The cache layers of a storage: which there are, in which order, and the care for connections to a database."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.cache.backends.db import BaseDatabaseCache
from django.test import override_settings

from thumbs.cache.filestore.store import FileStore
from thumbs.conf.document import StorageConf
from thumbs.conf.keys import read
from thumbs.wiring import caches

LOCMEM = "django.core.cache.backends.locmem.LocMemCache"


@pytest.fixture(autouse=True)
def _aliases() -> Iterator[None]:
    aliases = {name: {"BACKEND": LOCMEM, "LOCATION": name} for name in ("default", "near", "far", "fleet")}
    with override_settings(CACHES=aliases):
        yield


def conf(**cache: object) -> StorageConf:
    return read(StorageConf, {"name": "photos", "driver": "local", "root": "/", "cache": cache}, "", [])


@pytest.mark.parametrize(
    ("cache", "names"),
    [
        ({}, []),
        ({"memory": {"max_size_mb": 4}, "disk": {"dir": "/d"}}, []),
        ({"memory": {"enabled": True, "max_size_mb": 4}}, ["memory"]),
        ({"shared": {"alias": "fleet"}}, ["shared"]),
        ({"memory": {"enabled": True, "alias": "near"}, "disk": {"enabled": True, "alias": "far"}}, ["memory", "disk"]),
        (
            {
                "memory": {"enabled": True, "max_size_mb": 4},
                "disk": {"enabled": True, "dir": "/d"},
                "shared": {"alias": "fleet"},
            },
            ["memory", "disk", "shared"],
        ),
    ],
)
def test_the_enabled_layers_are_there_fastest_first(
    tmp_path: Path, cache: dict[str, dict[str, object]], names: list[str]
) -> None:
    if "dir" in cache.get("disk", {}):
        cache = {**cache, "disk": {**cache["disk"], "dir": str(tmp_path / "cache")}}
    assert list(caches.layers(conf(**cache), str(tmp_path / "run")).names) == names


def test_a_disk_cache_is_a_directory_or_an_alias_or_none(tmp_path: Path) -> None:
    directory = conf(disk={"enabled": True, "dir": str(tmp_path / "cache"), "max_size_mb": 1})
    assert isinstance(caches.file_store(directory), FileStore)
    layer = caches.disk_layer(directory)
    assert layer is not None
    assert layer.name == "disk"
    alias = conf(disk={"enabled": True, "alias": "far"})
    assert caches.file_store(alias) is None
    layer = caches.disk_layer(alias)
    assert layer is not None
    assert (layer.name, layer.clear()) == ("disk", 0)
    for none in (conf(), conf(disk={"dir": str(tmp_path)}), conf(disk={"alias": "far"})):
        assert caches.file_store(none) is None
        assert caches.disk_layer(none) is None


# ------------------------------------------------------------------------------------- connections to a database


class Connection:
    """One of the database's connections of this thread."""

    def __init__(self, *, errors: bool = True, autocommit: bool = True, atomic: bool = False, usable: bool = False):
        self.errors_occurred, self.autocommit, self.in_atomic_block = errors, autocommit, atomic
        self._usable = usable
        self.closed = 0

    def is_usable(self) -> bool:
        return self._usable

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize(
    ("connection", "closed"),
    [
        (Connection(), 1),
        (Connection(errors=False), 0),
        (Connection(autocommit=False), 0),
        (Connection(atomic=True), 0),
        (Connection(usable=True), 0),
    ],
    ids=["broken", "no error", "in a transaction", "in an atomic block", "usable"],
)
def test_only_a_connection_that_the_database_has_closed_is_closed(
    monkeypatch: pytest.MonkeyPatch, connection: Connection, closed: int
) -> None:
    """Others may belong to the site, with an open cursor or transaction."""
    cache = BaseDatabaseCache("table", {})
    untouched = Connection()
    monkeypatch.setattr(caches, "caches", {"fleet": cache})
    monkeypatch.setattr(caches, "connections", {"reading": connection, "writing": connection, "other": untouched})
    router = SimpleNamespace(db_for_read=lambda _: "reading", db_for_write=lambda _: "reading")
    monkeypatch.setattr(caches, "router", router)
    assert caches._opener("fleet")() is cache
    assert (connection.closed, untouched.closed) == (closed, 0)
    connection.closed = 0


def test_both_databases_of_a_router_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = Connection(), Connection()
    monkeypatch.setattr(caches, "caches", {"fleet": BaseDatabaseCache("table", {})})
    monkeypatch.setattr(caches, "connections", {"reading": reading, "writing": writing})
    router = SimpleNamespace(db_for_read=lambda _: "reading", db_for_write=lambda _: "writing")
    monkeypatch.setattr(caches, "router", router)
    caches._opener("fleet")()
    assert (reading.closed, writing.closed) == (1, 1)
