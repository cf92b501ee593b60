"""What a trace needs of the HTTP message of a request, beside `Request`."""

from collections.abc import Mapping
from typing import NamedTuple

# Names of header fields, lower case, and the field of `TraceFields` for each.
NAMES = {"traceparent": "traceparent", "tracestate": "tracestate", "host": "host", "user-agent": "user_agent"}


class TraceFields(NamedTuple):
    """`traceparent` and `tracestate` are the fields of W3C Trace Context, as received: any client may send them."""

    traceparent: str = ""
    tracestate: str = ""
    host: str = ""
    user_agent: str = ""
    scheme: str = "http"
    http_version: str = ""


def from_environ(environ: Mapping[str, str], scheme: str) -> TraceFields:
    """Those of a WSGI environment, or of `META` of a request of Django."""
    values = {field: environ.get(f"HTTP_{name.upper().replace('-', '_')}", "") for name, field in NAMES.items()}
    version = environ.get("SERVER_PROTOCOL", "").removeprefix("HTTP/")
    return TraceFields(**values, scheme=scheme, http_version=version)
