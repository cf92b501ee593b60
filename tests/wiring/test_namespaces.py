"""The namespace of cache keys: which storages have the same, and that each key, journal and feed has it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches as django_caches
from django.core.files.storage import InMemoryStorage, Storage
from django.test import override_settings

from tests.support.commands import Run, local_storage
from tests.support.commands import disk_cache as disk
from tests.support.pictures import encoded, quarters
from thumbs.conf.document import StorageConf
from thumbs.conf.keys import read
from thumbs.conf.loading import load
from thumbs.http.messages import Request
from thumbs.request.resolve import group_of
from thumbs.site.explain import explain
from thumbs.site.purging import purge
from thumbs.wiring import process
from thumbs.wiring.namespaces import namespace_of

LOCMEM = "django.core.cache.backends.locmem.LocMemCache"
DISK = "django.core.files.storage.FileSystemStorage"
PATH = "a.png"


class Remote(Storage):
    """A storage of no known kind: its options say where it is."""

    def __init__(self, **options: object) -> None:
        if options.get("broken"):
            raise RuntimeError("no network")


REMOTE = f"{__name__}.Remote"


def conf(driver: str, **keys: object) -> StorageConf:
    return read(StorageConf, {"name": "photos", "driver": driver, **keys}, "", [])


@pytest.fixture
def roots(tmp_path: Path) -> list[Path]:
    """Two roots with other pictures of the same name, and a link to the first."""
    for name, width in (("one", 300), ("two", 150)):
        (tmp_path / name).mkdir()
        (tmp_path / name / PATH).write_bytes(encoded(quarters(width, 300), "PNG"))
    (tmp_path / "link").symlink_to(tmp_path / "one")
    return [tmp_path / name for name in ("one", "two", "link")]


@pytest.fixture
def fleet() -> Iterator[None]:
    with override_settings(CACHES={"default": {"BACKEND": LOCMEM, "LOCATION": "fleet"}}):
        django_caches["default"].clear()
        yield


def ask(target: str = "30x/a.png", storage: str = "photos") -> tuple[int, str, bytes]:
    path = f"/{storage}/thumbs/{target}".encode()
    answer = process.thumbnailer().answer(Request("GET", path, len(path)))
    return answer.status, dict(answer.headers)[b"X-Cache"].decode(), answer.body


# ------------------------------------------------------------------------------------- one place, one namespace


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (conf("local", root="/srv/a"), conf("local", root="/srv/b")),
        (conf("s3", bucket="a"), conf("s3", bucket="b")),
        (conf("s3", bucket="a"), conf("s3", bucket="a", base_url="https://s3.example.com")),
        (conf(DISK, options={"location": "/srv/a"}), conf(DISK, options={"location": "/srv/b"})),
        (conf(DISK, options={"location": "/srv/a"}), conf("local", root="/srv/a")),
        (conf(REMOTE, options={"container": "a"}), conf(REMOTE, options={"container": "b"})),
        (conf(REMOTE, options={"broken": True, "host": "a"}), conf(REMOTE, options={"broken": True, "host": "b"})),
        (conf("local", root="/", cache={"namespace": "a"}), conf("local", root="/", cache={"namespace": "b"})),
    ],
)
def test_storages_in_other_places_have_other_namespaces(one: StorageConf, other: StorageConf) -> None:
    assert namespace_of(one) != namespace_of(other)
    assert namespace_of(one) == namespace_of(one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (conf("s3", bucket="a", access_key="k", secret_key="s"), conf("s3", bucket="a")),
        (conf(REMOTE, options={"container": "a", "account_key": "1"}), conf(REMOTE, options={"container": "a"})),
        (conf("local", root="/a", cache={"namespace": "x"}), conf("local", root="/b", cache={"namespace": "x"})),
    ],
)
def test_a_new_secret_and_a_given_namespace_make_no_other_one(one: StorageConf, other: StorageConf) -> None:
    assert namespace_of(one) == namespace_of(other)


def test_a_link_to_a_directory_is_the_same_place(roots: list[Path]) -> None:
    one, two, link = (namespace_of(conf("local", root=str(root))) for root in roots)
    assert one == link != two


def test_an_alias_is_where_its_storage_is_now(roots: list[Path]) -> None:
    alias = conf("django", alias="default")
    found = []
    for root in roots:
        with override_settings(MEDIA_ROOT=str(root)):
            found.append(namespace_of(alias))
    assert found[0] == found[2] != found[1]


def test_each_storage_in_memory_is_a_place_of_its_own() -> None:
    backend = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    alias = conf("django", alias="default")
    assert issubclass(InMemoryStorage, Storage)
    found = []
    for _ in range(2):
        with override_settings(STORAGES={"default": backend}):
            found += [namespace_of(alias), namespace_of(alias)]
    assert found[0] == found[1] != found[2] == found[3]


# ----------------------------------------------------------------------------------------- what has it


def test_keys_without_a_namespace_are_those_of_before() -> None:
    assert group_of("photos", "a.jpg") == group_of("photos", "a.jpg", "") == "7803f44be9e2835adf2e9d622f7078a9"
    assert group_of("photos", "a.jpg", "x") != group_of("photos", "a.jpg")


def test_storages_of_a_file_have_none_and_those_of_a_site_have_one(tmp_path: Path, roots: list[Path]) -> None:
    storage = local_storage("photos", roots[0])
    file = tmp_path / "storages.json"
    file.write_text(json.dumps({"storages": [storage]}))
    with override_settings(THUMBS={"STORAGES_FILE": file}):
        assert process.current().policies["photos"].namespace == ""
        process.reset()
    with override_settings(THUMBS={"STORAGES": [storage]}):
        process.reset()
        assert len(process.current().policies["photos"].namespace) == 16


@pytest.mark.parametrize("layer", ["disk", "shared", "memory.alias", "disk.alias"])
@pytest.mark.usefixtures("fleet")
def test_two_sites_with_one_cache_do_not_see_each_others_pictures(
    layer: str, roots: list[Path], tmp_path: Path
) -> None:
    caches: dict[str, dict[str, Any]] = {
        "disk": {"disk": disk(tmp_path / "cache")},
        "shared": {"shared": {"alias": "default"}},
        "memory.alias": {"memory": {"enabled": True, "alias": "default"}},
        "disk.alias": {"disk": {"enabled": True, "alias": "default"}},
    }
    bodies, seen = set(), []
    for root in roots[:2]:
        with override_settings(
            THUMBS={"STORAGES": [local_storage("photos", root, **caches[layer])], "RUN_DIR": str(tmp_path / "run")}
        ):
            process.reset()
            seen += [ask()[:2], ask()[:2]]
            bodies.add(ask()[2])
    assert seen == [(200, "MISS"), (200, "HIT")] * 2
    assert len(bodies) == 2


@pytest.mark.usefixtures("fleet")
def test_a_purge_and_a_clear_reach_the_own_namespace_only(roots: list[Path], tmp_path: Path, run: Run) -> None:
    def site(root: Path) -> dict[str, Any]:
        storage = local_storage("photos", root, shared={"alias": "default"})
        return {"STORAGES": [storage], "RUN_DIR": str(tmp_path / "run" / root.name)}  # as on two machines

    (tmp_path / "run").mkdir()
    one, two = map(site, roots[:2])
    for forget in (lambda: purge("photos", PATH), lambda: run("clear_thumb_cache"), _clear_source(run)):
        for thumbs in (one, two):
            with override_settings(THUMBS=thumbs):
                process.reset()
                ask()
        with override_settings(THUMBS=one):
            process.reset()
            assert ask()[1] == "HIT"
            forget()
            assert ask()[1] == "MISS"
        with override_settings(THUMBS=two):
            process.reset()
            assert ask()[1] == "HIT"


def _clear_source(run: Run) -> Any:
    return lambda: run("clear_thumb_cache", "--storage", "photos", "--source", PATH)


def test_an_explanation_has_the_key_that_the_request_has(roots: list[Path]) -> None:
    keys = set()
    for namespace in ("a", "b"):
        with override_settings(
            THUMBS={"STORAGES": [{**local_storage("photos", roots[0]), "cache": {"namespace": namespace}}]}
        ):
            process.reset()
            keys.add(dict(explain("/img/photos/thumbs/30x/a.png").lines)["cache key"])
    assert {key.partition("/")[0] for key in keys} == {group_of("photos", PATH, name) for name in "ab"}


@pytest.mark.parametrize("wrong", [3, "a b", "é", "x" * 65, "a/b", "a:b", None])
def test_a_namespace_that_no_key_can_hold_is_an_error_at_start(wrong: object, roots: list[Path]) -> None:
    found = load({"STORAGES": [{**local_storage("photos", roots[0]), "cache": {"namespace": wrong}}]}).errors
    assert [(each.id, each.where) for each in found] == [("thumbs.E003", "storages[photos].cache.namespace")]
    assert "at most 64 letters" in found[0].sentence
