"""The command: `python -m bench.browser DIRECTORY`. The table goes to stdout.

Exit status 1: a file differs.
"""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from bench.browser import canvas, chromium, mage
from bench.browser.comparison import GOOD, TOLERANCE, Comparison, Result, files_of
from bench.browser.report import as_json, differing, summary, table
from bench.processes import UnavailableError
from bench.rounds import say


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0, 1 when a file differs, 2 when nothing can be compared, 130 when interrupted."""
    parser = _parser()
    options = parser.parse_args(arguments)
    files = files_of(options.directory)
    if not files:
        parser.error(f"{options.directory} has no files")
    # As for Ctrl-C: unwind all blocks, which stops the browser and the server.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        results, browser = _compared(options, files)
    except UnavailableError as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        say("interrupted; the browser and the server have been stopped")
        return 130
    worse = differing(results)
    if rows := worse if options.only_worse else results:
        print(f"{table(rows)}\n")
    print(summary(results))
    if options.json:
        options.json.write_text(json.dumps(as_json(results, browser=browser), indent=2, ensure_ascii=False) + "\n")
    return 1 if worse else 0


def _compared(options: argparse.Namespace, files: Sequence[Path]) -> tuple[list[Result], str]:
    """The results, and the version of the browser. Raises `UnavailableError`."""
    installation = chromium.find()
    results = []
    with (
        tempfile.TemporaryDirectory(prefix="mage-browser-") as scratch,
        mage.serving(files, Path(scratch)) as server,
        canvas.opened(installation) as drawer,
    ):
        comparison = Comparison(options.directory, server, drawer, options.expected, options.tolerance)
        browser = drawer.version
        for number, result in enumerate(comparison.results(files), 1):
            mark = "" if result.verdict in GOOD else "  <<<"
            say(f"{number}/{len(files)} {result.name!a}: {result.verdict.value}{mark}")
            results.append(result)
    return results, browser


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.browser",
        description="Compare each file of a directory as Mage renders it with what Chromium draws of it: the whole "
        "original as PNG with the original on a canvas, by the mean colors of a grid of 8 × 8 cells, premultiplied by "
        "alpha, and by alpha. A Markdown table; exit status 1 when a file differs.",
    )
    parser.add_argument("directory", type=_directory, help="files in directories below it are compared too")
    levels = "largest difference of a cell, in levels of 0 to 255 (2); three times as much for the colors of PQ and HLG"
    parser.add_argument("--tolerance", type=_levels, default=TOLERANCE, metavar="LEVELS", help=levels)
    parser.add_argument("--only-worse", action="store_true", help="leave files that do not differ out of the table")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results to FILE, with all cells")
    statuses = (
        "a JSON object of file names, relative to the directory, and the status that Mage must answer: for files where "
        'the browser is no reference, such as {"cut.jpg": 422}'
    )
    parser.add_argument("--expected", type=_statuses, default={}, metavar="FILE", help=statuses)
    return parser


def _directory(text: str) -> Path:
    directory = Path(text)
    if not directory.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is not a directory")
    return directory.resolve()


def _levels(text: str) -> float:
    levels = float(text)
    if not 0 <= levels <= 255:
        raise argparse.ArgumentTypeError("must be between 0 and 255")
    return levels


def _statuses(text: str) -> dict[str, int]:
    try:
        found = json.loads(Path(text).read_text())
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{text} cannot be read as JSON: {error}") from None
    if not isinstance(found, dict) or not all(type(status) is int for status in found.values()):
        raise argparse.ArgumentTypeError(f"{text} is not a JSON object of names and statuses")
    return found


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
