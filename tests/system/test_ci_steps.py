"""CI's steps: each has its time, a failing one ends the run with its name, and no process that they start remains."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.processes import lives
from tests.support.script_trees import ROOT, executable, run

pytestmark = pytest.mark.skipif(not (ROOT / ".ci").is_dir(), reason="the sdist has no .ci")
HEAD = f'#!/usr/bin/env bash\ncd -- "{ROOT}"\nsource .ci/steps.sh\n'
SECONDS = 120  # more than a loaded machine needs for anything here


def ci(tmp_path: Path, *lines: str) -> Path:
    return executable(tmp_path / "ci", HEAD + "\n".join(lines) + "\n")


def wait_for(path: Path) -> int:
    """The process id that a step writes into `path`."""
    ends = time.monotonic() + SECONDS
    while not path.exists() or not path.read_text(encoding="utf-8").endswith("\n"):
        assert time.monotonic() < ends, f"{path} was not written"
        time.sleep(0.02)
    return int(path.read_text(encoding="utf-8"))


def ended(pid: int) -> bool:
    ends = time.monotonic() + SECONDS
    while lives(pid) and time.monotonic() < ends:
        time.sleep(0.02)
    return not lives(pid)


def test_each_step_is_named_with_its_time_and_the_total_comes_last(tmp_path: Path) -> None:
    result = run([ci(tmp_path, 'step "the first" echo one', 'step "the second" echo two')])
    assert (result.returncode, result.stderr) == (0, "")
    assert "==== the first\none\n---- the first: " in result.stdout
    *_, first, second, total = result.stdout.splitlines()
    assert first.split(maxsplit=2)[1:] == ["s", "the first"]
    assert second.split(maxsplit=2)[1:] == ["s", "the second"]
    assert total.endswith(" s  in total")


@pytest.mark.parametrize("command", ["false", "sh -c 'kill -KILL $$'", "no-such-command", "test -e /none"])
def test_a_failing_step_ends_the_run_with_its_name(tmp_path: Path, command: str) -> None:
    script = ci(tmp_path, 'step "the good one" true', f'step "the bad one" {command}', 'step "never" echo never')
    result = run([script])
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == '.ci/run: the step "the bad one" failed.'
    assert "never" not in result.stdout
    assert "the bad one" in result.stdout.splitlines()[-2]


def test_a_run_removes_its_scratch_directory(tmp_path: Path) -> None:
    script = ci(tmp_path, 'step "writes" sh -c \'echo "$CI_SCRATCH" > "$0"\' ' + f'"{tmp_path}/scratch"')
    assert run([script]).returncode == 0
    scratch = (tmp_path / "scratch").read_text(encoding="utf-8").strip()
    assert scratch
    assert not Path(scratch).exists()


def test_what_a_step_leaves_running_is_stopped_also_in_a_session_of_its_own(tmp_path: Path) -> None:
    leaves = f"setsid sh -c 'echo $$ > \"$0\"; exec sleep 600' {tmp_path}/pid >/dev/null 2>&1 &"
    executable(tmp_path / "leaves", f"#!/bin/sh\n{leaves}\nwhile ! test -s {tmp_path}/pid; do sleep 0.02; done\n")
    result = run([ci(tmp_path, f'step "leaves a process" "{tmp_path}/leaves"')])
    pid = wait_for(tmp_path / "pid")
    assert result.returncode == 0
    assert f"Stopping what still runs with SIGINT: {pid}" in result.stdout
    assert not lives(pid)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_run_stops_its_step_and_says_which(tmp_path: Path, signum: signal.Signals) -> None:
    script = ci(tmp_path, f"step \"the long one\" sh -c 'echo $$ > {tmp_path}/pid; exec sleep 600'")
    # A shell cannot trap a signal that is ignored where it starts, as SIGINT is in the background of another shell.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        [script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"LC_ALL": "C"}
    ) as child:
        signal.signal(signal.SIGINT, before)
        pid = wait_for(tmp_path / "pid")
        child.send_signal(signum)
        _, errors = child.communicate(timeout=SECONDS)
    assert child.returncode == 128 + signum
    assert '.ci/run: the step "the long one" failed.' in errors
    assert ended(pid)
