"""Reading with limits: no more bytes than allowed, in chunks of at most a mebibyte, until a deadline."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from tests.support.clock import Clock
from thumbs.errors import SourceMissing, SourceTooLarge, StorageTimeout
from thumbs.sources import reading
from thumbs.sources.reading import Deadline, Interrupted, key_bytes, read_exactly, read_to_end

MIB = 1 << 20


@pytest.fixture(autouse=True)
def now(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr(reading, "time", SimpleNamespace(monotonic=clock))
    return clock


class Body:
    """Gives `data` in pieces of at most `most` bytes, and records how many were wanted."""

    def __init__(self, data: bytes, most: int = MIB, each: Callable[[], object] = lambda: None) -> None:
        self.data, self.most, self.each = data, most, each
        self.wanted: list[int] = []

    def read(self, count: int) -> bytes:
        self.wanted.append(count)
        self.each()
        piece, self.data = self.data[: min(count, self.most)], self.data[min(count, self.most) :]
        return piece


def test_a_deadline_has_the_time_that_is_left(now: Clock) -> None:
    deadline = Deadline(5)
    assert deadline.left() == 5
    now.now += 4.5
    assert deadline.left() == 0.5


@pytest.mark.parametrize("after", [5.0, 6.0])
def test_a_deadline_that_has_come_is_a_timeout(now: Clock, after: float) -> None:
    deadline = Deadline(5)
    now.now += after
    with pytest.raises(StorageTimeout):
        deadline.left()


@pytest.mark.parametrize(("seconds", "left"), [(0, 5), (3, 3), (9, 5)])
def test_a_bound_within_a_deadline_never_exceeds_it(seconds: float, left: float) -> None:
    assert Deadline(5).within(seconds).left() == left


def test_no_bound_within_a_deadline_is_the_deadline() -> None:
    deadline = Deadline(5)
    assert deadline.within(0) is deadline


def test_a_path_is_utf_8_and_another_is_missing() -> None:
    assert key_bytes("größe") == "größe".encode()
    with pytest.raises(SourceMissing):
        key_bytes("\udc80")


@pytest.mark.parametrize(("length", "most"), [(0, 10), (10, 10), (10, 3), (1, 1)])
def test_exactly_the_length_is_read(length: int, most: int) -> None:
    body = Body(b"0123456789 and more", most)
    assert read_exactly(body.read, length, deadline=Deadline(5)) == b"0123456789"[:length]
    assert sum(map(min, body.wanted, [most] * len(body.wanted))) == length


def test_large_reads_are_in_chunks() -> None:
    body = Body(bytes(2 * MIB + 1))
    assert len(read_exactly(body.read, 2 * MIB + 1, deadline=Deadline(5))) == 2 * MIB + 1
    assert body.wanted == [MIB, MIB, 1]


def test_a_body_that_ends_early_is_interrupted() -> None:
    with pytest.raises(Interrupted):
        read_exactly(Body(b"short").read, 10, deadline=Deadline(5))


def exactly_ten(body: Body) -> bytes:
    return read_exactly(body.read, 10, deadline=Deadline(5))


def at_most_ten(body: Body) -> bytes:
    return read_to_end(body.read, max_bytes=10, deadline=Deadline(5))


@pytest.mark.parametrize("read", [exactly_ten, at_most_ten])
def test_a_body_that_comes_too_slowly_is_a_timeout(now: Clock, read: Callable[[Body], bytes]) -> None:
    def slow() -> None:
        now.now += 2

    body = Body(b"0123456789", 1, slow)
    with pytest.raises(StorageTimeout):
        read(body)
    assert len(body.wanted) == 3


def test_a_deadline_that_has_passed_reads_nothing_more(now: Clock) -> None:
    deadline, body = Deadline(5), Body(b"0123456789")
    now.now += 5
    with pytest.raises(StorageTimeout):
        read_exactly(body.read, 10, deadline=deadline)
    assert body.wanted == []


@pytest.mark.parametrize(("length", "most"), [(0, 10), (10, 10), (10, 3), (9, 2)])
def test_all_is_read_up_to_the_limit(length: int, most: int) -> None:
    body = Body(b"0123456789"[:length], most)
    assert read_to_end(body.read, max_bytes=10, deadline=Deadline(5)) == b"0123456789"[:length]


@pytest.mark.parametrize("most", [1, 3, 100])
def test_the_first_byte_over_the_limit_is_too_much_and_no_more_is_read(most: int) -> None:
    body = Body(b"0123456789 and more", most)
    with pytest.raises(SourceTooLarge):
        read_to_end(body.read, max_bytes=10, deadline=Deadline(5))
    assert body.wanted[0] == 11
    assert len(b"0123456789 and more") - len(body.data) == 11


def test_a_large_body_is_read_in_chunks() -> None:
    body = Body(bytes(MIB + 1))
    assert len(read_to_end(body.read, max_bytes=4 * MIB, deadline=Deadline(5))) == MIB + 1
    assert body.wanted == [MIB, MIB, MIB]


def test_a_body_of_one_chunk_is_not_copied() -> None:
    whole = b"0123456789"
    assert read_exactly(lambda _: whole, 10, deadline=Deadline(5)) is whole
    pieces = iter([whole, b""])
    assert read_to_end(lambda _: next(pieces), max_bytes=10, deadline=Deadline(5)) is whole
