"""Originals in a bucket: `get_object` on one client for each process, within one deadline, at the announced length.

A missing key is `SourceMissing`. S3's `AccessDenied` is `SourceDenied`, a subclass: where the bucket may not be listed,
S3 answers so for missing keys. A missing bucket, refused credentials and an archived object (`InvalidObjectState`) are
`StorageFailed`. Thumbnails that were made earlier stay valid in all cases but the first.
"""

import contextlib
import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from botocore.exceptions import ClientError, NoCredentialsError, ResponseStreamingError
from urllib3.exceptions import HTTPError

from thumbs.errors import SourceDenied, SourceMissing, SourceTooLarge, StorageDenied, StorageFailed, ThumbError
from thumbs.sources.per_process import PerProcess
from thumbs.sources.reading import Deadline, Interrupted, key_bytes, read_exactly
from thumbs.sources.s3.client import Answer, Page, S3Client, add_content_md5, client_of, trusted_context
from thumbs.sources.s3.settings import S3Http, S3Settings
from thumbs.sources.s3.transport import Transport
from thumbs.sources.source import Original, Version

__all__ = ["S3Http", "S3Settings", "S3Source"]

T = TypeVar("T")

# The numbers are the codes of a response without a body.
_MISSING = frozenset({"NoSuchKey", "NoSuchVersion", "NotFound", "404", "KeyTooLongError"})
_DENIED = frozenset({"AccessDenied", "Forbidden", "403"})
# The three codes with a 4xx status for which S3 recommends another try.
_TEMPORARY = frozenset({"RequestTimeout", "SlowDown", "TooManyRequests"})
_RETRY_SECONDS = 0.1
# Where no credentials are found, calls fail at once for as long: a look-up may take seconds, in which all others wait.
_LOOKUP_SECONDS = 5.0
_FIRST_BYTE = "bytes=0-0"
# The key that `ready` reads where listing is not allowed. It need not exist.
_PROBE = "mage-is-ready"
# This many of the longest keys, percent-encoded and in XML, fit into a mebibyte, the limit of a response's text.
_KEYS_OF_A_PAGE = 250


@dataclass(frozen=True, slots=True)
class _Session:
    client: S3Client
    transport: Transport


class S3Source:
    """The objects of one bucket; a path is a key, verbatim.

    `max_bytes` limits one object, `deadline` is seconds for one call, or `http.request_timeout_sec` when that is
    earlier. A temporary failure (5xx, a broken connection) is tried once more when time is left. Two things cannot be
    interrupted: the lookup of a host's name, and boto3's own requests for a role's credentials, which time out after
    5 s for each attempt.

    `make_client` replaces the client that `settings` describe. Its client must not be used elsewhere.
    """

    def __init__(
        self,
        settings: S3Settings,
        *,
        max_bytes: int,
        deadline: float,
        make_client: Callable[[], S3Client] | None = None,
    ) -> None:
        self._settings = settings
        self._max_bytes = max_bytes
        self._seconds = min(deadline, settings.http.request_timeout_sec or deadline)
        self._make_client = make_client or functools.partial(client_of, settings)
        self._session = PerProcess(self._open_session)
        self._lookup_at = float("-inf")

    def read(self, path: str) -> Original:
        return self._attempt(functools.partial(self._read, path))

    def version(self, path: str) -> Version:
        return self._attempt(functools.partial(self._version, path))

    def ready(self) -> None:
        self._attempt(self._check_bucket)

    @property
    def bucket(self) -> str:
        return self._settings.bucket

    def probe(self) -> None:
        """List one key."""
        try:
            self._attempt(functools.partial(self._page, "", None, 1))
        except SourceDenied:
            raise
        except SourceMissing as error:  # the bucket
            raise StorageFailed from error

    def close(self) -> None:
        session = self._session.made
        if session is not None:
            session.transport.close()

    def paths(self, prefix: str) -> Iterator[str]:
        """In S3's order; the deadline is for each page. Keys that end in a slash, a console's folders, are left out."""
        token: str | None = None
        while True:
            try:
                page = self._attempt(functools.partial(self._page, prefix, token, _KEYS_OF_A_PAGE))
            except SourceDenied as error:
                raise StorageDenied from error
            except SourceMissing:  # no key can begin with this
                return
            yield from (named["Key"] for named in page.get("Contents", ()) if not named["Key"].endswith("/"))
            token = page.get("NextContinuationToken")
            if token is None:
                return

    def _page(self, prefix: str, token: str | None, most: int, deadline: Deadline) -> Page:
        more = {} if token is None else {"ContinuationToken": token}
        key_bytes(prefix)
        with self.client(deadline) as client:
            return client.list_objects_v2(Bucket=self._settings.bucket, Prefix=prefix, MaxKeys=most, **more)

    def _read(self, path: str, deadline: Deadline) -> Original:
        key_bytes(path)
        with self.client(deadline) as client:
            answer = client.get_object(Bucket=self._settings.bucket, Key=path)
            length = answer.get("ContentLength")
            if length is None:
                # Without it, a truncated body could not be told from a whole one.
                raise StorageFailed
            if length > self._max_bytes:
                raise SourceTooLarge
            data = read_exactly(answer["Body"].read, length, deadline=deadline)
        return Original(data, _version_of(answer))

    def _version(self, path: str, deadline: Deadline) -> Version:
        key_bytes(path)
        try:
            with self.client(deadline) as client:
                return _version_of(client.head_object(Bucket=self._settings.bucket, Key=path))
        except SourceMissing:
            return self._version_of_first_byte(path, deadline)

    def _version_of_first_byte(self, path: str, deadline: Deadline) -> Version:
        """A response to HEAD has no body: it does not tell a missing key from a missing bucket or refused keys."""
        with self.client(deadline) as client:
            return _version_of(client.get_object(Bucket=self._settings.bucket, Key=path, Range=_FIRST_BYTE))

    def _check_bucket(self, deadline: Deadline) -> None:
        try:
            with self.client(deadline) as client:
                client.head_bucket(Bucket=self._settings.bucket)
        except SourceMissing:
            with contextlib.suppress(SourceMissing):
                self._version_of_first_byte(_PROBE, deadline)

    def _attempt(self, call: Callable[[Deadline], T]) -> T:
        deadline = Deadline(self._seconds)
        try:
            return call(deadline)
        except Interrupted:
            time.sleep(min(_RETRY_SECONDS, deadline.left()))
            return call(deadline)

    @contextlib.contextmanager
    def client(self, deadline: Deadline) -> Iterator[S3Client]:
        """The client of this process, for one call that ends by `deadline`. Raises a `ThumbError` for every failure.

        The only place that catches exceptions of boto3 and urllib3.
        """
        try:
            session = self._session.get()
            with session.transport.within(deadline), self._with_credentials(session):
                yield session.client
        except ThumbError:
            raise
        except ClientError as error:
            raise _failure_of(error) from error
        except (HTTPError, ResponseStreamingError) as error:
            deadline.left()
            raise Interrupted from error
        except Exception as error:
            raise StorageFailed from error

    @contextlib.contextmanager
    def _with_credentials(self, session: _Session) -> Iterator[None]:
        """A client without credentials never gets any, and boto3 makes one where a role's could not be fetched."""
        try:
            yield
        except NoCredentialsError:
            self._lookup_at = time.monotonic() + _LOOKUP_SECONDS
            self._session.forget(session)
            raise

    def _open_session(self) -> _Session:
        if time.monotonic() < self._lookup_at:
            raise NoCredentialsError
        client = self._make_client()
        transport = Transport(client.meta.endpoint_url, self._settings.http, trusted_context())
        client.meta.events.register("before-sign.s3.DeleteObjects", add_content_md5)
        client.meta.events.register("before-send.s3", transport.send)
        return _Session(client, transport)


def _version_of(answer: Answer) -> Version:
    tag, version, modified = answer.get("ETag"), answer.get("VersionId"), answer.get("LastModified")
    token = f"{tag}@{version}" if tag and version else tag
    return Version(token or None, int(modified.timestamp()) if modified else None)


def _failure_of(error: ClientError) -> ThumbError:
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _MISSING:
        return SourceMissing()
    if code in _DENIED:
        return SourceDenied()
    if status >= 500 or code in _TEMPORARY:
        return Interrupted()
    return StorageFailed()
