"""The command: `python -m bench.faults --seconds 60`. A table of what clients got with each fault goes to stdout.

Exit status 1: a wrong byte, a lost request, or a status that the fault does not excuse.
"""

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from bench.check import WrongAnswerError
from bench.faults.clients import PAUSE_SECONDS, Tally, load
from bench.faults.fault import Fault
from bench.faults.faults import FAULTS
from bench.faults.pictures import COUNT
from bench.faults.report import Report, Row
from bench.faults.site import Site, running_site
from bench.processes import UnavailableError
from bench.rounds import say
from bench.servers import machine
from thumbs.conf.cpus import usable_cores

_CALM_SECONDS = 1.0  # load before and after a fault, and no more than an eighth of its time


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0, 1 when something was wrong, 2 when a part does not start, 130 when interrupted."""
    signal.signal(signal.SIGTERM, _interrupt)
    parser = _parser()
    options = parser.parse_args(arguments)
    chosen = [fault for fault in FAULTS if not options.only or fault.name in options.only]
    report = Report(machine(usable_cores()), options.seconds, options.seed)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="mage-faults-") as directory,
            running_site(options.keep or Path(directory), options.seed, options.pictures) as site,
        ):
            for fault in chosen:
                _run(fault, site, report, options)
    except (UnavailableError, WrongAnswerError) as error:
        print(report.markdown())
        parser.exit(2, f"{parser.prog}: {error}\n")
    except KeyboardInterrupt:
        say("interrupted; every process that was started has been stopped")
        print(report.markdown())
        return 130
    print(report.markdown())
    if options.json:
        options.json.write_text(json.dumps(report.json(), indent=2, ensure_ascii=False) + "\n")
    return 0 if report.is_good else 1


def _run(fault: Fault, site: Site, report: Report, options: argparse.Namespace) -> None:
    if fault.needs_mount and not site.mounted:
        report.left_out[fault.name] = "no file system can be mounted"
        return
    site.warm()
    ports = [server.port for server in site.servers] if fault.is_direct else [site.nginx.port]
    done, tally = "interrupted", Tally()
    try:
        calm = min(_CALM_SECONDS, options.seconds / 8)
        with load(
            ports, site.bodies, seed=options.seed, label=fault.name, pause=options.pause, direct=fault.is_direct
        ) as tally:
            time.sleep(calm)
            done = fault.act(site, options.seconds, random.Random(f"{options.seed} {fault.name}"))
            time.sleep(calm)
    finally:
        row = Row(fault, done, tally)
        report.rows.append(row)
        say(f"{fault.name:18} {done:12} {tally.requests:8,} requests  {'; '.join(row.complaints) or 'well'}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.faults",
        description="Load on two servers behind nginx, with each fault in turn: a Markdown table of what clients got.",
    )
    parser.add_argument("--seconds", type=_seconds, default=60.0, help="how long each fault lasts (60)")
    names = [fault.name for fault in FAULTS]
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=f"of {', '.join(names)} (all)")
    parser.add_argument("--pictures", type=_count, default=COUNT, help=f"how many originals there are ({COUNT})")
    parser.add_argument(
        "--pause",
        type=_seconds,
        default=PAUSE_SECONDS,
        metavar="SECONDS",
        help=f"of each client between two requests ({PAUSE_SECONDS:g})",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the requests and of what is killed (1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything to FILE")
    parser.add_argument("--keep", type=_empty, metavar="DIRECTORY", help="keep logs and configurations in an empty one")
    return parser


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 < number <= 3600:
        raise argparse.ArgumentTypeError("must be between 0 and 3600")
    return number


def _count(text: str) -> int:
    number = int(text)
    if not 2 <= number <= COUNT:
        raise argparse.ArgumentTypeError(f"must be between 2 and {COUNT}")
    return number


def _empty(text: str) -> Path:
    directory = Path(text).resolve()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise argparse.ArgumentTypeError(f"{text} is not empty")
    return directory


def _interrupt(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # a second one would end the servers before their clients
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
