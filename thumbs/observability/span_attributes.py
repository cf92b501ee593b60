"""The attributes of spans: those of OpenTelemetry's conventions for HTTP servers, and `mage.…`.

Of a path, only what stands before the signature is kept, and of the key of an original nothing from a `?` on.
"""

from collections.abc import Collection

from thumbs.http.messages import Request
from thumbs.http.trace_fields import TraceFields
from thumbs.request.resolve import ThumbRequest

Attributes = dict[str, str | bool | int | float]

# RFC 9110 and RFC 5789. Other methods are `_OTHER`, as a client may send any text.
_METHODS = frozenset(("GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "CONNECT", "TRACE"))
_OTHER = "_OTHER"
_ROUTE = "/{storage}/thumbs/{thumbnail}"
_THUMBS = b"/thumbs/"
_PORTS = {"http": 80, "https": 443}


def method_of(request: Request) -> str:
    """The method as the name of a span has it."""
    return request.method if request.method in _METHODS else "HTTP"


def of_request(request: Request, fields: TraceFields, storages: Collection[str]) -> Attributes:
    """What is known of a request before it is resolved. `storages` are the names that a path may have."""
    found: Attributes = {
        "http.request.method": request.method if request.method in _METHODS else _OTHER,
        "http.route": f"{request.dialect}{{thumbnail}}" if request.dialect else _ROUTE,
        "url.scheme": fields.scheme,
        "url.path": request.dialect or _path_of(request.path, storages),
    }
    host, port = _host_of(fields.host, fields.scheme)
    found |= {"server.address": host, "server.port": port} if host else {}
    optional = {
        "network.peer.address": request.peer,
        "network.protocol.version": fields.http_version,
        "user_agent.original": fields.user_agent,
    }
    return found | {name: value for name, value in optional.items() if value}


def of_thumb(thumb: ThumbRequest | None) -> Attributes:
    """The storage, the key and the output format."""
    if thumb is None:
        return {}
    width, height = thumb.transform.width or "", thumb.transform.height or ""
    return {
        "mage.storage": thumb.storage,
        "mage.key": thumb.path.partition("?")[0],
        "mage.size": f"{width}x{height}",
        "mage.format": str(thumb.transform.format),
    }


def of_answer(status: int, layer: str, code: str) -> Attributes:
    """The status, the layer, and the code of an error. `error.type` only of what is the server's own failure."""
    found: Attributes = {"http.response.status_code": status}
    optional = {"mage.layer": layer, "mage.code": code, "error.type": (code or str(status)) if status >= 500 else ""}
    return found | {name: value for name, value in optional.items() if value}


def _path_of(path: bytes, storages: Collection[str]) -> str:
    """`/{storage}/thumbs/`; `/` where that is no storage: such a path may begin with anything, a signature too."""
    name = path[1:].partition(b"/")[0].decode("utf-8", "replace")
    return f"/{name}/thumbs/" if name in storages and path.startswith(_THUMBS, 1 + len(name)) else "/"


def _host_of(host: str, scheme: str) -> tuple[str, int]:
    name, colon, port = host.rpartition(":")
    if colon and port.isascii() and port.isdecimal() and not name.endswith(":"):
        return name.strip("[]"), int(port)
    return host.strip("[]"), _PORTS.get(scheme, 80)
