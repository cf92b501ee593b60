"""The upper limit of this machine: libvips without a server, in one process per core.

`python -m bench.limit PHOTO WIDTH HEIGHT FORMAT QUALITY EFFORT START SECONDS` is one of these processes. It prints
pictures per second, counted from START on the monotonic clock, which all processes share, and CPU seconds per picture.
"""

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import pyvips

from bench.check import Wanted, WrongAnswerError
from bench.processes import running

_ROOT = Path(__file__).resolve().parent.parent
_START_SECONDS = 1.0  # for Python and libvips to load before the measurement starts


class PoolRate(NamedTuple):
    """Pictures per second of all processes together, and the CPU seconds of one picture."""

    pictures: float
    cpu_seconds: float


def render(photo: bytes, wanted: Wanted, *, effort: int) -> bytes:
    """The picture, center-cropped, without metadata. `effort` is WebP's, 0–6."""
    image = pyvips.Image.thumbnail_buffer(photo, wanted.width, height=wanted.height, size="both", crop="centre")
    options: dict[str, int] = {"effort": effort} if wanted.format == "webp" else {"optimize_coding": True}
    encoded: bytes = image.write_to_buffer(f".{wanted.format}", Q=wanted.quality, keep="none", **options)
    return encoded


def pool_rate(photo: Path, wanted: Wanted, *, effort: int, seconds: float, logs: Sequence[Path]) -> PoolRate:
    """Measure; each process writes its output to one file of `logs`."""
    start = time.monotonic() + _START_SECONDS
    numbers = (wanted.width, wanted.height, wanted.format, wanted.quality, effort, start, seconds)
    command = [sys.executable, "-m", "bench.limit", str(photo), *map(str, numbers)]
    with ExitStack() as stack:
        children = [stack.enter_context(running(command, log=log, cwd=_ROOT)) for log in logs]
        if any(child.await_end(seconds + 60) for child in children):
            raise WrongAnswerError(f"failed: {children[0].last_line}")
        pictures, cpu = zip(*(map(float, child.last_line.split()) for child in children), strict=True)
        return PoolRate(sum(pictures), mean(cpu))


def _main(photo: str, *numbers: str) -> None:
    width, height, output, quality, effort, start, seconds = numbers
    wanted = Wanted(int(width), int(height), output, int(quality))
    pyvips.concurrency_set(1)
    pyvips.cache_set_max(0)
    render(Path(photo).read_bytes(), wanted, effort=int(effort))
    time.sleep(max(0.0, float(start) - time.monotonic()))
    began, cpu = time.monotonic(), time.process_time()
    count = 0
    while time.monotonic() - began < float(seconds):
        render(Path(photo).read_bytes(), wanted, effort=int(effort))
        count += 1
    print(count / (time.monotonic() - began), (time.process_time() - cpu) / count)


if __name__ == "__main__":
    _main(*sys.argv[1:])
