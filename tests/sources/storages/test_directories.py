"""A directory in the place of an original is a missing one, and nothing else that can be listed is."""

from typing import Any

import pytest
from django.core.files.storage import Storage

from thumbs.errors import SourceMissing, StorageFailed, ThumbError
from thumbs.sources.storages.django_storage import StorageSource


class OfAClient(OSError):
    """As `requests.exceptions.ConnectionError`, which is a kind of OSError."""


class Listed(Storage):
    """`cats` exists, and so does `cats/tom.jpg`. Reading `cats` raises `error`."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def exists(self, name: str) -> bool:
        return name == "cats"

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        return [], ["tom.jpg"] if path == "cats" else []

    def _raise(self, *_: object, **__: object) -> Any:
        raise self.error

    size = get_modified_time = _open = _raise


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError("Failure"), SourceMissing),  # all that a server of SFTP says of a directory
        (OfAClient("the connection was reset"), StorageFailed),  # in an object store, both may be keys
        (RuntimeError("500"), StorageFailed),
    ],
)
def test_only_a_server_of_files_that_fails_to_read_a_directory_has_none(
    error: Exception, expected: type[ThumbError]
) -> None:
    source = StorageSource(lambda: Listed(error), max_bytes=100, deadline=30)
    with pytest.raises(ThumbError) as caught:
        source.read("cats")
    assert type(caught.value) is expected
