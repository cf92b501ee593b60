"""The messages between a process that serves and a child that renders: fixed structs, then bytes. Imports no pyvips.

The parent trusts nothing that a child says: an answer is a struct with values from closed lists, and a body of at most
`MAX_BODY` bytes. What the parent sends is pickled, as the child trusts its parent.
"""

import math
import pickle
import socket
import struct
import time
from dataclasses import dataclass, replace
from enum import IntEnum
from io import BufferedReader
from typing import NamedTuple

from thumbs.errors import (
    JXL_OF_UNKNOWN_COLORS,
    JXL_WITH_PROFILE,
    BadFilter,
    RenderFailed,
    RenderTimeout,
    SizeOverLimit,
    SourceBroken,
    SourceOverLimit,
    SourceOverMemory,
    SourceUnsupported,
    ThumbError,
)
from thumbs.image.encoding import Encoding
from thumbs.image.formats import FORMATS
from thumbs.image.geometry import CROP_OUTSIDE
from thumbs.image.transforms import Transform
from thumbs.render.isolation.sandbox.kernel import LAYER_NAMES
from thumbs.render.values import RenderLimits

MAX_BODY = 512 * 1024 * 1024  # bytes of any answer; the largest picture of the default limits is a fifth of it
_LEAST_SECONDS = 0.01  # for a render that another call has preceded
_FIRST_BYTES = 1024 * 1024  # of a buffer for what comes, which then grows by doubling
_PIXEL_BYTES = 8  # of an encoded picture, at most: twice those of a raw one
_OTHER_BYTES = 1024 * 1024  # EXIF, profiles, the heads of frames
_DESCRIPTION_BYTES = 256  # of a description, at most (`descriptions`)
_REQUEST = struct.Struct(">BIQ")  # the call, and the lengths of the job and of the data
_ANSWER = struct.Struct(">BBddQ")  # the outcome, the format, seconds in all and of the encoder, the length of the body
_HELLO = struct.Struct(">4sBQ")  # magic, the layers of the sandbox as bits, bytes of address space
_MAGIC = b"MRC1"
LANDLOCK, SECCOMP = LAYER_NAMES
LAYER_BITS: dict[str, int] = {LANDLOCK: 1, SECCOMP: 2}
_NO_FORMAT = 255
_FORMATS = tuple(FORMATS)


class Call(IntEnum):
    """What a child can do."""

    RENDER = 1
    MAKE_PROXY = 2
    RENDER_PROXY = 3
    WATERMARK = 4
    DESCRIBE = 5
    CHECK = 6


class Outcome(IntEnum):
    """How a call ended. Failures are numbered from `FAILED` on, in the order of `FAILURES`."""

    PICTURE = 1
    BYTES = 2  # a proxy, a description, or nothing to say
    TOO_SMALL = 3  # the proxy has too few pixels
    PART = 4  # a picture of an original that is cut off
    FAILED = 16


PICTURES = (Outcome.PICTURE, Outcome.PART)

# The class and its public sentence.
FAILURES: tuple[tuple[type[ThumbError], str], ...] = (
    *(
        (error, error.sentence)
        for error in (
            RenderFailed,
            RenderTimeout,
            SourceBroken,
            SourceUnsupported,
            SourceOverLimit,
            SourceOverMemory,
            SizeOverLimit,
            BadFilter,
        )
    ),
    (BadFilter, CROP_OUTSIDE),
    (SourceUnsupported, JXL_WITH_PROFILE),
    (SourceUnsupported, JXL_OF_UNKNOWN_COLORS),
)


class Invalid(Exception):
    """What the other end sent is not a message."""


@dataclass(frozen=True, slots=True)
class Setup:
    """The first message to a child: how it renders, and what it must not do.

    `memory` is the bytes that a render may allocate. `layers` are names of the sandbox's layers. `outputs` are those of
    the formats that a package writes (`Format.extra`) which a storage offers.
    """

    inputs: frozenset[str]
    concurrency: int
    encoding: Encoding
    memory: int
    layers: frozenset[str]
    niceness: int = 10
    outputs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Work:
    """What a call is about. `name` is that of a watermark."""

    limits: RenderLimits
    transform: Transform | None = None
    fallback: Transform | None = None
    name: str = ""

    def until(self, end: float) -> "Work":
        """The same with the time that is left until `end` on the monotonic clock, and no less than a moment."""
        left = max(_LEAST_SECONDS, end - time.monotonic())
        return replace(self, limits=replace(self.limits, seconds=left))


class Hello(NamedTuple):
    """What a child says when it is ready: the layers that hold, as bits, and the bytes of its address space."""

    layers: int
    address_space: int


class Answer(NamedTuple):
    """What a child says about a call. `outcome` is checked; `format` is a name of `FORMATS`, or empty."""

    outcome: int
    format: str
    seconds: float
    encode_seconds: float
    body: bytes

    def failure(self) -> ThumbError | None:
        """The error to raise; None where the call succeeded."""
        if self.outcome < Outcome.FAILED:
            return None
        kind, sentence = FAILURES[self.outcome - Outcome.FAILED]
        return kind(sentence)


def failed(error: ThumbError, seconds: float = 0.0) -> Answer:
    """The answer for an error; `RenderFailed` stands for one that is not in `FAILURES`."""
    key = type(error), error.detail
    number = FAILURES.index(key) if key in FAILURES else 0
    return Answer(Outcome.FAILED + number, "", seconds, 0.0, b"")


# -------------------------------------------------------------------------------------------- the parent's messages


def send_setup(channel: socket.socket, setup: Setup) -> None:
    data = pickle.dumps(setup)
    channel.sendall(struct.pack(">I", len(data)) + data)


def receive_setup(channel: socket.socket) -> Setup:
    with _opened(channel) as message:
        (size,) = struct.unpack(">I", _exactly(message, 4))
        setup: Setup = pickle.loads(_exactly(message, size))  # noqa: S301 - from the parent
    return setup


def send_call(channel: socket.socket, call: Call, work: Work, data: bytes, end: float) -> None:
    """Send a call, by `end` on the monotonic clock. Raises `OSError`; `TimeoutError` is one."""
    job = pickle.dumps(work)
    channel.settimeout(max(0.001, end - time.monotonic()))
    channel.sendall(_REQUEST.pack(call, len(job), len(data)) + job)
    channel.settimeout(max(0.001, end - time.monotonic()))
    channel.sendall(data)


def receive_call(channel: socket.socket) -> tuple[Call, Work, bytes]:
    """The next call. Raises `EOFError` when the parent is gone."""
    with _opened(channel) as message:
        call, job_size, size = _REQUEST.unpack(_exactly(message, _REQUEST.size))
        work: Work = pickle.loads(_exactly(message, job_size))  # noqa: S301 - from the parent
        return Call(call), work, _exactly(message, size)


def _opened(channel: socket.socket) -> BufferedReader:
    """A reader that writes what comes once, to where it stays: a copy would double the memory of a large original.

    It has a buffer of one byte, so that it reads nothing ahead.
    """
    return channel.makefile("rb", buffering=1)


def _exactly(message: BufferedReader, size: int) -> bytes:
    """The next `size` bytes. Raises `EOFError` where the parent has closed its end before."""
    data = message.read(size)
    if len(data) < size:
        raise EOFError
    return data


# --------------------------------------------------------------------------------------------- the child's messages


def send_hello(channel: socket.socket, hello: Hello) -> None:
    channel.sendall(_HELLO.pack(_MAGIC, hello.layers, hello.address_space))


def receive_hello(channel: socket.socket, end: float) -> Hello:
    """Raises `EOFError`, `OSError` and `Invalid`."""
    magic, layers, address_space = _HELLO.unpack(receive(channel, _HELLO.size, end))
    if magic != _MAGIC:
        raise Invalid
    return Hello(layers, address_space)


def send_answer(channel: socket.socket, answer: Answer) -> None:
    number = _FORMATS.index(answer.format) if answer.format else _NO_FORMAT
    head = _ANSWER.pack(answer.outcome, number, answer.seconds, answer.encode_seconds, len(answer.body))
    channel.sendall(head)
    channel.sendall(answer.body)


def largest_body(call: Call, work: Work) -> int:
    """The most bytes that an honest answer can have. A proxy has at most a quarter of the original's pixels."""
    match call:
        case Call.WATERMARK | Call.CHECK:
            return 0
        case Call.DESCRIBE:
            return _DESCRIPTION_BYTES
        case Call.MAKE_PROXY:
            return min(MAX_BODY, work.limits.source.pixels * _PIXEL_BYTES // 4 + _OTHER_BYTES)
        case _:
            return min(MAX_BODY, work.limits.output.pixels * _PIXEL_BYTES + _OTHER_BYTES)


def receive_answer(channel: socket.socket, end: float, most: int = MAX_BODY) -> Answer:
    """The answer to a call, by `end` on the monotonic clock, with a body of at most `most` bytes.

    Raises `EOFError`, `OSError` and `Invalid`.
    """
    outcome, number, seconds, encode_seconds, size = _ANSWER.unpack(receive(channel, _ANSWER.size, end))
    known = outcome in (*PICTURES, Outcome.BYTES, Outcome.TOO_SMALL)
    if not known and not 0 <= outcome - Outcome.FAILED < len(FAILURES):
        raise Invalid
    if size > most or not (number < len(_FORMATS) if outcome in PICTURES else number == _NO_FORMAT):
        raise Invalid
    if not (math.isfinite(seconds) and 0 <= encode_seconds <= seconds):
        raise Invalid
    name = _FORMATS[number] if outcome in PICTURES else ""
    return Answer(outcome, name, seconds, encode_seconds, receive(channel, size, end))


def receive(channel: socket.socket, size: int, end: float) -> bytes:
    """Exactly `size` bytes, by `end` on the monotonic clock. Raises `EOFError` and `OSError`; `TimeoutError` is one."""
    buffer, filled = bytearray(min(size, _FIRST_BYTES)), 0
    while filled < size:
        if filled == len(buffer):  # a length takes memory only as its bytes come
            buffer += bytes(min(filled, size - filled))
        left = end - time.monotonic()
        if left <= 0:  # a child that never stops sending would meet no timeout of the socket
            raise TimeoutError
        channel.settimeout(left)
        with memoryview(buffer) as view, view[filled:] as free:
            count = channel.recv_into(free)
        if count == 0:
            raise EOFError
        filled += count
    return bytes(buffer)
