"""mypy knows what a step returns: a result that is assigned to a variable of another type is reported."""

import subprocess
import sys
from pathlib import Path

from tests.support.servers import ROOT
from tests.support.waiting import LONG_WAIT_SECONDS

_JOBS = """\
from thumbs.pipeline.ports import FETCH, Storage
from thumbs.pipeline.steps import Step, Wait
from thumbs.pipeline.singleflight import Ticket
from thumbs.sources.source import Original, Version


async def read(storage: Storage, ticket: Ticket[Version]) -> Original:
    version: Version = await Step(FETCH, storage.source.version, "a.jpg")
    original: Original = await Step(FETCH, storage.source.read, "a.jpg")
    wrong: Original = await Step(FETCH, storage.source.version, "a.jpg")
    waited: Version = await Wait(FETCH, ticket)
    swapped: Original = await Wait(FETCH, ticket)
    await Step(FETCH, storage.source.read, 7)
    return original
"""


def test_mypy_reports_the_step_whose_result_has_another_type(tmp_path: Path) -> None:
    file = tmp_path / "wrong_jobs.py"
    file.write_text(_JOBS)
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--cache-dir", str(tmp_path / "cache"), str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONG_WAIT_SECONDS, check=False)
    reported = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert [int(line.split(":")[1]) for line in reported] == [10, 12, 13]
