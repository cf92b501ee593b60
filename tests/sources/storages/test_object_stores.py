"""Which storages of Django are object stores."""

from django.core.files.storage import FileSystemStorage, InMemoryStorage
from storages.backends.s3 import S3Storage

from thumbs.sources.s3.objects import S3Objects
from thumbs.sources.storages.object_stores import store_of


def test_a_bucket_is_an_object_store() -> None:
    bucket = S3Storage(bucket_name="b", access_key="a", secret_key="b", endpoint_url="http://127.0.0.1:9")
    assert isinstance(store_of(bucket), S3Objects)


def test_directories_and_memory_are_none() -> None:
    assert store_of(FileSystemStorage(location="/srv")) is None
    assert store_of(InMemoryStorage()) is None
