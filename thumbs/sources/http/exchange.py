"""One request and its response in HTTP/1.1 (RFC 9112), read strictly: what has two readings is refused."""

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from thumbs.errors import SourceTooLarge
from thumbs.sources.http.url import RemoteUrl
from thumbs.sources.http.wire import Wire
from thumbs.sources.reading import Interrupted

_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: [^\r\n]*)?\r?\n")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)")
_MOST_FIELDS = 100
_LENGTH = re.compile(r"[0-9]{1,15}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\r\n]*)?\r?\n")
_PIECE = 1 << 15  # of chunks: what is received ahead must not count as framing
_SMALL_PIECE = 1 << 12
_MOST_DISCARDED = 1 << 16
_BODILESS = (204, 304)
_PLAIN = ("", "identity")
_MOST_INTERIM = 32  # responses of 1xx, whose headers are parsed and not used


@dataclass(frozen=True, slots=True)
class Fields:
    """Header fields in their order, names in lower case, values without blanks around them."""

    pairs: Sequence[tuple[str, str]] = ()

    def get_all(self, name: str) -> list[str]:
        name = name.lower()
        return [value for other, value in self.pairs if other == name]


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers. `length` is None for chunks, and for a body that ends with the connection."""

    status: int
    fields: Fields
    length: int | None
    chunked: bool
    keeps_alive: bool

    def get(self, name: str) -> str:
        """The value of a field, of the first one where there are several; empty without one."""
        return next(iter(self.fields.get_all(name)), "")


def request_of(url: RemoteUrl, headers: Mapping[str, str]) -> bytes:
    """A GET. `headers` have no line breaks: the configuration is checked, and all others are constants."""
    lines = [f"GET {url.target} HTTP/1.1", f"Host: {url.origin.authority}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def read_head(wire: Wire) -> Head:
    """The head of the next final response: up to 32 of 1xx come before it. Raises `Interrupted`, `StorageTimeout`."""
    for _ in range(_MOST_INTERIM + 1):
        match = _STATUS.fullmatch(wire.readline())
        if match is None:
            raise Interrupted
        fields = _fields_of(wire)
        status = int(match[2])
        if status >= 200:
            return _framed(status, fields, is_old=match[1] == b"0")
        if status == 101:
            break
    raise Interrupted


def _fields_of(wire: Wire) -> Fields:
    """RFC 9112, 5, without folded lines. Raises `Interrupted` for any other line, and for the hundred-and-first."""
    pairs: list[tuple[str, str]] = []
    for line in _field_lines(wire):
        match = _FIELD.fullmatch(line)
        if match is None or len(pairs) == _MOST_FIELDS:
            raise Interrupted
        pairs.append((match[1].decode("ascii").lower(), match[2].rstrip(b" \t").decode("latin-1")))
    return Fields(pairs)


def _field_lines(wire: Wire) -> Iterator[bytes]:
    """The lines before the empty one, without their ends."""
    block = wire.lines()
    if block:
        yield from block.split(b"\r\n")[:-2]
        return
    while (line := wire.readline()) not in (b"\r\n", b"\n"):
        if not line.endswith(b"\n"):
            raise Interrupted
        yield line[:-2] if line.endswith(b"\r\n") else line[:-1]


def _framed(status: int, fields: Fields, *, is_old: bool) -> Head:
    """RFC 9112, 6.3. A length beside chunks, two lengths and other codings are what requests are smuggled by."""
    lengths, codings = fields.get_all("Content-Length"), fields.get_all("Transfer-Encoding")
    if len(lengths) + len(codings) > 1 or (codings and (is_old or codings[0].lower() != "chunked")):
        raise Interrupted
    length = None
    if lengths:
        if not _LENGTH.fullmatch(lengths[0]):
            raise Interrupted
        length = int(lengths[0])
    if status in _BODILESS:
        length, codings = 0, []
    options = {option.strip().lower() for option in ",".join(fields.get_all("Connection")).split(",")}
    keeps_alive = "close" not in options and (not is_old or "keep-alive" in options)
    return Head(status, fields, length, bool(codings), keeps_alive and (length is not None or bool(codings)))


def read_body(wire: Wire, head: Head, max_bytes: int) -> bytes:
    """The whole body, decoded. Raises `SourceTooLarge` for more than `max_bytes`, encoded or decoded.

    Raises `Interrupted` where it ends early or has a coding that was not asked for, and `StorageTimeout`.
    """
    if head.length is not None and head.length > max_bytes:
        raise SourceTooLarge
    coding = ", ".join(head.fields.get_all("Content-Encoding")).lower()
    if head.length is not None and coding in _PLAIN:
        return _whole(wire, head.length)
    pieces = _within(_pieces(wire, head), max_bytes)
    if coding in ("gzip", "x-gzip"):
        pieces = _within(_gunzipped(pieces, max_bytes), max_bytes)
    elif coding not in _PLAIN:
        raise Interrupted
    return b"".join(_coalesced(pieces))


def discard_body(wire: Wire, head: Head) -> bool:
    """Read a short body away. Returns whether the connection can be used again."""
    if head.length is None or head.length > _MOST_DISCARDED or not head.keeps_alive:
        return False
    for _ in _pieces(wire, head):
        pass
    return True


def _coalesced(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes. Small pieces are put together, so that an object for each takes no memory."""
    small = bytearray()
    for piece in pieces:
        if len(piece) < _SMALL_PIECE:
            small += piece
            if len(small) < _PIECE:
                continue
            yield bytes(small)
            small.clear()
        else:
            if small:
                yield bytes(small)
                small.clear()
            yield piece
    if small:
        yield bytes(small)


def _within(pieces: Iterator[bytes], max_bytes: int) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > max_bytes:
            raise SourceTooLarge
        yield piece


def _pieces(wire: Wire, head: Head) -> Iterator[bytes]:
    if head.chunked:
        yield from _chunks(wire)
    elif head.length is not None:
        yield _whole(wire, head.length)
    else:
        while piece := _counted(wire, _PIECE):
            yield piece


def _whole(wire: Wire, size: int) -> bytes:
    data = wire.read(size)
    if len(data) < size:
        raise Interrupted
    return data


def _chunks(wire: Wire) -> Iterator[bytes]:
    """RFC 9112, 7.1."""
    while True:
        match = _CHUNK.fullmatch(wire.readline())
        if match is None:
            raise Interrupted
        size = int(match[1], 16)
        if not size:
            break
        yield from _exactly(wire, size)
        if wire.readline(2) not in (b"\r\n", b"\n"):
            raise Interrupted
    while (line := wire.readline()) not in (b"\r\n", b"\n"):  # trailers, which say nothing of a picture
        if not line:
            raise Interrupted


def _exactly(wire: Wire, size: int) -> Iterator[bytes]:
    while size:
        piece = _counted(wire, min(size, _PIECE))
        if not piece:
            raise Interrupted
        size -= len(piece)
        yield piece


def _counted(wire: Wire, most: int) -> bytes:
    piece = wire.receive(most)
    wire.payload += len(piece)
    return piece


def _gunzipped(pieces: Iterator[bytes], max_bytes: int) -> Iterator[bytes]:
    """One layer of gzip. For each piece, at most one byte more than `max_bytes`: a small body can become gigabytes."""
    inflate = zlib.decompressobj(wbits=31)
    try:
        for piece in pieces:
            if inflate.eof:  # bytes behind the end
                raise Interrupted
            yield inflate.decompress(piece, max_bytes + 1)
    except zlib.error as error:
        raise Interrupted from error
    if not inflate.eof or inflate.unused_data:
        raise Interrupted


def location_of(head: Head) -> str | None:
    """The target of a redirect; None where there is not exactly one."""
    found = head.fields.get_all("Location")
    return found[0] if len(found) == 1 else None
