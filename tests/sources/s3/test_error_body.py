"""The body of an error of S3 is read as far as it can explain the error, and no further."""

from collections.abc import Iterator

import pytest
from botocore.compat import HTTPHeaders

from thumbs.errors import StorageFailed
from thumbs.sources.s3 import transport

MEBIBYTE = 1024 * 1024


class Body:
    """A body of that many bytes, which counts what is read of it."""

    def __init__(self, length: int) -> None:
        self.left = length
        self.read = 0

    def stream(self, size: int) -> Iterator[bytes]:
        while self.left:
            assert self.read <= 10 * MEBIBYTE, "it would be read without an end"
            chunk = b"x" * min(size, self.left)
            self.left -= len(chunk)
            self.read += len(chunk)
            yield chunk

    def isclosed(self) -> bool:
        return not self.left


def answer(body: Body) -> "transport._Response":
    return transport._Response("http://s3.test/", 500, HTTPHeaders(), body)


def test_a_short_body_is_read_whole() -> None:
    assert answer(Body(3000)).content == b"x" * 3000


def test_an_endless_body_is_a_failure_of_the_storage() -> None:
    body = Body(1 << 60)
    with pytest.raises(StorageFailed):
        _ = answer(body).content
    assert body.read <= 2 * MEBIBYTE
