"""A storage that reads from another place in each request is refused: by its class, or when its place changes."""

import sys
import types
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage, InMemoryStorage
from django.test import override_settings
from storages.backends.s3 import S3Storage

from tests.support import tenants
from tests.support.bare_storage import Bare
from tests.support.documents import checked, dotted, one
from tests.support.leaky_storage import LeakyStorage
from thumbs.errors import StorageFailed
from thumbs.sources.storages.placement import Placement, dependence, place

DEPENDENT = {
    "ByProperty": "computes location anew",
    "ByBaseLocation": "computes location anew",
    "Inherited": "computes location anew",
    "ByPath": "the context variable 'tenant' in path",
    "ByThread": "_thread in path",
    "BySchema": "connection in path",
    "ByModule": "the context variable 'tenant' in path",
    "ByMethod": "the context variable 'tenant' in path",
    "ByFourCalls": "the context variable 'tenant' in path",
    "ByOpen": "the context variable 'tenant' in _open",
    "ByCachedProperty": "the context variable 'tenant' in location",
    "Delegating": "the context variable 'tenant' in __getattribute__",
    "Lazy": "is a lazy object",
    "by_function": "is made by a function",
}
# Their place is chosen once, or nothing of them shows it.
UNCHANGED = {"ByOpen", "Lazy", "by_function", "ByCachedProperty"}


@pytest.fixture(autouse=True)
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenants, "ROOT", str(tmp_path))
    for name in ("red", "blue"):
        (tmp_path / name).mkdir()


@pytest.mark.parametrize("name", DEPENDENT)
def test_a_storage_that_depends_on_the_request_is_an_error_of_the_checks(name: str) -> None:
    path = f"tests.support.tenants.{name}"
    aliased = {"name": "photos", "driver": "django", "alias": "tenants", "signature_secret_key": "x" * 9}
    with override_settings(STORAGES={"tenants": {"BACKEND": path}}):
        for setting, key in ((dotted(path), "driver"), (aliased, "alias")):
            [message] = checked(one(setting))
            assert message.id == "thumbs.E023"
            assert str(message.msg).startswith(f"storages[photos].{key}: {path} may read from another place")
            assert DEPENDENT[name] in str(message.msg)
            assert "for each tenant" in str(message.hint)


@pytest.mark.parametrize("package", ["django_tenants.files.storage", "tenant_schemas.storage"])
def test_the_storages_of_known_packages_for_tenants_are_errors(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = package.split(".")
    kind = type("TenantFileSystemStorage", (FileSystemStorage,), {"__module__": package})
    for number in range(1, len(parts) + 1):
        module = types.ModuleType(".".join(parts[:number]))
        vars(module)["TenantFileSystemStorage"] = kind
        monkeypatch.setitem(sys.modules, module.__name__, module)
    [message] = checked(one(dotted(f"{package}.TenantFileSystemStorage")))
    assert message.id == "thumbs.E023"
    assert "has a directory for each tenant" in str(message.msg)
    own = type("OwnStorage", (kind,), {"__module__": __name__})
    assert dependence(own(), own) == "has a directory for each tenant"


PLAIN = {
    "disk": FileSystemStorage,
    "another disk": lambda: FileSystemStorage("/srv"),
    "memory": InMemoryStorage,
    "bucket": lambda: S3Storage(bucket_name="b", location="media"),
    "bare": Bare,
    "own": tenants.Fixed,
    "own without code": tenants.Assigned,
    "leaky": lambda: LeakyStorage("/srv", "x"),
}


@pytest.mark.parametrize("name", PLAIN)
def test_a_storage_with_one_place_is_right(name: str) -> None:
    storage = PLAIN[name]()  # type: ignore[operator]
    assert dependence(storage, type(storage)) is None
    placement = Placement(storage, None)
    with tenants.chosen("blue"):
        placement.require()


@pytest.mark.parametrize("name", sorted(set(DEPENDENT) - UNCHANGED))
def test_a_place_that_differs_between_requests_is_seen(name: str) -> None:
    storage = getattr(tenants, name)()
    placement = Placement(storage, None)  # as if its class showed nothing
    placement.require()
    with tenants.chosen("blue"), pytest.raises(StorageFailed):
        placement.require()
    placement.require()


def test_a_storage_whose_class_shows_it_is_refused_at_the_first_place_too() -> None:
    with pytest.raises(StorageFailed):
        Placement(tenants.ByOpen(), DEPENDENT["ByOpen"]).require()


def test_a_location_that_a_request_assigns_is_seen_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    storage = tenants.Assigned(tenants.root_of("red"))
    placement = Placement(storage, None)
    storage.location = tenants.root_of("blue")
    for _ in range(2):
        with pytest.raises(StorageFailed):
            placement.require()
    assert [record.getMessage() for record in caplog.records] == [
        "tests.support.tenants.Assigned is not read: it has changed its location since it was opened; see thumbs.E023"
    ]


def test_a_location_that_was_none_when_the_storage_was_opened_is_seen() -> None:
    storage = Bare()
    storage.location = None  # type: ignore[attr-defined]
    placement = Placement(storage, None)
    placement.require()
    storage.location = "blue"  # type: ignore[attr-defined]
    with pytest.raises(StorageFailed):
        placement.require()


def test_a_media_root_that_is_overridden_is_no_other_tenant(tmp_path: Path) -> None:
    storage = FileSystemStorage()
    placement = Placement(storage, None)
    with override_settings(MEDIA_ROOT=str(tmp_path / "elsewhere")):
        placement.require()
    assert place(storage) != place(FileSystemStorage(str(tmp_path)))


def test_a_place_that_cannot_be_told_is_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    placement = Placement(tenants.ByProperty(), None)

    def fails() -> str:
        raise LookupError("no tenant is chosen")

    monkeypatch.setattr(tenants, "current", fails)
    with pytest.raises(StorageFailed):
        placement.require()
