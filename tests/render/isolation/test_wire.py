"""The messages between a process that serves and a child that renders, and what a parent refuses to take for one."""

import math
import re
import socket
import struct
import time
from collections.abc import Iterator

import pytest

from thumbs.errors import BadFilter, RenderFailed, SourceBroken, ThumbError
from thumbs.image.encoding import Encoding
from thumbs.image.formats import FORMATS
from thumbs.image.geometry import plan
from thumbs.image.transforms import Crop, Transform, Watermark
from thumbs.render.isolation import wire
from thumbs.render.isolation.wire import Answer, Call, Hello, Invalid, Outcome, Setup, Work
from thumbs.render.renderer import Renderer
from thumbs.render.values import RenderLimits

_STRUCT = struct.Struct(">BBddQ")
NO_FORMAT = 255
PICTURE = Answer(Outcome.PICTURE, "webp", 0.5, 0.25, b"RIFF....WEBP")


def soon() -> float:
    return time.monotonic() + 30


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The parent's end and the child's."""
    parent, child = socket.socketpair()
    with parent, child:
        yield parent, child


def test_a_setup_arrives_as_it_was_sent(ends: tuple[socket.socket, socket.socket]) -> None:
    setup = Setup(frozenset({"jpeg", "svg"}), 2, Encoding(), 1 << 30, frozenset({"seccomp"}))
    wire.send_setup(ends[0], setup)
    assert wire.receive_setup(ends[1]) == setup


@pytest.mark.parametrize("data", [b"", b"original", bytes(100_000)], ids=len)
def test_a_call_arrives_as_it_was_sent(ends: tuple[socket.socket, socket.socket], data: bytes) -> None:
    work = Work(RenderLimits(seconds=3), Transform(10, 20, "avif", 50, watermark=Watermark("logo")), Transform(1, 2))
    wire.send_call(ends[0], Call.RENDER, work, data, soon())
    assert wire.receive_call(ends[1]) == (Call.RENDER, work, data)


@pytest.mark.parametrize("answer", [PICTURE, Answer(Outcome.BYTES, "", 1.0, 0.0, b""), Answer(3, "", 0.0, 0.0, b"")])
def test_an_answer_arrives_as_it_was_sent(ends: tuple[socket.socket, socket.socket], answer: Answer) -> None:
    wire.send_answer(ends[1], answer)
    assert wire.receive_answer(ends[0], soon()) == answer
    assert answer.failure() is None


@pytest.mark.parametrize(("error", "sentence"), wire.FAILURES)
def test_a_failure_arrives_as_its_class_with_its_sentence(
    ends: tuple[socket.socket, socket.socket], error: type[ThumbError], sentence: str
) -> None:
    wire.send_answer(ends[1], wire.failed(error(sentence)))
    failure = wire.receive_answer(ends[0], soon()).failure()
    assert failure is not None
    assert (type(failure), failure.detail) == (error, sentence)


def test_every_error_that_a_renderer_names_is_in_the_list() -> None:
    """The docstring of `Renderer.render` names them."""
    named = set(re.findall(r"`(\w+)`", (Renderer.render.__doc__ or "").partition("Raises")[2]))
    assert named
    assert named <= {error.__name__ for error, _ in wire.FAILURES}
    with pytest.raises(BadFilter) as raised:
        plan((10, 10), Transform(crop=Crop(0, 0, 20, 20)))
    assert (BadFilter, raised.value.detail) in wire.FAILURES


def test_an_error_that_is_not_in_the_list_is_a_failed_render() -> None:
    class Other(SourceBroken):
        pass

    assert type(wire.failed(Other()).failure()) is RenderFailed


@pytest.mark.parametrize(
    "message",
    [
        _STRUCT.pack(0, NO_FORMAT, 0, 0, 0),
        _STRUCT.pack(4, NO_FORMAT, 0, 0, 0),
        _STRUCT.pack(Outcome.FAILED + len(wire.FAILURES), NO_FORMAT, 0, 0, 0),
        _STRUCT.pack(Outcome.PICTURE, NO_FORMAT, 0, 0, 0),
        _STRUCT.pack(Outcome.PICTURE, len(FORMATS), 0, 0, 0),
        _STRUCT.pack(Outcome.BYTES, 0, 0, 0, 0),
        _STRUCT.pack(Outcome.PICTURE, 0, math.nan, 0, 0),
        _STRUCT.pack(Outcome.PICTURE, 0, math.inf, 0, 0),
        _STRUCT.pack(Outcome.PICTURE, 0, 1, math.nan, 0),
        _STRUCT.pack(Outcome.PICTURE, 0, 1, 2, 0),
        _STRUCT.pack(Outcome.PICTURE, 0, 1, -1, 0),
        _STRUCT.pack(Outcome.PICTURE, 0, 1, 0, wire.MAX_BODY + 1),
        _STRUCT.pack(Outcome.PICTURE, 0, 1, 0, 2**64 - 1),
    ],
    ids=lambda message: message.hex(),
)
def test_what_is_no_answer_is_refused_before_its_body_is_read(
    ends: tuple[socket.socket, socket.socket], message: bytes
) -> None:
    ends[1].sendall(message)
    with pytest.raises(Invalid):
        wire.receive_answer(ends[0], soon())


@pytest.mark.parametrize(
    "sent", [b"", b"\x01", _STRUCT.pack(Outcome.PICTURE, 0, 1, 0, 10) + b"nine bytes"[:9]], ids=len
)
def test_an_answer_that_is_cut_short_is_an_end(ends: tuple[socket.socket, socket.socket], sent: bytes) -> None:
    ends[1].sendall(sent)
    ends[1].close()
    with pytest.raises(EOFError):
        wire.receive_answer(ends[0], soon())


def test_an_answer_that_does_not_come_is_a_timeout(ends: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(TimeoutError):
        wire.receive_answer(ends[0], time.monotonic())


def test_an_answer_that_drips_is_a_timeout_at_the_same_moment(ends: tuple[socket.socket, socket.socket]) -> None:
    """Each byte would start a timeout of a socket again."""
    ends[1].sendall(_STRUCT.pack(Outcome.BYTES, NO_FORMAT, 1, 0, 1000) + b"some")
    with pytest.raises(TimeoutError):
        wire.receive_answer(ends[0], time.monotonic() + 0.05)


def test_a_call_that_nothing_reads_is_a_timeout(ends: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(TimeoutError):
        wire.send_call(ends[0], Call.RENDER, Work(RenderLimits()), bytes(8_000_000), time.monotonic() + 0.05)


def test_a_child_is_ready_with_its_layers(ends: tuple[socket.socket, socket.socket]) -> None:
    wire.send_hello(ends[1], Hello(3, 1 << 40))
    assert wire.receive_hello(ends[0], soon()) == Hello(3, 1 << 40)


def test_a_greeting_of_another_program_is_refused(ends: tuple[socket.socket, socket.socket]) -> None:
    ends[1].sendall(b"HTTP/1.1 200 OK\r\n")
    with pytest.raises(Invalid):
        wire.receive_hello(ends[0], soon())
