"""What is particular to Django's storages: what they leave out, what they raise, and how long they take."""

import datetime
import io
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, Storage
from django.test import override_settings

from tests.support.bare_storage import Bare
from tests.support.source_fixtures import DATA, DEADLINE, MAX_BYTES
from tests.support.waiting import WAIT_SECONDS
from thumbs.errors import SourceMissing, SourceTooLarge, StorageFailed, StorageTimeout, ThumbError
from thumbs.sources.reading import Deadline, read_exactly
from thumbs.sources.source import Version
from thumbs.sources.storages.django_storage import StorageSource, storage_of_alias, storage_of_class


class OtherError(Exception):
    """An exception of its own type, as cloud libraries have them."""


class Other(Bare):
    """It raises only its own errors. `broken` fails for existing files too."""

    def size(self, name: str) -> int:
        if name == "broken":
            raise OtherError("secret-endpoint is broken")
        if name not in self.files:
            raise OtherError("secret-endpoint has no such blob")
        return len(self.files[name])


class Stuck(Bare):
    """It never answers before `released` is set."""

    def __init__(self, **files: bytes) -> None:
        super().__init__(**files)
        self.released = threading.Event()

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        self.released.wait(WAIT_SECONDS)
        return super()._open(name, mode)

    def get_modified_time(self, _name: str) -> datetime.datetime:
        self.released.wait(WAIT_SECONDS)
        return datetime.datetime(2026, 1, 1)  # noqa: DTZ001 - naive, as storages are without USE_TZ

    def exists(self, name: str) -> bool:
        self.released.wait(WAIT_SECONDS)
        return super().exists(name)


class Backwards(FileSystemStorage):
    """A disk storage that changes what it reads, as an encrypting one does."""

    def _open(self, name: str, _mode: str = "rb") -> "File[bytes]":
        with Path(self.path(name)).open("rb") as file:
            return ContentFile(file.read()[::-1])


def _through(storage: Storage, *, max_bytes: int = MAX_BYTES, deadline: float = DEADLINE) -> StorageSource:
    return StorageSource(lambda: storage, max_bytes=max_bytes, deadline=deadline)


def test_a_storage_without_size_and_time_is_read_without_a_version() -> None:
    source = _through(Bare(tom=DATA))
    assert source.read("tom").data == DATA
    assert source.version("tom") == Version(None, None)
    source.ready()


def test_a_storage_that_does_not_know_sizes_is_not_read_past_the_limit() -> None:
    asked = []

    class Watched(io.BytesIO):
        def read(self, amount: int | None = -1, /) -> bytes:
            asked.append(amount)
            return super().read(amount)

    class Endless(Bare):
        def _open(self, _name: str, _mode: str = "rb") -> "File[bytes]":
            return File(Watched(bytes(10_000_000)))

    with pytest.raises(SourceTooLarge):
        _through(Endless(), max_bytes=100).read("tom")
    assert asked == [101]


def test_an_error_of_a_storages_own_kind_is_missing_or_failed_as_the_storage_says_when_asked() -> None:
    source = _through(Other(tom=DATA, broken=DATA))
    assert source.read("tom").data == DATA
    with pytest.raises(SourceMissing) as missing:
        source.read("nothing")
    with pytest.raises(StorageFailed) as failed:
        source.read("broken")
    assert "secret-endpoint" not in f"{missing.value} {failed.value}"


def test_what_ends_before_its_promised_length_is_not_taken_for_whole() -> None:
    with pytest.raises(StorageFailed):
        read_exactly(io.BytesIO(DATA).read, len(DATA) + 1, deadline=Deadline(DEADLINE))


def test_a_suspicious_name_is_missing() -> None:
    class Suspicious(Bare):
        def _open(self, _name: str, _mode: str = "rb") -> "File[bytes]":
            raise SuspiciousFileOperation("secret-root")

    with pytest.raises(SourceMissing):
        _through(Suspicious()).read("tom")


def test_a_storage_that_hangs_is_left_at_the_deadline_and_holds_a_bounded_number_of_threads() -> None:
    storage = Stuck(tom=DATA)
    source = _through(storage, deadline=0.05)
    before = threading.active_count()

    calls: tuple[Callable[[], object], ...] = (
        lambda: source.read("tom"),
        lambda: source.version("tom"),
        source.ready,
    )

    def outcome(number: int) -> type[Exception] | None:
        try:
            calls[number % 3]()
        except ThumbError as error:
            return type(error)
        return None

    with ThreadPoolExecutor(40) as pool:
        outcomes = set(pool.map(outcome, range(120)))
    held = threading.active_count() - before
    storage.released.set()
    assert outcomes == {StorageTimeout}
    assert held <= 32
    for call in (lambda: source.version("tom"), source.ready):
        _soon(call)
    assert _soon(lambda: source.read("tom").data) == DATA


def _soon(call: Callable[[], object]) -> object:
    """What `call` gives once the calls that hang have ended."""
    for _ in range(200):
        try:
            return call()
        except StorageTimeout:
            time.sleep(0.01)
    return call()


def test_a_disk_storage_that_reads_in_its_own_way_is_read_in_that_way(tmp_path: Path) -> None:
    (tmp_path / "tom.jpg").write_bytes(b"abc")
    source = _through(Backwards(str(tmp_path)))
    assert source.read("tom.jpg").data == b"cba"
    with pytest.raises(SourceMissing):
        source.read("nothing.jpg")


def test_the_root_follows_the_sites_setting(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tom.jpg").write_bytes(name.encode())
    source = _through(FileSystemStorage())
    for name in ("one", "two"):
        with override_settings(MEDIA_ROOT=str(tmp_path / name)):
            assert source.read("tom.jpg").data == name.encode()


def test_a_storage_is_found_by_its_alias(tmp_path: Path) -> None:
    (tmp_path / "tom.jpg").write_bytes(DATA)
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    open_storage = storage_of_alias("pictures")
    with override_settings(STORAGES={**settings.STORAGES, "pictures": backend}):
        assert StorageSource(open_storage, max_bytes=MAX_BYTES, deadline=DEADLINE).read("tom.jpg").data == DATA
    with pytest.raises(StorageFailed):
        StorageSource(open_storage, max_bytes=MAX_BYTES, deadline=DEADLINE).read("tom.jpg")


def test_a_storage_is_made_from_its_class_and_options_when_it_is_first_needed(tmp_path: Path) -> None:
    (tmp_path / "tom.jpg").write_bytes(DATA)
    dotted = "django.core.files.storage.FileSystemStorage"
    made = storage_of_class(dotted, {"location": str(tmp_path)})
    assert StorageSource(made, max_bytes=MAX_BYTES, deadline=DEADLINE).read("tom.jpg").data == DATA
    for wrong in (storage_of_class("no.such.Storage", {}), storage_of_class(dotted, {"color": "red"})):
        source = StorageSource(wrong, max_bytes=MAX_BYTES, deadline=DEADLINE)
        with pytest.raises(StorageFailed):
            source.read("tom.jpg")
