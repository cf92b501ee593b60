"""Where a process goes on as it is, and where it becomes another program."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.support.modules import ROOT
from thumbs.observability.log_setup import LogSetup
from thumbs.server import replacing

_REPLACED = """
import atexit, operator, os, sys
import django
from thumbs.server.replacing import replace_process
atexit.register(print, "at exit")
print(os.getpid(), end=" ")
replace_process({work}, *{arguments})
"""


def replaced(work: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
    script = _REPLACED.format(work=work, arguments=arguments)
    return subprocess.run(
        [sys.executable, "-c", script, "shown"], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_the_status_is_what_the_work_returns_and_what_is_registered_for_the_exit_runs_before() -> None:
    done = replaced("operator.add", 3, 4)
    assert (done.returncode, done.stderr) == (7, "")
    assert done.stdout.endswith(" at exit\n")


def test_the_new_program_has_the_same_id_and_no_django() -> None:
    code = "import os, sys; print(os.getpid(), 'django' in sys.modules, sys.argv[-1])"
    done = replaced("exec", code)
    before, _, _, same, has_django, shown = done.stdout.split()
    assert (same, has_django, shown) == (before, "False", "shown")


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The programs that would have been started."""
    found: list[str] = []
    monkeypatch.setattr(os, "execv", lambda program, _: found.append(program))
    monkeypatch.setattr("atexit._run_exitfuncs", lambda: None)
    monkeypatch.setattr(LogSetup, "copy_of_this_process", staticmethod(lambda: "a setup"))
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    return found


def test_a_process_goes_on_as_it_is_where_something_would_be_lost(
    executed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    replacing.replace_process(os.getpid)
    assert executed == [sys.executable]
    replacing.replace_process(lambda: 0)  # cannot be sent
    with monkeypatch.context() as patch:
        patch.setattr(threading, "active_count", lambda: 2)
        replacing.replace_process(os.getpid)
    with monkeypatch.context() as patch:
        patch.delattr(os, "memfd_create")
        replacing.replace_process(os.getpid)
    monkeypatch.setattr(LogSetup, "copy_of_this_process", staticmethod(lambda: None))
    replacing.replace_process(os.getpid)
    assert executed == [sys.executable]


def test_a_python_that_is_gone_leaves_the_process_as_it_is(
    executed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise FileNotFoundError

    open_before = len(list(Path("/proc/self/fd").iterdir()))
    monkeypatch.setattr(os, "execv", gone)
    replacing.replace_process(os.getpid)
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before
