"""S3 sources that read from a misbehaving store."""

import time
from collections.abc import Callable

import pytest

from tests.support.waiting import WAIT_SECONDS
from thumbs.errors import SourceMissing, SourceTooLarge, StorageFailed, StorageTimeout, ThumbError
from thumbs.sources.s3.source import S3Http, S3Settings, S3Source

# For what ends only by the deadline, and for what ends by itself, under load too. The faults themselves last a minute.
SOON = 0.3
MAX_BYTES = 1 << 20
# The error of a read with each fault. With all other faults, reading succeeds.
READ = {
    "unavailable": StorageFailed,
    "hang": StorageTimeout,
    "hang-in-body": StorageTimeout,
    "drip": StorageTimeout,
    "drip-headers": StorageTimeout,
    "drip-continues": StorageTimeout,
    "drip-explanation": StorageTimeout,
    "short": StorageFailed,
    "reset": StorageFailed,
    "reset-in-body": StorageFailed,
    "lengthless": StorageFailed,
    "chunked": StorageFailed,
    "bad-length": StorageFailed,
    "huge": SourceTooLarge,
    "huge-lengthless": StorageFailed,
    "huge-explanation": StorageFailed,
    "huge-headers": StorageFailed,
    "garbage": StorageFailed,
    "moved": StorageFailed,
    "bad-date": StorageFailed,
    "missing": SourceMissing,
    "denied": SourceMissing,
    "no-bucket": StorageFailed,
    "unknown-key-id": StorageFailed,
    "bad-signature": StorageFailed,
    "archived": StorageFailed,
}


def source_of(
    url: str, *, bucket: str = "bucket", deadline: float = WAIT_SECONDS, http: S3Http | None = None
) -> S3Source:
    described = S3Settings(bucket, access_key="AKIATEST", secret_key="test-secret", base_url=url, http=http or S3Http())
    source = S3Source(described, max_bytes=MAX_BYTES, deadline=deadline)
    # Making the client takes longer than some of these deadlines, and once a process.
    source._session.get()
    return source


def outcome(call: Callable[..., object], *arguments: object) -> type[Exception]:
    """The kind of error that `call` ends with, long before the fault would."""
    start = time.monotonic()
    with pytest.raises(ThumbError) as caught:
        call(*arguments)
    assert time.monotonic() - start < WAIT_SECONDS
    kinds = (SourceMissing, SourceTooLarge, StorageFailed, StorageTimeout)
    return next(kind for kind in kinds if isinstance(caught.value, kind))


def soon(condition: Callable[[], bool], attempts: int = 6000) -> bool:
    for _ in range(attempts):
        if condition():
            return True
        time.sleep(0.01)
    return False
