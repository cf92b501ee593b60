"""The limits of what a parent reads from a child: its deadline, and memory for what has come only."""

import socket
import struct
import time
import tracemalloc
from collections.abc import Iterator

import pytest

from thumbs.image.geometry import OutputLimits
from thumbs.render.isolation import wire
from thumbs.render.isolation.wire import Call, Invalid, Outcome, Work
from thumbs.render.values import RenderLimits, SourceLimits

_STRUCT = struct.Struct(">BBddQ")
NO_FORMAT = 255
MIB = 1024 * 1024


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The parent's end and the child's."""
    parent, child = socket.socketpair()
    with parent, child:
        yield parent, child


class Endless(socket.socket):
    """The end of a channel on which another byte has always come."""

    def recv_into(self, buffer: memoryview, *_: object) -> int:  # type: ignore[override]
        buffer[:1] = b"x"
        return 1


def test_a_child_that_never_stops_sending_is_a_timeout_too() -> None:
    """A timeout of the socket alone would never come: there is always something to read."""
    with Endless() as channel, pytest.raises(TimeoutError):
        wire.receive(channel, 2_000_000, time.monotonic() + 0.05)


def test_a_length_takes_no_memory_before_its_bytes_have_come(ends: tuple[socket.socket, socket.socket]) -> None:
    ends[1].sendall(_STRUCT.pack(Outcome.BYTES, NO_FORMAT, 1, 0, wire.MAX_BODY) + b"some")
    tracemalloc.start()
    try:
        with pytest.raises(TimeoutError):
            wire.receive_answer(ends[0], time.monotonic() + 0.05)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * MIB


@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB + 7])
def test_a_body_of_any_length_arrives_whole(size: int) -> None:
    body = (bytes(range(251)) * (size // 251 + 1))[:size]
    pieces = memoryview(body)

    class Channel(socket.socket):
        """Sends on as the parent reads."""

        def recv_into(self, buffer: memoryview, *_: object) -> int:  # type: ignore[override]
            nonlocal pieces
            count = min(len(buffer), len(pieces), 70_001)
            buffer[:count] = pieces[:count]
            pieces = pieces[count:]
            return count

    with Channel() as channel:
        assert wire.receive(channel, size, time.monotonic() + 60) == body


def test_a_body_larger_than_its_call_can_need_is_refused(ends: tuple[socket.socket, socket.socket]) -> None:
    limits = RenderLimits(SourceLimits(pixels=1_000_000), OutputLimits(pixels=1_000_000))
    for call, outcome, number in ((Call.RENDER, Outcome.PICTURE, 0), (Call.MAKE_PROXY, Outcome.BYTES, NO_FORMAT)):
        most = wire.largest_body(call, Work(limits))
        assert limits.output.pixels < most < wire.MAX_BODY
        ends[1].sendall(_STRUCT.pack(outcome, number, 1, 0, most + 1))
        with pytest.raises(Invalid):
            wire.receive_answer(ends[0], time.monotonic() + 30, most)
    assert wire.largest_body(Call.WATERMARK, Work(limits)) == 0


def test_no_limit_of_a_call_is_above_that_of_all_calls() -> None:
    huge = RenderLimits(SourceLimits(pixels=10**12), OutputLimits(pixels=10**12))
    assert wire.largest_body(Call.RENDER, Work(huge)) == wire.MAX_BODY
    assert wire.largest_body(Call.MAKE_PROXY, Work(huge)) == wire.MAX_BODY


def test_the_default_limits_leave_room_for_every_picture() -> None:
    """Noise takes four bytes a pixel, and a JPEG of the best quality six at most."""
    limits = RenderLimits()
    assert wire.largest_body(Call.RENDER_PROXY, Work(limits)) >= 6 * limits.output.pixels
