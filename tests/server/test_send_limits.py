"""Which connections are closed for their clients, in which order, and what an answer is admitted for."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from thumbs.server.drops import STALLED, UNSENT
from thumbs.server.send_limits import PIECE_BYTES, Unsent, UnsentAnswers
from thumbs.wiring.sending import SendLimits

LARGE = PIECE_BYTES + 1


class Transport:
    """A transport with so many bytes in its buffer, and no socket."""

    def __init__(self, buffered: int) -> None:
        self.buffered = buffered
        self.is_aborted = False

    def get_write_buffer_size(self) -> int:
        return self.buffered

    def get_extra_info(self, _: str) -> None:
        return None

    def abort(self) -> None:
        self.is_aborted = True


class Answers:
    """`UnsentAnswers` with a clock of its own, and what it has reported."""

    def __init__(self, *, seconds: float = 40, max_bytes: int = 10 * LARGE) -> None:
        self.dropped: list[str] = []
        self.refused = 0
        self.now = 100.0
        self.unsent = UnsentAnswers(SendLimits(seconds, max_bytes, self.dropped.append, self._refuse))

    def _refuse(self) -> None:
        self.refused += 1

    def held(self, buffered: int = 0, answer: bytes = b"") -> tuple[Unsent, Transport]:
        transport = Transport(buffered)
        connection = Unsent(transport, answer)
        self.unsent.add(connection)
        self.unsent.hold(connection)
        return connection, transport


@pytest.fixture
def in_loop(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Answers], None]], None]:
    """Runs a test in an event loop whose time is that of its answers."""

    def run(test: Callable[[Answers], None], **limits: Any) -> None:
        async def main() -> None:
            answers = Answers(**limits)
            monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: answers.now)
            test(answers)

        asyncio.run(main())

    return run


InLoop = Callable[..., None]


def test_a_connection_is_closed_when_its_client_took_nothing_for_its_seconds(in_loop: InLoop) -> None:
    def test(answers: Answers) -> None:
        _, idle = answers.held(1000)
        _, slow = answers.held(1000)
        for _ in range(8):
            answers.now += 5
            slow.buffered -= 1
            answers.unsent._look()
        assert (idle.is_aborted, slow.is_aborted) == (True, False)
        assert answers.dropped == [STALLED]

    in_loop(test)


def test_a_connection_without_anything_to_take_is_not_closed(in_loop: InLoop) -> None:
    def test(answers: Answers) -> None:
        connection, transport = answers.held(1000)
        transport.buffered = 0
        answers.unsent.release(connection)
        for _ in range(20):
            answers.now += 5
            answers.unsent._look()
        transport.buffered = 1000  # its time begins now
        for _ in range(8):
            answers.unsent._look()
            answers.now += 4.9
        assert not transport.is_aborted

    in_loop(test)


def test_a_connection_whose_client_takes_everything_in_between_is_not_closed(in_loop: InLoop) -> None:
    """A proxy on a Unix socket: no count of what was taken, and at each look the next answer is there."""

    def test(answers: Answers) -> None:
        connection, transport = answers.held(1000)
        for _ in range(20):
            answers.now += 5
            answers.unsent._look()
            answers.unsent.release(connection)
            answers.unsent.hold(connection)
        assert not transport.is_aborted

    in_loop(test)


def test_beyond_the_limit_connections_are_closed_by_their_time_without_progress(in_loop: InLoop) -> None:
    def test(answers: Answers) -> None:
        transports = []
        for _ in range(4):
            transports.append(answers.held(answer=bytes(2 * LARGE), buffered=1)[1])
            answers.now += 1
        answers.now += 8  # a quarter of 40 seconds for the first three only
        assert answers.unsent.admit(3 * LARGE)
        assert [each.is_aborted for each in transports] == [True, False, False, False]
        assert answers.dropped == [UNSENT]
        assert not answers.unsent.admit(9 * LARGE)  # two more are closed, and that is not enough
        assert [each.is_aborted for each in transports] == [True, True, True, False]
        assert answers.refused == 1

    in_loop(test)


def test_a_connection_that_makes_progress_is_never_closed_for_others(in_loop: InLoop) -> None:
    def test(answers: Answers) -> None:
        _, transport = answers.held(10 * LARGE)
        answers.now += 20
        transport.buffered -= 1
        assert not answers.unsent.admit(LARGE)
        assert not transport.is_aborted
        assert answers.unsent.admit(PIECE_BYTES)  # small

    in_loop(test)


def test_an_answer_to_several_connections_counts_once(in_loop: InLoop) -> None:
    def test(answers: Answers) -> None:
        answer = bytes(4 * LARGE)
        transports = [answers.held(answer=answer, buffered=10)[1] for _ in range(20)]
        assert answers.unsent.admit(5 * LARGE)
        answers.now += 20
        assert answers.unsent.admit(8 * LARGE)  # nothing is free before the last of them is closed
        assert all(each.is_aborted for each in transports)

    in_loop(test)


def test_an_answer_larger_than_the_limit_is_admitted_while_half_of_it_is_free(in_loop: InLoop) -> None:
    def test(answers: Answers) -> None:
        assert answers.unsent.admit(50 * LARGE)
        answers.held(5 * LARGE)
        assert answers.unsent.admit(50 * LARGE)
        answers.held(1)
        assert not answers.unsent.admit(50 * LARGE)

    in_loop(test)


def test_a_lost_connection_is_no_longer_counted(in_loop: InLoop) -> None:
    def test(answers: Answers) -> None:
        connection, _ = answers.held(10 * LARGE)
        assert not answers.unsent.admit(LARGE)
        answers.unsent.remove(connection)
        assert answers.unsent.admit(LARGE)

    in_loop(test)
