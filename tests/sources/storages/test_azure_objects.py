"""A container of Azure as an object store: each call takes the time that is left, and is never tried again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest
from storages.backends.azure_storage import AzureStorage

from thumbs.errors import StorageDenied, StorageFailed
from thumbs.sources.object_store import ObjectStore
from thumbs.sources.reading import Deadline
from thumbs.sources.storages.object_stores import store_of

# django-storages' own, from Python 3.12 on.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


class Refused(Exception):
    """An error of Azure's client."""

    def __init__(self, status_code: int) -> None:
        super().__init__(status_code)
        self.status_code = status_code


@dataclass
class Download:
    data: bytes

    def readall(self) -> bytes:
        return self.data


@dataclass
class Container:
    """Azure's client of a container, with the options of each call."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    error: Exception | None = None
    options: list[Mapping[str, object]] = field(default_factory=list)

    def _begin(self, options: Mapping[str, object]) -> None:
        self.options.append(options)
        if self.error is not None:
            raise self.error

    def download_blob(self, name: str, **options: object) -> Download:
        self._begin(options)
        if name not in self.blobs:
            raise Refused(404)
        return Download(self.blobs[name])

    def upload_blob(self, name: str, data: bytes, *, overwrite: bool, **options: object) -> None:
        self._begin(options)
        if name in self.blobs and not overwrite:
            raise Refused(409)
        self.blobs[name] = data

    def delete_blob(self, name: str, **options: object) -> None:
        self._begin(options)
        if name not in self.blobs:
            raise Refused(404)
        del self.blobs[name]

    def list_blob_names(self, *, name_starts_with: str, **options: object) -> Iterator[str]:
        self._begin(options)
        return iter(sorted(name for name in self.blobs if name.startswith(name_starts_with)))


@pytest.fixture
def container() -> Container:
    return Container()


@pytest.fixture
def store(container: Container) -> ObjectStore:
    storage = AzureStorage(account_name="a", azure_container="c", location="cached/")
    storage._client = container
    found = store_of(storage)
    assert found is not None
    return found


def test_what_is_put_is_found_below_the_location_listed_and_deleted(store: ObjectStore, container: Container) -> None:
    deadline = Deadline(60.0)
    assert store.get("a/1", deadline) is None
    store.put("a/1", b"first", deadline)
    assert store.put_new("a/2", b"second", deadline)
    assert not store.put_new("a/2", b"other", deadline)
    store.put("b/1", b"third", deadline)
    assert container.blobs == {"cached/a/1": b"first", "cached/a/2": b"second", "cached/b/1": b"third"}
    assert store.get("a/2", deadline) == b"second"
    assert store.page("a/", "", deadline) == ["a/1", "a/2"]
    assert store.page("a/", "a/1", deadline) == ["a/2"]
    store.delete(["a/1", "a/1", "b/1"], deadline)
    assert container.blobs == {"cached/a/2": b"second"}


def test_every_call_has_the_time_that_is_left_and_no_second_try(store: ObjectStore, container: Container) -> None:
    deadline = Deadline(60.0)
    store.put("a", b"data", deadline)
    store.get("a", deadline)
    store.page("", "", deadline)
    store.delete(["a"], deadline)
    assert len(container.options) == 4
    for options in container.options:
        assert options.keys() == {"connection_timeout", "read_timeout", "retry_total"}
        assert options["retry_total"] == 0
        assert all(0 < float(str(options[name])) <= 60 for name in ("connection_timeout", "read_timeout"))


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (Refused(403), StorageDenied),
        (Refused(401), StorageDenied),
        (Refused(500), StorageFailed),
        (OSError(), StorageFailed),
    ],
)
def test_a_refusal_and_a_failure_are_told_apart(
    store: ObjectStore, container: Container, error: Exception, raised: type[Exception]
) -> None:
    container.error = error
    for call in (store.get, lambda key, deadline: store.delete([key], deadline)):
        with pytest.raises(raised):
            call("a", Deadline(60.0))
