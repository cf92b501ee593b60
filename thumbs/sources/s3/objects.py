"""A bucket as an object store, through the client and the connections of an `S3Source`."""

import contextlib
from collections.abc import Iterator, Sequence

from botocore.exceptions import ClientError

from thumbs.errors import SourceMissing, StorageDenied, StorageFailed
from thumbs.sources.object_store import PAGE_KEYS, NotConditional
from thumbs.sources.reading import Deadline, read_exactly
from thumbs.sources.s3.client import S3Client
from thumbs.sources.s3.source import S3Source

# 412 where an object is there; 409 where another client writes it just now.
_EXISTS = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})
# What compatible services answer that do not know the header. Others ignore it.
_UNKNOWN_CONDITION = frozenset({"NotImplemented", "501", "InvalidArgument", "InvalidRequest"})


class S3Objects:
    """The objects of the bucket of `source`, each key with `location` before it. `close` closes `source`."""

    def __init__(self, source: S3Source, *, location: str = "") -> None:
        self._source = source
        self._location = location

    def get(self, key: str, deadline: Deadline) -> bytes | None:
        try:
            with self._client(deadline) as client:
                answer = client.get_object(Bucket=self._source.bucket, Key=self._location + key)
                length = answer.get("ContentLength")
                if length is None:
                    raise StorageFailed
                return read_exactly(answer["Body"].read, length, deadline=deadline)
        except SourceMissing:
            return None

    def put(self, key: str, data: bytes, deadline: Deadline) -> None:
        with self._client(deadline) as client:
            client.put_object(Bucket=self._source.bucket, Key=self._location + key, Body=data)

    def put_new(self, key: str, data: bytes, deadline: Deadline) -> bool:
        try:
            with self._client(deadline) as client:
                client.put_object(Bucket=self._source.bucket, Key=self._location + key, Body=data, IfNoneMatch="*")
        except StorageFailed as error:
            code = _code_of(error)
            if code in _EXISTS:
                return False
            if code in _UNKNOWN_CONDITION:
                raise NotConditional from error
            raise
        return True

    def delete(self, keys: Sequence[str], deadline: Deadline) -> None:
        objects = [{"Key": self._location + key} for key in keys]
        if not objects:
            return
        with self._client(deadline) as client:
            answer = client.delete_objects(Bucket=self._source.bucket, Delete={"Objects": objects, "Quiet": True})
            if answer.get("Errors"):  # of single keys, with status 200
                raise StorageFailed from OSError(f"an object is not deleted: {answer['Errors'][0].get('Code')}")

    def page(self, prefix: str, after: str, deadline: Deadline) -> list[str]:
        more = {"StartAfter": self._location + after} if after else {}
        with self._client(deadline) as client:
            answer = client.list_objects_v2(
                Bucket=self._source.bucket, Prefix=self._location + prefix, MaxKeys=PAGE_KEYS, **more
            )
        return [named["Key"].removeprefix(self._location) for named in answer.get("Contents", ())]

    def close(self) -> None:
        self._source.close()

    @contextlib.contextmanager
    def _client(self, deadline: Deadline) -> Iterator[S3Client]:
        """A missing key stays `SourceMissing`. One that is denied is a failure: all of these permissions are needed."""
        try:
            with self._source.client(deadline) as client:
                yield client
        except SourceMissing as error:
            if type(error) is SourceMissing:
                raise
            raise StorageDenied from error.__cause__


def _code_of(error: StorageFailed) -> str:
    cause = error.__cause__
    return str(cause.response.get("Error", {}).get("Code", "")) if isinstance(cause, ClientError) else ""
