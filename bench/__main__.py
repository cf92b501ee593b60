"""The command: `python -m bench [options]`. The tables go to stdout; the exit status is 1 when Mage itself failed."""

import argparse
import fcntl
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from bench.comparison import PEERS, run
from bench.load import Template
from bench.pictures import draw_photo
from bench.report import Plan
from bench.rounds import say
from bench.servers import Workspace
from bench.table import MAGE
from thumbs.conf.cpus import usable_cores

_KINDS = ("hits", "misses")


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0, 1 when Mage failed, 2 for a wrong option, 130 when interrupted."""
    signal.signal(signal.SIGTERM, _interrupt)  # as for Ctrl-C: unwind all blocks, which stops the servers
    parser = _parser()
    options = parser.parse_args(arguments)
    plan = Plan(
        rounds=3 if options.quick else options.rounds,
        seconds=1.0 if options.quick else options.seconds,
        kinds=frozenset([options.only] if options.only else _KINDS),
        peers=frozenset(options.peers),
        against=dict(options.against),
    )
    try:
        with _workspace(options.scratch) as workspace:
            photo = options.photo or _drawn_photo(workspace)
            report = run(plan, workspace, photo)
    except _ScratchError as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        say("interrupted; every server that was started has been stopped")
        return 130
    print(report.markdown())
    if options.json:
        options.json.write_text(json.dumps(report.json(), indent=2, ensure_ascii=False) + "\n")
    return 1 if report.mage_failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="script/bench",
        description="Measure Mage beside nginx (hits) and thumbor, ipx and raw libvips (misses): a Markdown table.",
    )
    parser.add_argument("--seconds", type=_positive_number, default=5.0, help="length of each measurement (5)")
    parser.add_argument("--rounds", type=_positive, default=5, help="number of rounds; each measures every server (5)")
    parser.add_argument("--quick", action="store_true", help="3 rounds of 1 s: a smoke test, too short to quote")
    parser.add_argument("--only", choices=_KINDS, help="measure only these")
    parser.add_argument(
        "--peers", type=_peers, default=PEERS, metavar="A,B", help=f"measure only these of {','.join(PEERS)} (all)"
    )
    parser.add_argument(
        "--against",
        type=_against,
        action="append",
        default=[],
        metavar="NAME=URL-TEMPLATE",
        help="a server that is running already; fields are {name}, {width}, {height}, {format}, {quality}; it must "
        "serve the originals in SCRATCH/run/photos",
    )
    parser.add_argument("--photo", type=_file, help="the JPEG to make thumbnails of, instead of a generated one")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement to FILE")
    default = Path(tempfile.gettempdir()) / f"mage-bench-{os.getuid()}"
    parser.add_argument("--scratch", type=Path, default=default, help=f"where peers are installed ({default})")
    return parser


# --------------------------------------------------------------------------------------- options


def _positive_number(text: str) -> float:
    number = float(text)
    if not 0 < number < 3600:
        raise argparse.ArgumentTypeError("must be between 0 and 3600")
    return number


def _positive(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return int(text)


def _peers(text: str) -> tuple[str, ...]:
    names = tuple(filter(None, text.split(",")))
    unknown = set(names) - set(PEERS)
    if unknown:
        raise argparse.ArgumentTypeError(f"no such peer: {', '.join(sorted(unknown))}; peers are {', '.join(PEERS)}")
    return names


def _against(text: str) -> tuple[str, Template]:
    name, separator, url = text.partition("=")
    if not separator or not name:
        raise argparse.ArgumentTypeError("write NAME=URL-TEMPLATE")
    if name in PEERS or name.startswith(MAGE):
        raise argparse.ArgumentTypeError(f"the name {name} is taken")
    try:
        return name, Template(url)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _file(text: str) -> Path:
    file = Path(text)
    if not file.is_file() or file.suffix.lower() not in (".jpg", ".jpeg"):
        raise argparse.ArgumentTypeError(f"{text} is not a file whose name ends in .jpg or .jpeg")
    return file.resolve()


# --------------------------------------------------------------------------------------- scratch


class _ScratchError(Exception):
    pass


@contextmanager
def _workspace(scratch: Path) -> Iterator[Workspace]:
    """The scratch directory, locked; its `run` starts empty and is deleted at the end."""
    scratch = scratch.resolve()
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    if scratch.stat().st_uid != os.getuid():
        raise _ScratchError(f"{scratch} belongs to another user: choose another --scratch")
    with (scratch / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _ScratchError(f"another script/bench runs in {scratch}") from None
        run_directory = scratch / "run"
        shutil.rmtree(run_directory, ignore_errors=True)
        (run_directory / "photos").mkdir(parents=True)
        try:
            yield Workspace(scratch, run_directory, run_directory / "photos", usable_cores())
        finally:
            shutil.rmtree(run_directory, ignore_errors=True)


def _drawn_photo(workspace: Workspace) -> Path:
    photo = workspace.scratch / "photo.jpg"
    say("generating a photo")
    draw_photo(photo)
    return photo


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
