"""boto3's client for one bucket, made as `S3Settings` say: one attempt a call, quick to give up on credentials."""

import functools
import os
import ssl
from collections.abc import Callable
from datetime import datetime
from typing import Literal, Protocol, TypedDict, cast

import boto3
import botocore.session
from botocore.config import Config
from botocore.httpsession import get_cert_path
from botocore.loaders import Loader

from thumbs.sources.s3.settings import S3Settings

# What boto3 sends by itself, to fetch a role's credentials: seconds, where its own are 60 and several attempts.
_CREDENTIALS = Config(connect_timeout=5, read_timeout=5, retries={"total_max_attempts": 2})
# botocore's own retries sleep without a look at the deadline. A checksum beside the length and TCP's own costs CPU.
ONE_ATTEMPT = Config(
    retries={"total_max_attempts": 1, "mode": "standard"}, response_checksum_validation="when_required"
)


class _Streamed(Protocol):
    def read(self, amt: int) -> bytes: ...


class Answer(TypedDict, total=False):
    Body: _Streamed
    ContentLength: int
    ETag: str
    VersionId: str
    LastModified: datetime


class _Named(TypedDict):
    Key: str


class Page(TypedDict, total=False):
    Contents: list[_Named]
    NextContinuationToken: str


class _Events(Protocol):
    def register(self, event_name: str, handler: Callable[..., object]) -> None: ...


class _Meta(Protocol):
    endpoint_url: str

    @property
    def events(self) -> _Events: ...


class S3Client(Protocol):
    """What we ask of boto3's client."""

    @property
    def meta(self) -> _Meta: ...

    def get_object(self, *, Bucket: str, Key: str, Range: str = ...) -> Answer: ...  # noqa: N803

    def head_object(self, *, Bucket: str, Key: str) -> Answer: ...  # noqa: N803

    def head_bucket(self, *, Bucket: str) -> Answer: ...  # noqa: N803

    def list_objects_v2(self, *, Bucket: str, Prefix: str, MaxKeys: int, ContinuationToken: str = ...) -> Page: ...  # noqa: N803


def client_of(settings: S3Settings) -> S3Client:
    addressing: Literal["path", "auto"] = "path" if settings.base_url else "auto"
    client = boto3.Session(botocore_session=_core()).client(
        "s3",
        region_name=settings.region,
        endpoint_url=settings.base_url,
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key,
        config=ONE_ATTEMPT.merge(Config(signature_version="s3v4", s3={"addressing_style": addressing})),
    )
    return cast(S3Client, client)


def trusted_context() -> ssl.SSLContext:
    """TLS with whom boto3 trusts: AWS_CA_BUNDLE, its own configuration, REQUESTS_CA_BUNDLE, the usual authorities."""
    return _context(_core().get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE"))


@functools.cache
def _loader() -> Loader:
    """The parsed descriptions of AWS's services: the same for all clients, and most of what a client costs."""
    return cast(Loader, botocore.session.Session().get_component("data_loader"))


@functools.cache
def _context(bundle: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=bundle)
    if bundle is None:
        context.load_verify_locations(get_cert_path(True))
    return context


def _core() -> botocore.session.Session:
    core = botocore.session.Session()
    core.register_component("data_loader", _loader())
    core.set_default_client_config(_CREDENTIALS)
    return core
