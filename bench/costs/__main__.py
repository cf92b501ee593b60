"""The command: `python -m bench.costs --seed N --count 2000`. A table of the most expensive requests goes to stdout.

Exit status 1: a request cost more CPU time or memory than the limits promise.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import TextIO

from bench.costs.measurement import Cost, Meter
from bench.costs.originals import Originals
from bench.costs.search import Search, is_over
from bench.rounds import say
from bench.table import markdown
from thumbs.image.formats import DEFAULT_INPUTS, FORMATS
from thumbs.image.limits import RENDER_SECONDS

_WORST = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0, 1 when a request cost too much, 130 when interrupted."""
    signal.signal(signal.SIGTERM, _interrupt)
    options = _parser().parse_args(arguments)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="mage-costs-") as directory,
            closing(Meter(options.seconds)) as meter,
            options.log as log,
        ):
            originals = Originals(options.originals or Path(directory), options.formats)
            return _run(Search(originals, meter.cost, options.seed), meter, options, log)
    except KeyboardInterrupt:
        return 130


def _run(search: Search, meter: Meter, options: argparse.Namespace, log: TextIO) -> int:
    began = time.monotonic()
    for number, cost in enumerate(search.run(options.count, seconds=60 * options.minutes), 1):
        print(json.dumps(asdict(cost)), file=log, flush=True)
        if number % 20 == 0 or is_over(cost):
            say(f"{number:5} {cost.cpu:6.2f} s {cost.mib:6.0f} MiB {cost.status} {cost.recipe} {cost.recipe.original}")
    # A child that has rendered before has memory already, which would hide some of what a render adds.
    largest = [
        meter.cost(cost.recipe, search.originals.read(cost.recipe.original), fresh=True)
        for cost in search.by_memory(_WORST // 2)
    ]
    worst = {cost.recipe: cost for cost in (*largest, *search.by_cpu(_WORST // 2)) if cost is not None}
    minutes = (time.monotonic() - began) / 60
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(search.statuses().items()))
    print(f"{len(search.found)} requests in {minutes:.0f} minutes, seed {options.seed}. Answers: {statuses}.\n")
    print(_table(sorted(worst.values(), key=lambda cost: -cost.cpu)))
    return 1 if any(map(is_over, (*search.found, *worst.values()))) else 0


def _table(costs: Iterable[Cost]) -> str:
    rows = [
        [
            f"`{cost.recipe}`" + (", with a proxy" if cost.recipe.proxied else ""),
            cost.recipe.original,
            str(cost.status),
            f"{cost.cpu:.1f}",
            f"{cost.mib:.0f}",
        ]
        for cost in costs
    ]
    return markdown(["request", "original", "answer", "CPU s", "MiB"], rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.costs",
        description="Search for the most expensive requests within the default limits: a Markdown table.",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the draws (1)")
    parser.add_argument("--count", type=int, default=2000, help="requests that are rendered (2000)")
    parser.add_argument(
        "--formats", nargs="+", choices=FORMATS, default=DEFAULT_INPUTS, help="of the originals (those of the default)"
    )
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop earlier, after this time")
    parser.add_argument(
        "--seconds",
        type=float,
        default=RENDER_SECONDS,
        help=f"deadline of a render ({RENDER_SECONDS:g}); raise it on a busy machine",
    )
    parser.add_argument("--originals", type=Path, help="an existing directory, to keep the originals for other runs")
    parser.add_argument("--log", type=argparse.FileType("w"), default="/dev/null", help="a file for all costs, as JSON")
    return parser


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
