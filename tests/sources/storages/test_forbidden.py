"""What stands for an HTTP 403 in the exceptions of storages is a denied original, not a missing one or a failure."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from django.core.files.storage import Storage

from thumbs.errors import SourceDenied, SourceMissing, StorageDenied, StorageFailed, ThumbError
from thumbs.sources.storages.django_storage import StorageSource


class OfGoogle(Exception):
    """As `google.api_core.exceptions.Forbidden`."""

    code = 403


class OfAzure(Exception):
    """As `azure.core.exceptions.HttpResponseError`."""

    status_code = 403


OF_AMAZON = ClientError({"Error": {"Code": "403"}, "ResponseMetadata": {"HTTPStatusCode": 403}}, "HeadObject")  # type: ignore[typeddict-item]


class Closed(Storage):
    """Raises `error` for every call."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def _raise(self, *_: object, **__: object) -> Any:
        raise self.error

    exists = size = get_modified_time = listdir = _open = _raise


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OfGoogle(), SourceDenied),
        (OfAzure(), SourceDenied),
        (OF_AMAZON, SourceDenied),
        (PermissionError(13, "Permission denied"), SourceDenied),
        (FileNotFoundError(2, "No such file"), SourceMissing),
        (RuntimeError("500"), StorageFailed),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.__name__,
)
def test_the_error_of_a_storage_is_the_right_one(error: Exception, expected: type[ThumbError]) -> None:
    source = StorageSource(lambda: Closed(error), max_bytes=100, deadline=30)
    for call in (lambda: source.read("tom.jpg"), lambda: source.version("tom.jpg"), source.probe):
        with pytest.raises(ThumbError) as caught:
            call()
        assert type(caught.value) is expected


@pytest.mark.parametrize("error", [OfGoogle(), OfAzure(), OF_AMAZON], ids=lambda error: type(error).__name__)
def test_a_storage_that_may_not_be_listed_says_so_and_does_not_look_empty(error: Exception) -> None:
    source = StorageSource(lambda: Closed(error), max_bytes=100, deadline=30)
    with pytest.raises(StorageDenied) as caught:
        list(source.paths("cats/"))
    assert caught.value.__cause__ is error
