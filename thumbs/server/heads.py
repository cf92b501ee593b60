"""Heads of the answers that a connection writes itself, as gunicorn's asgi worker writes them."""

from email.utils import formatdate
from functools import lru_cache

from thumbs.http.messages import Headers

_STATUS_LINES = {
    200: b"HTTP/1.1 200 OK\r\n",
    304: b"HTTP/1.1 304 Not Modified\r\n",
    503: b"HTTP/1.1 503 Service Unavailable\r\n",
}
_SERVER = b"Server: gunicorn/asgi\r\n"  # the same as gunicorn's asgi worker sends
_MAX_HEADS = 1024
_heads: dict[tuple[int, int], tuple[bytes, Headers]] = {}


def head(status: int, headers: Headers) -> bytes:
    """The head of an answer, but for its last line. The memo is by identity, and holds the headers, as `joined`."""
    key = (status, id(headers))
    known = _heads.get(key)
    if known is None:
        lines = [_STATUS_LINES[status]]
        for name, value in headers:
            lines += (name, b": ", value, b"\r\n")
        if len(_heads) >= _MAX_HEADS:
            _heads.clear()
        known = _heads[key] = (b"".join((*lines, _SERVER)), headers)
    return known[0]


@lru_cache(maxsize=2)
def dated(second: int) -> bytes:
    """The last line of the head, and its end."""
    return f"Date: {formatdate(second, usegmt=True)}\r\n\r\n".encode("ascii")
