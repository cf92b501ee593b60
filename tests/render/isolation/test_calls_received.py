"""What a child reads of its parent: whole, in one copy, and to the end of one call only."""

import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator

import pytest

from thumbs.render.isolation import wire
from thumbs.render.isolation.wire import Call, Work
from thumbs.render.values import RenderLimits

MIB = 1024 * 1024
WORK = Work(RenderLimits())


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    parent, child = socket.socketpair()
    with parent, child:
        yield parent, child


def sending(parent: socket.socket, data: bytes) -> threading.Thread:
    thread = threading.Thread(
        target=wire.send_call, args=(parent, Call.RENDER, WORK, data, time.monotonic() + 60), daemon=True
    )
    thread.start()
    return thread


@pytest.mark.parametrize("size", [0, 1, 8191, 8192, MIB - 1, MIB, 3 * MIB + 7])
def test_an_original_of_any_length_arrives_whole(size: int, ends: tuple[socket.socket, socket.socket]) -> None:
    data = (bytes(range(251)) * (size // 251 + 1))[:size]
    thread = sending(ends[0], data)
    assert wire.receive_call(ends[1]) == (Call.RENDER, WORK, data)
    thread.join()


def test_an_original_is_held_once_while_it_arrives(ends: tuple[socket.socket, socket.socket]) -> None:
    data = bytes(8 * MIB)
    thread = sending(ends[0], data)
    tracemalloc.start()
    try:
        assert len(wire.receive_call(ends[1])[2]) == len(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    thread.join()
    assert peak < 1.25 * len(data)


def test_nothing_of_the_next_call_is_read(ends: tuple[socket.socket, socket.socket]) -> None:
    sent = (b"first", b"", b"second" * 1000)
    for data in sent:
        wire.send_call(ends[0], Call.RENDER, WORK, data, time.monotonic() + 60)
    assert tuple(wire.receive_call(ends[1])[2] for _ in sent) == sent


@pytest.mark.parametrize("part", [0, 5, 40, 100_000])
def test_a_parent_that_is_gone_in_the_middle_of_a_call_is_its_end(
    part: int, ends: tuple[socket.socket, socket.socket]
) -> None:
    taken = bytearray()

    class Taking(socket.socket):
        def sendall(self, data: bytes, *_: object) -> None:  # type: ignore[override]
            taken.extend(data)

    with Taking() as channel:
        wire.send_call(channel, Call.RENDER, WORK, bytes(200_000), time.monotonic() + 60)
    ends[0].setblocking(True)
    ends[0].sendall(taken[:part])
    ends[0].close()
    with pytest.raises(EOFError):
        wire.receive_call(ends[1])
