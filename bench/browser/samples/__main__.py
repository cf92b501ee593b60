"""The command: `python -m bench.browser.samples DIRECTORY`. The files are the same in every run."""

import argparse
import itertools
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bench.browser.samples import damaged, gif, lossy, png
from bench.browser.samples.known import expected

Sample = tuple[str, bytes]


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.browser.samples",
        description="Write small files of every kind for `python -m bench.browser DIRECTORY`: formats by bit depths, "
        "alpha, orientation, descriptions of color, interlacing, subsampling and frames.",
    )
    parser.add_argument("directory", type=Path, help="it is made where it does not exist")
    names = "write the statuses of the files for which the browser is no reference: for its option of the same name"
    parser.add_argument("--expected", type=Path, metavar="FILE", help=names)
    options = parser.parse_args(arguments)
    written = write(options.directory, samples())
    if options.expected:
        options.expected.write_text(json.dumps(expected(written), indent=2) + "\n")
    print(f"{len(written)} files in {options.directory}")
    return 0


def write(directory: Path, files: Iterable[Sample]) -> list[str]:
    """Write files below a directory, and return their names."""
    names = []
    for name, data in files:
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        names.append(name)
    return names


def samples() -> Iterator[Sample]:
    """The names of all files, relative to the directory, and their contents."""
    return itertools.chain(
        *(png.samples(), lossy.jpeg(), lossy.orientations(), lossy.webp(), lossy.avif(), gif.samples()),
        *(damaged.jpeg(), damaged.png(), damaged.webp(), damaged.gif_and_avif()),
    )


if __name__ == "__main__":
    sys.exit(main())
