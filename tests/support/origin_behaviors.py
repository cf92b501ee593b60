"""How origins behave: whole originals, what is none and the error that it becomes, and responses without end."""

import gzip
import socket
import time

from tests.support.origins import MAX_BYTES, Behavior, Received, response
from thumbs.errors import SourceDenied, SourceMissing, SourceTooLarge, StorageFailed, ThumbError

DATA = bytes(range(256)) * 100
LARGE = b"\0" * (MAX_BYTES + 1)


def _raw(head: str, body: bytes = b"", *, stays: bool = False) -> Behavior:
    """Writes a head, with line breaks for CRLF, and a body; then the connection ends, unless it stays."""

    def behave(connection: socket.socket, _: Received) -> bool:
        connection.sendall(head.replace("\n", "\r\n").encode("latin-1") + body)
        return stays

    return behave


def _chunks(*chunks: bytes, trailer: bytes = b"") -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n" + trailer + b"\r\n"


_OK = "HTTP/1.1 200 OK\n"
_CHUNKED = f"{_OK}Transfer-Encoding: chunked\n\n"
# Whole originals.
WHOLE: dict[str, bytes | Behavior] = {
    "length": response(DATA),
    "bare line feeds": _raw(_OK.replace("\n", "") + "\n", b"Content-Length: 25600\n\n" + DATA),
    "chunks": _raw(_CHUNKED, _chunks(DATA[:1000], DATA[1000:]), stays=True),
    "many small chunks": _raw(_CHUNKED, _chunks(*(DATA[at : at + 16] for at in range(0, len(DATA), 16))), stays=True),
    "chunk extensions": _raw(_CHUNKED, b"6400;name=value\r\n" + DATA + b"\r\n0;last\r\n\r\n", stays=True),
    "trailers": _raw(_CHUNKED, _chunks(DATA, trailer=b"Server-Timing: a\r\nETag: b\r\n"), stays=True),
    "until the end": _raw(f"{_OK}Connection: close\n\n", DATA),
    "HTTP/1.0": _raw("HTTP/1.0 200 OK\n\n", DATA),
    "gzip": response(gzip.compress(DATA), Content_Encoding="gzip"),
    "x-gzip in chunks": _raw(
        f"{_OK}Content-Encoding: x-gzip\nTransfer-Encoding: chunked\n\n", _chunks(gzip.compress(DATA)), stays=True
    ),
    "identity": response(DATA, Content_Encoding="identity"),
    "100 Continue": _raw("HTTP/1.1 100 Continue\n\n", response(DATA), stays=True),
    "103 Early Hints": _raw("HTTP/1.1 103 Early Hints\nLink: </a>\n\n", response(DATA), stays=True),
    "102 and 103": _raw("HTTP/1.1 102 Processing\n\nHTTP/1.1 103 Early Hints\n\n", response(DATA), stays=True),
    "no reason phrase": _raw("HTTP/1.1 200\nContent-Length: 25600\n\n", DATA, stays=True),
    "another type": response(DATA, Content_Type="text/html"),
    "a cookie": response(DATA, Set_Cookie="a=b"),
    "at the limit": response(LARGE[:-1]),
}
# What is no original, and the error.
REFUSED: dict[str, tuple[bytes | Behavior, type[ThumbError]]] = {
    **{f"{status}": (response(b"x", f"{status} X"), SourceMissing) for status in (404, 410, 451)},
    **{f"{status}": (response(b"x", f"{status} X"), SourceDenied) for status in (401, 403)},
    **{
        f"{status}": (response(DATA, f"{status} X"), StorageFailed)
        for status in (
            201,
            202,
            203,
            206,
            300,
            305,
            306,
            399,
            400,
            402,
            405,
            406,
            408,
            409,
            429,
            500,
            502,
            503,
            504,
            599,
        )
    },
    "204": (_raw("HTTP/1.1 204 No Content\n\n", stays=True), StorageFailed),
    "304 without a condition": (_raw("HTTP/1.1 304 Not Modified\n\n", stays=True), StorageFailed),
    "101": (_raw("HTTP/1.1 101 Switching Protocols\nUpgrade: x\n\n"), StorageFailed),
    "nothing": (_raw(""), StorageFailed),
    "no HTTP": (_raw("SSH-2.0-OpenSSH_9.2p1\n"), StorageFailed),
    "HTTP/0.9": (_raw("", DATA), StorageFailed),
    "HTTP/2": (_raw("HTTP/2 200\nContent-Length: 1\n\nx"), StorageFailed),
    "status of four digits": (_raw("HTTP/1.1 2000 OK\n\n"), StorageFailed),
    "cut in the head": (_raw(f"{_OK}Content-Le"), StorageFailed),
    "cut in the body": (_raw(f"{_OK}Content-Length: 25600\n\n", DATA[:-1]), StorageFailed),
    "cut in a chunk": (_raw(_CHUNKED, b"6400\r\n" + DATA[:-1]), StorageFailed),
    "cut between chunks": (_raw(_CHUNKED, b"6400\r\n" + DATA + b"\r\n"), StorageFailed),
    "cut before the end of the trailers": (_raw(_CHUNKED, _chunks(DATA)[:-2]), StorageFailed),
    "two lengths": (_raw(f"{_OK}Content-Length: 5\nContent-Length: 5\n\n12345"), StorageFailed),
    "two different lengths": (_raw(f"{_OK}Content-Length: 5\nContent-Length: 4\n\n12345"), StorageFailed),
    "a list of lengths": (_raw(f"{_OK}Content-Length: 5, 5\n\n12345"), StorageFailed),
    "a negative length": (_raw(f"{_OK}Content-Length: -1\n\n12345"), StorageFailed),
    "a signed length": (_raw(f"{_OK}Content-Length: +5\n\n12345"), StorageFailed),
    "a length that is no number": (_raw(f"{_OK}Content-Length: five\n\n12345"), StorageFailed),
    "a length beside chunks": (
        _raw(f"{_OK}Content-Length: 5\nTransfer-Encoding: chunked\n\n", _chunks(b"12345")),
        StorageFailed,
    ),
    "another transfer coding": (_raw(f"{_OK}Transfer-Encoding: gzip, chunked\n\n", _chunks(DATA)), StorageFailed),
    "two transfer codings": (
        _raw(f"{_OK}Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n\n", _chunks(DATA)),
        StorageFailed,
    ),
    "chunks in HTTP/1.0": (_raw("HTTP/1.0 200 OK\nTransfer-Encoding: chunked\n\n", _chunks(DATA)), StorageFailed),
    "a negative chunk": (_raw(_CHUNKED, b"-5\r\n12345\r\n0\r\n\r\n"), StorageFailed),
    "a chunk with a prefix": (_raw(_CHUNKED, b"0x5\r\n12345\r\n0\r\n\r\n"), StorageFailed),
    "a chunk with an underscore": (_raw(_CHUNKED, b"1_0\r\n1234567890123456\r\n0\r\n\r\n"), StorageFailed),
    "a chunk that is too long": (_raw(_CHUNKED, b"5\r\n1234567\r\n0\r\n\r\n"), StorageFailed),
    "a header without a colon": (_raw(f"{_OK}Content-Length 5\n\n12345"), StorageFailed),
    "101 headers": (_raw(_OK + "A: b\n" * 101 + "\n"), StorageFailed),
    "a line of 20 KiB": (_raw(f"{_OK}A: {'x' * 20_000}\n\n"), StorageFailed),
    "headers of 200 KiB": (_raw(_OK + f"A: {'x' * 10_000}\n" * 20 + "\n"), StorageFailed),
    "100 Continue without end": (_raw("HTTP/1.1 100 Continue\n\n" * 10_000), StorageFailed),
    "chunks of one byte": (_raw(_CHUNKED, _chunks(*[b"x"] * 100_000)), StorageFailed),
    "extensions without end": (_raw(_CHUNKED, (b"1;" + b"x" * 10_000 + b"\r\ny\r\n") * 20), StorageFailed),
    "trailers without end": (_raw(_CHUNKED, _chunks(DATA, trailer=b"A: b\r\n" * 40_000)), StorageFailed),
    "brotli": (response(DATA, Content_Encoding="br"), StorageFailed),
    "deflate": (response(DATA, Content_Encoding="deflate"), StorageFailed),
    "two codings": (response(gzip.compress(gzip.compress(DATA)), Content_Encoding="gzip, gzip"), StorageFailed),
    "no gzip": (response(DATA, Content_Encoding="gzip"), StorageFailed),
    "cut gzip": (response(gzip.compress(DATA)[:-4], Content_Encoding="gzip"), StorageFailed),
    "bytes behind gzip": (response(gzip.compress(DATA) + b"x", Content_Encoding="gzip"), StorageFailed),
    "over the limit by its length": (_raw(f"{_OK}Content-Length: {MAX_BYTES + 1}\n\n"), SourceTooLarge),
    "over the limit in chunks": (_raw(_CHUNKED, _chunks(LARGE)), SourceTooLarge),
    "over the limit until the end": (_raw(f"{_OK}\n", LARGE), SourceTooLarge),
    "a gzip bomb": (response(gzip.compress(LARGE * 30), Content_Encoding="gzip"), SourceTooLarge),
}


def _drip(start: bytes, drop: bytes) -> Behavior:
    """A start, and then drops without end."""

    def behave(connection: socket.socket, _: Received) -> bool:
        connection.sendall(start)
        while True:
            connection.sendall(drop)
            time.sleep(0.02)

    return behave


DRIPPING = {
    "silence": lambda connection, _: bool(connection.recv(1)),
    "status": _drip(b"", b"H"),
    "headers": _drip(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
    "100 Continue": _drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": _drip(b"HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n", b"x"),
    "body until the end": _drip(b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
    "chunks": _drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "trailers": _drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n"),
    "redirects": lambda connection, _: (
        not connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 5\r\n\r\n12")
    ),
}
