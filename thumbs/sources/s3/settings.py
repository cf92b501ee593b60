"""The keys of driver `s3`: a bucket, the way to it, the limits of its connections. It needs no boto3."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from thumbs import extras
from thumbs.problems import INCOMPLETE, MISSING_KEY, WRONG_VALUE, Problem

DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class S3Http:
    """The limits of the connections to an object store, with the names and meanings of Go's `http.Transport`.

    Counts and seconds; 0 is no limit of its own: the source's deadline still holds. All limits hold for each process
    and each source by itself; a source connects to one host:

    * `max_idle_conns`, `max_idle_conns_per_host`: idle connections kept, by the lower of the two. A connection over
      that is closed after its response.
    * `max_conns_per_host`: connections in use. The next request waits for one, no longer than until its deadline.
    * `idle_conn_timeout_sec`: a connection that was idle for longer is never used again. It is closed when a request
      next takes a connection: no thread closes it earlier.
    * `connect_timeout_sec`: TCP, a proxy and TLS together, all addresses together. The system's resolver looks up the
      name, with its own timeouts.
    * `response_header_timeout_sec`: from the request's last byte to the last byte of the response's headers.
    * `request_timeout_sec`: one read of a source, first byte to last, its one retry included.

    Where boto3 fetches the credentials of a role, it has timeouts of its own: see `S3Source`.
    """

    max_idle_conns: int = 100
    max_idle_conns_per_host: int = 100
    max_conns_per_host: int = 0
    idle_conn_timeout_sec: float = 90.0
    connect_timeout_sec: float = 10.0
    request_timeout_sec: float = 30.0
    response_header_timeout_sec: float = 10.0


@dataclass(frozen=True, slots=True)
class S3Settings:
    """A bucket and the way to it.

    Without `access_key` and `secret_key` boto3's own chain finds the credentials: environment, profile, role.
    `base_url` is the endpoint of a compatible service, addressed in path style, and needs both keys.
    """

    bucket: str
    region: str = DEFAULT_REGION
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    base_url: str | None = None
    http: S3Http = field(default_factory=S3Http, metadata={"key": "s3_http_config"})


def problems(settings: S3Settings) -> Iterator[Problem]:
    if not settings.bucket:
        yield Problem(MISSING_KEY, "bucket", "is required with driver s3.", 'Such as "bucket": "photos".')
    if (settings.access_key is None) != (settings.secret_key is None):
        missing = "access_key" if settings.access_key is None else "secret_key"
        yield Problem(INCOMPLETE, missing, "is required when the other key is given.")
    elif settings.base_url is not None and settings.access_key is None:
        yield Problem(INCOMPLETE, "access_key", "and secret_key are required with base_url.")
    if settings.base_url is not None and urlsplit(settings.base_url).scheme not in ("http", "https"):
        yield Problem(WRONG_VALUE, "base_url", "must be a URL that begins with http:// or https://.")
    yield from extras.missing("driver", "driver s3", "s3")
