"""The command: `python -m bench [options]`. The tables go to stdout; the exit status is 1 when Mage itself failed."""

import argparse
import fcntl
import json
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Protocol

from bench import before, dialects, isolation, tags
from bench.comparison import PEERS, run
from bench.load import Template
from bench.pictures import draw_photo
from bench.processes import LOOPBACK
from bench.report import Plan
from bench.rounds import say
from bench.servers import PROJECT, Workspace
from bench.table import MAGE
from thumbs.conf.cpus import usable_cores

_KINDS = ("hits", "misses")
_ISOLATION, _TAGS, _DIALECTS = "isolation", "tags", "dialects"


class _Report(Protocol):
    @property
    def mage_failed(self) -> bool: ...
    def markdown(self) -> str: ...
    def json(self) -> dict[str, object]: ...


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0, 1 when Mage failed, 2 for a wrong option, 130 when interrupted."""
    signal.signal(signal.SIGTERM, _interrupt)  # as for Ctrl-C: unwind all blocks, which stops the servers
    parser = _parser()
    options = parser.parse_args(arguments)
    plan = Plan(
        rounds=3 if options.quick else options.rounds,
        seconds=1.0 if options.quick else options.seconds,
        kinds=frozenset([options.only] if options.only else _KINDS),
        peers=frozenset(options.peers or PEERS),
        against=dict(party for party in options.against if not isinstance(party, int)),
    )
    reference = _reference(parser, options)
    try:
        with _workspace(options.scratch) as workspace:
            report = _report(options, plan, workspace, reference)
    except _ScratchError as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        say("interrupted; every server that was started has been stopped")
        return 130
    print(report.markdown())
    if options.json:
        options.json.write_text(json.dumps(report.json(), indent=2, ensure_ascii=False) + "\n")
    return 1 if report.mage_failed else 0


def _report(options: argparse.Namespace, plan: Plan, workspace: Workspace, reference: Path | int | None) -> _Report:
    if options.only == _TAGS:
        return tags.run(plan, workspace)
    photo = options.photo or _drawn_photo(workspace)
    if options.only == _ISOLATION:
        return isolation.run(plan, workspace, photo)
    if options.only == _DIALECTS:
        return dialects.run(plan, workspace, photo)
    if reference is None:
        return run(plan, workspace, photo)
    return before.run(plan, workspace, photo, reference)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="script/bench",
        description="Measure Mage beside nginx (hits) and thumbor, ipx and raw libvips (misses): a Markdown table. "
        "With --before, measure this tree beside an earlier one instead.",
    )
    parser.add_argument("--seconds", type=_positive_number, default=5.0, help="length of each measurement (5)")
    parser.add_argument("--rounds", type=_positive, default=5, help="number of rounds; each measures every server (5)")
    parser.add_argument("--quick", action="store_true", help="3 rounds of 1 s: a smoke test, too short to quote")
    only = (
        "measure only these; isolation is Mage alone: renders in children beside renders in threads; tags are the "
        "calls that make URLs in a page, beside reverse(), sorl-thumbnail, easy-thumbnails and django-imagekit; "
        "dialects are hits through URLs of other image servers, beside hits through our own"
    )
    parser.add_argument("--only", choices=(*_KINDS, _ISOLATION, _TAGS, _DIALECTS), help=only)
    parser.add_argument("--peers", type=_peers, metavar="A,B", help=f"of {','.join(PEERS)} (all)")
    parser.add_argument(
        "--against",
        type=_against,
        action="append",
        default=[],
        metavar="NAME=URL-TEMPLATE|URL",
        help="another server that runs already, with {name}, {width}, {height}, {format}, {quality}; it has to find "
        "the originals in SCRATCH/run/photos. A URL alone, http://127.0.0.1:PORT, is a Mage to measure as with "
        "--before: with the storages memory and disk, each with only that cache, and cold without one",
    )
    parser.add_argument(
        "--before",
        type=_tree,
        metavar="PATH",
        help="the checkout of an earlier tree: measure hits from memory and disk and misses of this tree and of that "
        "one in turn, and print the ratio of their median times (this/before). It runs with its own "
        ".venv/bin/python if there is one, else with this interpreter, and with its tree first on sys.path",
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


def _against(text: str) -> tuple[str, Template] | int:
    """A named template, or the port of a running Mage."""
    if text.startswith("http://") and "{" not in text:
        return _port(text)
    name, separator, url = text.partition("=")
    if not separator or not name:
        raise argparse.ArgumentTypeError("write NAME=URL-TEMPLATE")
    if name in PEERS or name.startswith(MAGE):
        raise argparse.ArgumentTypeError(f"the name {name} is taken")
    try:
        return name, Template(url)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _port(url: str) -> int:
    found = re.fullmatch(rf"http://(?:{re.escape(LOOPBACK)}|localhost):([0-9]{{1,5}})/?", url)
    if found is None or not 0 < int(found[1]) < 65536:
        raise argparse.ArgumentTypeError(f"write http://{LOOPBACK}:PORT for a server on this machine")
    return int(found[1])


def _tree(text: str) -> Path:
    tree = Path(text).resolve()
    if not (tree / "manage.py").is_file() or not (tree / "thumbs").is_dir():
        raise argparse.ArgumentTypeError(f"{text} is not a checkout of Mage: it has no manage.py and no thumbs")
    if tree == PROJECT:
        raise argparse.ArgumentTypeError(f"{text} is this tree: name a checkout of an earlier one")
    return tree


def _reference(parser: argparse.ArgumentParser, options: argparse.Namespace) -> Path | int | None:
    """The earlier tree, or the port of a running Mage, to measure beside this tree; None to measure peers."""
    ports = [party for party in options.against if isinstance(party, int)]
    if options.before is None and not ports:
        return None
    if len(ports) + (options.before is not None) > 1:
        parser.error("this tree is measured beside one other: give one --before PATH or one --against URL")
    if options.peers or len(options.against) > len(ports):
        parser.error("this tree is measured beside an earlier one alone: leave out --peers and --against NAME=…")
    return options.before or ports[0]


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
