"""Storages whose `listdir` gives keys in place of names: the paths are the same as those of other storages."""

import pytest

from tests.support.bare_storage import Bare
from tests.support.listings import NAMES, PREFIXES, source_of

OUTSIDE = ["other/dog.jpg", "dog.jpg", "mediation/dog.jpg"]


class OfAzure(Bare):
    """`AzureStorage` of django-storages 1.14: all keys below a directory, with the location; at the root, all keys."""

    def __init__(self, location: str) -> None:
        self.location = location
        start = f"{location.strip('/')}/" if location else ""
        self.keys = [start + name for name in NAMES] + (OUTSIDE if location else [])
        self.listed: list[str] = []
        super().__init__()

    def list_all(self, path: str = "") -> list[str]:
        below = f"{self.location.strip('/')}/{path}".strip("/") + "/" if path else ""
        return [key for key in self.keys if key.startswith(below)]

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        self.listed.append(path)
        return [], self.list_all(path)


class OfKeys(Bare):
    """The directories and files of one level, by their keys, with or without the location."""

    def __init__(self, location: str, start: str) -> None:
        self.location = location
        self._start = start
        super().__init__()

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        below = f"{path}/" if path else ""
        inside = [name.removeprefix(below) for name in NAMES if name.startswith(below)]
        directories = {name.partition("/")[0] for name in inside if "/" in name}
        files = [name for name in inside if "/" not in name]
        start = self._start + below
        return [f"{start}{name}/" for name in sorted(directories)], [start + name for name in files]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("location", ["", "media", "media/", "/media/cats"])
def test_the_keys_of_azure_become_paths(prefix: str, location: str) -> None:
    storage = OfAzure(location)
    assert sorted(source_of(storage).paths(prefix)) == sorted(name for name in NAMES if name.startswith(prefix))
    assert len(storage.listed) == 1


def test_an_empty_location_in_a_full_container_has_no_paths() -> None:
    storage = OfAzure("media")
    storage.keys = OUTSIDE
    assert list(source_of(storage).paths("")) == []


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(("location", "start"), [("", ""), ("media", "media/"), ("media", "")])
def test_keys_of_one_level_become_paths_too(prefix: str, location: str, start: str) -> None:
    found = list(source_of(OfKeys(location, start)).paths(prefix))
    assert sorted(found) == sorted(name for name in NAMES if name.startswith(prefix))


def test_names_that_no_path_can_have_are_left_out() -> None:
    storage = OfAzure("")
    storage.keys = ["a//b.jpg", "a/../c.jpg", "./d.jpg", "\udcff/e.jpg", "folder/", "good/f.jpg"]
    assert list(source_of(storage).paths("")) == ["folder", "good/f.jpg"]
