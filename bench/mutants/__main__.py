"""The command: `python -m bench.mutants --seed N --count 300`, or `--guards`. The table goes to stdout.

Exit status 1: fewer than nine of ten mutants were killed, or a guard's mutant survived.
"""

import argparse
import queue
import signal
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import FrameType

from bench.mutants.choice import ROOMS, all_mutants, choose, equivalents
from bench.mutants.covering import Covering
from bench.mutants.guards import GUARDS, GuardError
from bench.mutants.mutation import Mutant
from bench.mutants.report import describe, is_good, markdown
from bench.mutants.trial import Outcome, Tree, TrialError
from bench.rounds import say

_Trial = tuple[Mutant, Sequence[Sequence[str]] | None]  # a mutant, and its stages if they are not the usual ones


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0, 1 when too many survived, 2 when the run has no result, 130 when interrupted."""
    signal.signal(signal.SIGTERM, _interrupt)
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        trials = _guards() if options.guards else _chosen(options)
        if options.list:
            print("\n".join(f"{mutant.place} {mutant.before!r} -> {mutant.after!r}" for mutant, _ in trials))
            return 0
        outcomes = _run(trials, options.jobs, measured=not options.unmeasured)
    except (GuardError, TrialError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    except KeyboardInterrupt:
        say("interrupted; all tests that were started have been stopped")
        return 130
    title = "Guards" if options.guards else f"{len(outcomes)} mutants, seed {options.seed}"
    print(markdown(outcomes, title=title))
    return 0 if is_good(outcomes) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.mutants",
        description="Make faults in the code, one at a time, and run the fast tests on each: a Markdown table.",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the choice of mutants (1)")
    parser.add_argument("--count", type=_positive, default=300, help="number of mutants (300)")
    parser.add_argument("--rooms", nargs="+", choices=ROOMS, default=ROOMS, help="choose only from these (all)")
    parser.add_argument("--jobs", type=_positive, default=1, help="mutants at once, each in a copy of the tree (1)")
    parser.add_argument("--unmeasured", action="store_true", help="run the tests of a mutant's room only; no coverage")
    parser.add_argument("--guards", action="store_true", help="run the named guards instead; none may survive")
    parser.add_argument("--list", action="store_true", help="print the mutants and run no test")
    return parser


def _positive(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return int(text)


def _guards() -> list[_Trial]:
    return [(guard.mutant(), [[guard.test]]) for guard in GUARDS]


def _chosen(options: argparse.Namespace) -> list[_Trial]:
    chosen = choose(all_mutants(rooms=options.rooms), options.count, seed=options.seed, known=equivalents())
    return [(mutant, None) for mutant in chosen]


def _run(trials: Sequence[_Trial], jobs: int, *, measured: bool) -> list[Outcome]:
    """The outcomes, by path and line. Raises as `Tree.try_mutant` does.

    Without `measured`, only the tests of a mutant's room are run: a few mutants take less time, and more may survive.
    """
    with tempfile.TemporaryDirectory(prefix="mage-mutants-") as scratch:
        chosen = any(stages is None for _, stages in trials)
        sound: set[str] = set()
        made = [Tree(Path(scratch, str(number)), sound) for number in range(jobs)]
        # The modules that guards name: in one run. Of other mutants' tests, those that find a mutant.
        made[0].require_sound({test for _, stages in trials for stage in stages or () for test in stage})
        covered = made[0].measure() if chosen and measured else None
        trees: queue.SimpleQueue[Tree] = queue.SimpleQueue()
        for tree in made:
            trees.put(tree)
        if jobs == 1:
            outcomes = _reported(map(partial(_try, trees, covered), trials), len(trials))
        else:
            with ThreadPoolExecutor(jobs) as pool:
                outcomes = _reported(pool.map(partial(_try, trees, covered), trials), len(trials))
    return sorted(outcomes, key=lambda outcome: (outcome.mutant.path, outcome.mutant.start))


def _try(trees: "queue.SimpleQueue[Tree]", covered: Covering | None, trial: _Trial) -> Outcome:
    mutant, stages = trial
    tree = trees.get()
    try:
        return tree.try_mutant(mutant, tree.stages(mutant, covered) if stages is None else stages)
    finally:
        trees.put(tree)


def _reported(outcomes: Iterable[Outcome], count: int) -> list[Outcome]:
    found = []
    for number, outcome in enumerate(outcomes, 1):
        say(f"{number}/{count} {describe(outcome)}")
        found.append(outcome)
    return found


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
