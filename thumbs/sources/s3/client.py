"""boto3's client for one bucket: one attempt for each call, and short timeouts where it fetches credentials."""

import base64
import functools
import hashlib
import os
import ssl
from collections.abc import Callable
from datetime import datetime
from typing import Literal, Protocol, TypedDict, cast

import boto3
import botocore.session
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.httpsession import get_cert_path
from botocore.loaders import Loader

from thumbs.sources.s3.settings import S3Settings

# For boto3's requests for a role's credentials. Timeouts are seconds; boto3's own are 60, with more attempts.
_CREDENTIALS = Config(connect_timeout=5, read_timeout=5, retries={"total_max_attempts": 2})
# botocore's retries sleep past the deadline. Its checksum costs CPU; TCP's checksum and the length suffice.
ONE_ATTEMPT = Config(
    retries={"total_max_attempts": 1, "mode": "standard"},
    response_checksum_validation="when_required",
    request_checksum_calculation="when_required",
)


class _Body(Protocol):
    def read(self, amt: int) -> bytes: ...


class Answer(TypedDict, total=False):
    Body: _Body
    ContentLength: int
    ETag: str
    VersionId: str
    LastModified: datetime


class _ListedObject(TypedDict):
    Key: str


class Page(TypedDict, total=False):
    Contents: list[_ListedObject]
    NextContinuationToken: str


class Deleted(TypedDict, total=False):
    Errors: list[dict[str, str]]


class _Events(Protocol):
    def register(self, event_name: str, handler: Callable[..., object]) -> None: ...


class _Meta(Protocol):
    endpoint_url: str

    @property
    def events(self) -> _Events: ...


class S3Client(Protocol):
    """The part of boto3's client that is used here."""

    @property
    def meta(self) -> _Meta: ...

    def get_object(self, *, Bucket: str, Key: str, Range: str = ...) -> Answer: ...  # noqa: N803

    def head_object(self, *, Bucket: str, Key: str) -> Answer: ...  # noqa: N803

    def head_bucket(self, *, Bucket: str) -> Answer: ...  # noqa: N803

    def list_objects_v2(
        self,
        *,
        Bucket: str,  # noqa: N803
        Prefix: str,  # noqa: N803
        MaxKeys: int,  # noqa: N803
        ContinuationToken: str = ...,  # noqa: N803
        StartAfter: str = ...,  # noqa: N803
    ) -> Page: ...

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, IfNoneMatch: str = ...) -> object: ...  # noqa: N803

    def delete_objects(self, *, Bucket: str, Delete: dict[str, object]) -> Deleted: ...  # noqa: N803


def client_of(settings: S3Settings) -> S3Client:
    addressing: Literal["path", "auto"] = "path" if settings.base_url else "auto"
    client = boto3.Session(botocore_session=_session()).client(
        "s3",
        region_name=settings.region,
        endpoint_url=settings.base_url,
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key,
        config=ONE_ATTEMPT.merge(Config(signature_version="s3v4", s3={"addressing_style": addressing})),
    )
    return cast(S3Client, client)


def add_content_md5(request: AWSRequest, **_: object) -> None:
    """For the event `before-sign.s3.DeleteObjects`: some compatible services know no newer checksum, and refuse it.

    S3 accepts both.
    """
    if "Content-MD5" not in request.headers:
        digest = hashlib.md5(cast(bytes, request.body), usedforsecurity=False).digest()
        request.headers["Content-MD5"] = base64.b64encode(digest).decode("ascii")


def trusted_context() -> ssl.SSLContext:
    """TLS with boto3's authorities: AWS_CA_BUNDLE, its configuration file, REQUESTS_CA_BUNDLE, else the defaults."""
    return _context(_session().get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE"))


@functools.cache
def _loader() -> Loader:
    """The parsed descriptions of AWS's services. All clients share them: parsing is most of the cost of a client."""
    return cast(Loader, botocore.session.Session().get_component("data_loader"))


@functools.cache
def _context(bundle: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=bundle)
    if bundle is None:
        context.load_verify_locations(get_cert_path(True))
    return context


def _session() -> botocore.session.Session:
    session = botocore.session.Session()
    session.register_component("data_loader", _loader())
    session.set_default_client_config(_CREDENTIALS)
    return session
