"""What a response may cost: bytes, calls and memory are bounded, whatever an origin sends. No time is measured.

The connection is a socket of the test, so that each piece is exactly as large as the row says.
"""

import cProfile
import functools
import gzip
import itertools
import tracemalloc
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import cast

import pytest

from thumbs.errors import SourceTooLarge, StorageFailed
from thumbs.sources.http.exchange import read_body, read_head
from thumbs.sources.http.wire import Wire
from thumbs.sources.reading import Deadline

MAX_BYTES = 64 << 20  # the default of limits.max_source_mb
SMALL = 1 << 20
# A quarter of a second of a slow core. A picture of this size in one piece takes fewer than a thousand.
MOST_CALLS = 2_000_000
MOST_FRAMING = 512 * 1024
# What is called without end here ends: it is read in fewer receives.
MOST_RECEIVES = 100_000
_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"


class Pieces:
    """A connected socket on which each `recv` is the next piece, or a part of it. `received` counts the bytes."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""
        self.received = 0

    def settimeout(self, seconds: float) -> None:
        assert seconds > 0

    def recv(self, most: int) -> bytes:
        piece = self._rest or next(self._pieces, b"")
        self._rest = piece[most:]
        piece = piece[:most]
        self.received += len(piece)
        if self.received > 3 * MAX_BYTES:
            raise AssertionError("it is read on and on")
        return piece

    def recv_into(self, view: memoryview) -> int:
        piece = self.recv(len(view))
        view[: len(piece)] = piece
        return len(piece)


class Budget:
    """Counts the calls of Python and C functions in a `with` block. There may be `most`.

    cProfile counts them, as a function of Python takes far longer than most of the calls.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._profile = cProfile.Profile()

    def __enter__(self) -> None:
        self._profile.enable()

    def __exit__(self, *_: object) -> None:
        self._profile.disable()
        assert sum(entry.callcount for entry in self._profile.getstats()) <= self._most


def _read(pieces: Pieces, max_bytes: int = MAX_BYTES) -> bytes:
    wire = Wire(cast("object", pieces), Deadline(3600.0))  # type: ignore[arg-type]
    return read_body(wire, read_head(wire), max_bytes)


def _in(size: int, start: bytes, rest: Iterable[bytes] = ()) -> Iterator[bytes]:
    """The bytes of a response in pieces of `size`."""
    for data in itertools.chain([start], rest):
        for at in range(0, len(data), size):
            yield data[at : at + size]


def _packets(start: bytes, again: bytes) -> Iterator[bytes]:
    """A start, and then the same bytes without end, in pieces of 64 KiB."""
    yield start
    many = again * max(1, 65536 // len(again))
    while True:
        yield many


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _empty_blocks() -> Iterator[bytes]:
    """A gzip stream without a byte of data: stored blocks of length 0, without end."""
    yield _OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"", mtime=0)[:10]
    while True:
        yield b"\x00\x00\x00\xff\xff" * 13_000


@functools.cache
def _bomb() -> bytes:
    """More than a picture may have."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(MAX_BYTES // (1 << 20) + 1)), packer.flush()])


# Without an end, all of them.
ENDLESS: dict[str, Callable[[], Iterable[bytes]]] = {
    "a status line": lambda: _packets(b"HTTP/1.1 200 ", b"x"),
    "a header line": lambda: _packets(_OK + b"A: ", b"x"),
    "header lines": lambda: _packets(_OK, b"A: b\r\n"),
    "empty header lines": lambda: _packets(_OK, b"A:\n"),
    "a folded header": lambda: _packets(_OK + b"A: b\r\n", b" c\r\n"),
    "long header lines": lambda: _packets(_OK, b"A: " + b"x" * 16_000 + b"\r\n"),
    "100 Continue": lambda: _packets(b"", b"HTTP/1.1 100\n\n"),
    "103 with headers": lambda: _packets(b"", b"HTTP/1.1 103 Early Hints\r\n" + b"A:\r\n" * 90 + b"\r\n"),
    "chunks of 1 byte": lambda: _packets(_CHUNKED, _chunk(b"x")),
    "chunks of 3 bytes": lambda: _packets(_CHUNKED, _chunk(b"xyz")),
    "chunks of 5 bytes": lambda: _packets(_CHUNKED, _chunk(b"12345")),
    "chunks of 16 bytes": lambda: _packets(_CHUNKED, _chunk(b"x" * 16)),
    "chunks of 64 bytes": lambda: _packets(_CHUNKED, _chunk(b"x" * 64)),
    "chunks with bare line feeds": lambda: _packets(_CHUNKED, b"7\n1234567\n"),
    "the size of a chunk": lambda: _packets(_CHUNKED, b"0"),
    "an extension": lambda: _packets(_CHUNKED + b"1;", b"x"),
    "extensions": lambda: _packets(_CHUNKED, b"9;a=b;c=d;e=f\r\n123456789\r\n"),
    "a trailer line": lambda: _packets(_CHUNKED + b"0\r\n", b"x"),
    "trailer lines": lambda: _packets(_CHUNKED + b"0\r\n", b"A:\n"),
    "a body in packets of 1 byte": lambda: _in(1, _OK + b"\r\n", itertools.repeat(b"x" * 1000)),
    "a body in packets of 2 bytes": lambda: _in(2, _OK + b"\r\n", itertools.repeat(b"xy" * 500)),
    "a body with a length in packets of 2 bytes": lambda: _in(
        2, _OK + b"Content-Length: 67108864\r\n\r\n", itertools.repeat(b"xy" * 500)
    ),
    "headers in packets of 1 byte": lambda: _in(1, _OK, itertools.repeat(b"A: " + b"x" * 9000 + b"\r\n")),
    "chunks in packets of 1 byte": lambda: _in(1, _CHUNKED, itertools.repeat(_chunk(b"x" * 90))),
    "a body": lambda: _packets(_OK + b"\r\n", b"x"),
    "large chunks": lambda: _packets(_CHUNKED, _chunk(b"x" * 32_768)),
    "gzip without data": _empty_blocks,
    "a bomb of gzip": lambda: _packets(_OK + b"Content-Encoding: gzip\r\n\r\n" + _bomb(), b"x"),
}


_NO_PICTURE = (
    *("a status line", "a header line", "header lines", "empty header lines", "a folded header", "long header lines"),
    *("100 Continue", "103 with headers", "the size of a chunk", "an extension", "a trailer line", "trailer lines"),
    *("headers in packets of 1 byte", "chunks of 1 byte"),
)


@pytest.mark.parametrize("name", ENDLESS)
def test_a_response_without_end_is_refused_after_a_bounded_number_of_calls_and_bytes(name: str) -> None:
    """What is no part of a picture is refused after a few bytes."""
    endless = itertools.islice(ENDLESS[name](), MOST_RECEIVES)
    pieces = Pieces(endless)
    with Budget(MOST_CALLS), pytest.raises(StorageFailed if name in _NO_PICTURE else (StorageFailed, SourceTooLarge)):
        _read(pieces)
    assert next(endless, None) is not None
    assert pieces.received <= (MOST_FRAMING if name in _NO_PICTURE else 2 * MAX_BYTES)


@pytest.mark.parametrize("name", ENDLESS)
def test_a_response_without_end_takes_memory_for_one_original_only(name: str) -> None:
    """The limit is twice here: the pieces, and the whole that they become."""
    pieces = Pieces(ENDLESS[name]())
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        with pytest.raises((StorageFailed, SourceTooLarge)):
            _read(pieces, SMALL)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before <= 3 * SMALL + 1_000_000


ORDINARY: dict[str, tuple[int, bytes, Callable[[bytes], bytes]]] = {
    "in packets of the smallest segment": (536, _OK + b"\r\n", lambda data: data),
    "in chunks of 512 bytes": (
        65536,
        _CHUNKED,
        lambda data: b"".join(_chunk(data[at : at + 512]) for at in range(0, len(data), 512)) + b"0\r\n\r\n",
    ),
    "in chunks of 1 KiB, each a packet": (
        1032,
        _CHUNKED,
        lambda data: b"".join(_chunk(data[at : at + 1024]) for at in range(0, len(data), 1024)) + b"0\r\n\r\n",
    ),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_a_large_original_in_ordinary_pieces_is_read_whole(name: str) -> None:
    size, start, framed = ORDINARY[name]
    data = bytes(range(256)) * (16 << 12)
    assert _read(Pieces(_in(size, start, [framed(data)]))) == data


@pytest.mark.parametrize("size", [1, 7, 65536])
def test_a_small_original_in_small_chunks_is_read_whole(size: int) -> None:
    data = bytes(range(256)) * 64
    chunks = b"".join(_chunk(data[at : at + 12]) for at in range(0, len(data), 12)) + b"0\r\n\r\n"
    assert _read(Pieces(_in(size, _CHUNKED, [chunks]))) == data


@pytest.mark.parametrize("line", [b"A: b\rContent-Length: 5", b"A: b\0", b"A\r: b", b"Content-Length: 5\r"])
def test_a_header_with_a_stray_control_character_is_refused(line: bytes) -> None:
    with pytest.raises(StorageFailed):
        _read(Pieces([_OK + line + b"\r\n\r\n12345"]))


BODY = b"A: b\r\n\r\nthis looks like headers"


@pytest.mark.parametrize("size", [1, 65536])
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
@pytest.mark.parametrize("fields", [b"", b"Server: x"])
def test_the_first_empty_line_ends_the_headers_however_they_arrive(fields: bytes, end: bytes, size: int) -> None:
    head = _OK + (fields + end if fields else b"") + end
    assert _read(Pieces(_in(size, head, [BODY]))) == BODY


@pytest.mark.parametrize("size", [1, 65536])
@pytest.mark.parametrize("line", [b"no colon", b" folded: no", b"A : b", b": no name", "Ä: b".encode(), b"A: b\r\n c"])
def test_a_line_that_is_no_field_is_refused_however_it_arrives(line: bytes, size: int) -> None:
    with pytest.raises(StorageFailed):
        _read(Pieces(_in(size, _OK + b"Server: x\r\n" + line + b"\r\n\r\n", [BODY])))


def test_lines_may_end_differently() -> None:
    assert _read(Pieces([_OK + b"A: b\nContent-Length: 5\r\nC: d\n\r\n1234567"])) == b"12345"


@pytest.mark.parametrize(("count", "is_read"), [(100, True), (101, False)])
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_a_response_has_a_hundred_fields_at_most(end: bytes, count: int, is_read: bool) -> None:
    pieces = Pieces([_OK + (b"A: b" + end) * count + end, BODY])
    if is_read:
        assert _read(pieces) == BODY
    else:
        with pytest.raises(StorageFailed):
            _read(pieces)


def test_blanks_around_a_value_take_no_time_and_do_not_count() -> None:
    length = b" \t" * 3000 + b"5" + b" \t" * 3000
    fields = b"Content-Length:" + length + b"\r\nA:" + b" " * 8000 + b"x" + b" " * 1000 + b"y\r\n\r\n"
    with Budget(1000):
        assert _read(Pieces([_OK + fields, b"12345"])) == b"12345"


def test_a_length_is_read_into_one_piece_of_memory() -> None:
    data = bytes(SMALL)
    pieces = Pieces(_in(65536, _OK + b"Content-Length: %d\r\n\r\n" % len(data), [data]))
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        assert len(_read(pieces)) == SMALL
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before <= 1.3 * SMALL


@pytest.mark.parametrize("coding", ["\x0bchunked", "chunked\x85", "\xa0chunked"])
def test_only_spaces_and_tabs_are_around_a_transfer_coding(coding: str) -> None:
    with pytest.raises(StorageFailed):
        _read(Pieces([_OK + f"Transfer-Encoding: {coding}\r\n\r\n".encode("latin-1") + b"1\r\nx\r\n0\r\n\r\n"]))


@pytest.mark.parametrize(
    "lines", [b"X: 1\nContent-Length: 3\r\n", b"X: 1\r\nContent-Length: 3\n", b"Content-Length: 3\n"]
)
def test_lines_may_end_with_a_line_feed_alone(lines: bytes) -> None:
    """RFC 9112, 2.2."""
    assert _read(Pieces(iter([b"HTTP/1.1 200 OK\r\n" + lines + b"\r\nabc"]))) == b"abc"
