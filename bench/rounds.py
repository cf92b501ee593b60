"""Interleaved rounds: each round measures every server, so that noise affects all of them alike."""

import sys
from collections.abc import Sequence
from typing import Protocol

from bench.check import WrongAnswerError
from bench.processes import UnavailableError
from bench.table import Results


class Contender(Protocol):
    """A server in a comparison. Both methods raise `WrongAnswerError` for a response that does not count."""

    @property
    def name(self) -> str: ...

    def verify(self, case: str, /) -> None:
        """Check the responses for `case`, and warm up."""

    def rate(self, case: str, seconds: float, /) -> float:
        """Responses per second over about `seconds`."""


def compare(contenders: Sequence[Contender], results: Results, *, rounds: int, seconds: float) -> None:
    """Fill `results`. A contender that fails at any time is left out with the reason."""
    for case in results.cases:
        for contender in contenders:
            _verify(contender, case, results)
    for number in range(1, rounds + 1):
        for case in results.cases:
            # The order alternates, so that no contender always follows the same other one.
            for contender in contenders if number % 2 else reversed(contenders):
                rate = _rate(contender, case, seconds, results)
                if rate is not None:
                    say(f"round {number} of {rounds}  {case:10}  {contender.name:16} {rate:10,.1f}/s")
    for case in results.cases:
        for contender in contenders:
            _verify(contender, case, results)


def _verify(contender: Contender, case: str, results: Results) -> None:
    if contender.name in results.left_out:
        return
    try:
        contender.verify(case)
    except (WrongAnswerError, UnavailableError) as error:
        leave_out(results, contender.name, f"{case}: {error}")


def _rate(contender: Contender, case: str, seconds: float, results: Results) -> float | None:
    if contender.name in results.left_out:
        return None
    try:
        rate = contender.rate(case, seconds)
    except (WrongAnswerError, UnavailableError) as error:
        leave_out(results, contender.name, f"{case}: {error}")
        return None
    results.add(contender.name, case, rate)
    return rate


def leave_out(results: Results, party: str, reason: str) -> None:
    """Remove `party` from `results` and print the reason."""
    results.leave_out(party, reason)
    say(f"left out: {party}: {reason}")


def say(sentence: str) -> None:
    """Print progress to stderr; stdout is for the tables."""
    print(sentence, file=sys.stderr, flush=True)
