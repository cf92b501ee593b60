"""The order of measuring: all parties in each round, round after round, so that a noisy minute hits all alike."""

import sys
from collections.abc import Sequence
from typing import Protocol

from bench.check import WrongAnswerError
from bench.processes import UnavailableError
from bench.table import Board


class Contender(Protocol):
    """One party in one comparison. Both methods raise `WrongAnswerError` when what it answers may not count."""

    @property
    def name(self) -> str: ...

    def prove(self, case: str, /) -> None:
        """Answer rightly once, and be warm."""

    def rate(self, case: str, seconds: float, /) -> float:
        """Answers a second, over about `seconds`."""


def compare(contenders: Sequence[Contender], board: Board, *, rounds: int, seconds: float) -> None:
    """Fill `board`. Who fails, at first or in the middle, is left out with the reason."""
    for case in board.cases:
        for contender in contenders:
            _prove(contender, case, board)
    for number in range(1, rounds + 1):
        for case in board.cases:
            # In turn forwards and backwards: none always comes after the same other one.
            for contender in contenders if number % 2 else reversed(contenders):
                rate = _rate(contender, case, seconds, board)
                if rate is not None:
                    say(f"round {number} of {rounds}  {case:10}  {contender.name:16} {rate:10,.1f}/s")
    for case in board.cases:
        for contender in contenders:
            _prove(contender, case, board)


def _prove(contender: Contender, case: str, board: Board) -> None:
    if contender.name in board.left_out:
        return
    try:
        contender.prove(case)
    except (WrongAnswerError, UnavailableError) as error:
        leave_out(board, contender.name, f"{case}: {error}")


def _rate(contender: Contender, case: str, seconds: float, board: Board) -> float | None:
    if contender.name in board.left_out:
        return None
    try:
        rate = contender.rate(case, seconds)
    except (WrongAnswerError, UnavailableError) as error:
        leave_out(board, contender.name, f"{case}: {error}")
        return None
    board.add(contender.name, case, rate)
    return rate


def leave_out(board: Board, party: str, reason: str) -> None:
    """Take `party` off the board and say so at once."""
    board.leave_out(party, reason)
    say(f"left out: {party}: {reason}")


def say(sentence: str) -> None:
    """Progress goes to stderr; stdout holds the table alone."""
    print(sentence, file=sys.stderr, flush=True)
