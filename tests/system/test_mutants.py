"""Mutants of valid files: whatever becomes of the bytes, the renderer gives a picture or one of its own refusals."""

import faulthandler
import multiprocessing
import os
import resource
import subprocess
import sys
import threading
import zlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from tests.support.mutants import (
    RECIPES,
    mutant,
    originals,
)
from tests.support.servers import ROOT
from thumbs.errors import RenderTimeout, SizeOverLimit, SourceBroken, SourceOverLimit, SourceUnsupported
from thumbs.image.geometry import OutputLimits
from thumbs.render.renderer import Renderer
from thumbs.render.values import RenderLimits, SourceLimits

MUTANTS = int(os.environ.get("MAGE_MUTANTS", "2000"))
PROCESSES = 2
HANG_SECONDS = 60
DIED, HUNG, REDUCED = "died", "hung", "reduced"
# `RenderFailed` is not among them: by the time of the encoder every pixel has been decoded, so that no original can
# make it fail, and a client that sends one must not get a 5xx.
RIGHT = ("Picture", REDUCED, *(error.__name__ for error in (SourceUnsupported, SourceBroken, SourceOverLimit)))
RIGHT += (SizeOverLimit.__name__, RenderTimeout.__name__)

_LIMITS = RenderLimits(
    SourceLimits(pixels=1_000_000, whole_pixels=500_000, frames=50),
    OutputLimits(side=600, pixels=250_000),
    avif_pixels=100_000,
    seconds=10,
)

# ----------------------------------------------------------------------------------------- the originals


# ------------------------------------------------------------------------------------------- the mutants


# -------------------------------------------------------------------------- the processes that render them


def _render_all(first: int, count: int, step: int, results: Connection) -> None:
    """In a child: report the outcome of every mutant, and at the end the peak of memory in kilobytes."""
    faulthandler.enable()
    for seed in range(first, count, step):
        results.send(_outcome(seed))
    results.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _outcome(seed: int) -> str:
    _, data, transform = mutant(seed)
    try:
        if transform is None:
            Renderer().make_proxy(data, _LIMITS)
            return REDUCED
        return type(Renderer().render(data, transform, _LIMITS)).__name__
    except Exception as error:  # any error is to be reported
        name = type(error).__name__
        return name if name in RIGHT else f"{name}: {error}"


@dataclass
class Findings:
    """The outcomes of mutants; `wrong` are the seeds of those without a right one."""

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: dict[int, str] = field(default_factory=dict)
    peak_kilobytes: int = 0

    def record(self, seed: int, outcome: str) -> None:
        self.outcomes[outcome.partition(":")[0]] += 1
        if outcome not in RIGHT:
            self.wrong[seed] = outcome


def _lane(start: int, findings: Findings, lock: threading.Lock) -> None:
    """Every `PROCESSES`th mutant from `start` on, in one child after the other."""
    following = start
    while following < MUTANTS:
        for outcome in _child(following):
            with lock:
                if isinstance(outcome, int):
                    findings.peak_kilobytes = max(findings.peak_kilobytes, outcome)
                else:
                    findings.record(following, outcome)
                    following += PROCESSES


def _child(first: int) -> Iterator[str | int]:
    """What one child reports, and `DIED` or `HUNG` for the mutant without a report."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_render_all, args=(first, MUTANTS, PROCESSES, theirs))
    process.start()
    theirs.close()
    try:
        outcome: str | int = RIGHT[0]
        while outcome in RIGHT:  # what went wrong may have spoilt the process
            if not ours.poll(HANG_SECONDS):
                yield HUNG
                return
            outcome = ours.recv()
            yield outcome
    except EOFError:
        process.join()
        yield f"{DIED}: exit code {process.exitcode}"
    finally:
        process.kill()
        process.join()
        ours.close()


def test_no_mutant_of_a_valid_file_brings_the_renderer_down() -> None:
    findings, lock = Findings(), threading.Lock()
    with ThreadPoolExecutor(PROCESSES) as pool:
        list(pool.map(lambda start: _lane(start, findings, lock), range(PROCESSES)))
    print(  # noqa: T201 - figures to read with `pytest -s`
        f"\n{MUTANTS} mutants: {dict(findings.outcomes.most_common())}; "
        f"at most {findings.peak_kilobytes // 1024} MiB in a process"
    )
    lines = "\n".join(f"{seed}: {outcome}" for seed, outcome in sorted(findings.wrong.items())[:20])
    assert not findings.wrong, f"seeds of tests.support.mutants.mutant, and what they did:\n{lines}"
    assert findings.outcomes.total() == MUTANTS
    # Otherwise the mutants are too different, or too similar, to prove anything.
    assert {"Picture", "SourceBroken"} <= set(findings.outcomes)


def test_the_originals_of_the_mutants_are_valid() -> None:
    for data in originals().values():
        for transform in RECIPES:
            assert Renderer().render(data, transform, _LIMITS).body


def test_a_seed_is_the_same_mutant_in_another_process() -> None:
    sums = [zlib.crc32(mutant(seed)[1]) for seed in range(64)]
    assert len(set(sums)) == 64
    script = (
        "import zlib; from tests.support.mutants import mutant; print([zlib.crc32(mutant(n)[1]) for n in range(64)])"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == str(sums)
