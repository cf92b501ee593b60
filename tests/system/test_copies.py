"""Copies of the template process, which most servers of the tests are, do what processes of their own do."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from tests.support import copies
from tests.support.waiting import WAIT_SECONDS

_SAID = "import os, sys; print(sys.argv, os.getcwd(), sys.path[0], __name__, sorted(os.environ), flush=True)\n"
_ENDS = "import atexit; atexit.register(print, 'at the end', file=sys.stderr); sys.exit(3)\n"


def environ(**more: str) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if name.startswith(("PYTHON", "LC_", "LANG"))}
    kept.pop("PYTHONPATH", None)
    return {**kept, "HOME": "/", **more}


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "program.py").write_text(_SAID + _ENDS)
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [["program.py", "a b"], ["-m", "program", "a b"], ["-c", _SAID + _ENDS, "a b"]],
    ids=lambda each: each[0],
)
def test_a_copy_says_and_does_what_a_process_of_its_own_does(program: Path, arguments: list[str]) -> None:
    copy = copies.finished(arguments, environ=environ(), directory=program)
    own = subprocess.run(
        [sys.executable, *arguments], env=environ(), cwd=program, capture_output=True, text=True, check=False
    )
    assert (copy.returncode, copy.stdout, copy.stderr) == (own.returncode, own.stdout, own.stderr)
    assert (own.returncode, own.stderr) == (3, "at the end\n")


def test_an_error_that_is_not_caught_is_printed_and_is_status_1() -> None:
    done = copies.finished(["-c", "1 / 0"], environ=environ())
    assert done.returncode == 1
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")


def test_nothing_that_reads_the_environment_or_the_settings_is_loaded() -> None:
    code = (
        "import sys; from django.conf import settings\n"
        "names = ('prometheus_client', 'pyvips', 'mage_project.settings')\n"
        "print([name for name in names if name in sys.modules], settings.configured, 'thumbs.asgi' in sys.modules)\n"
    )
    assert copies.finished(["-c", code], environ=environ()).stdout == "[] False True\n"


def test_modules_are_found_where_pythonpath_says(tmp_path: Path) -> None:
    (tmp_path / "own_module.py").write_text("there = True\n")
    done = copies.finished(["-c", "import own_module"], environ=environ(PYTHONPATH=str(tmp_path)))
    assert done.stderr == ""
    assert copies.finished(["-c", "import own_module"], environ=environ()).returncode == 1


def test_two_copies_in_a_row_have_different_hashes() -> None:
    """Servers that share a cache must agree on its keys all the same."""
    hashes = [copies.finished(["-c", "print(hash('a'))"], environ=environ()).stdout for _ in range(3)]
    assert hashes[0] != hashes[1] != hashes[2]


def test_what_counts_at_the_start_of_a_process_makes_a_new_one() -> None:
    done = copies.finished(["-c", "import sys; print(sys.flags.dev_mode)"], environ=environ(PYTHONDEVMODE="1"))
    assert done.stdout == "True\n"


def test_a_signal_ends_a_copy_and_every_thread_that_waits_gets_its_status() -> None:
    statuses: list[int] = []
    with tempfile.TemporaryFile() as output:
        copy = copies.started(["-c", "import time; time.sleep(3600)"], environ=environ(), outputs=[output.fileno()])
        threads = [threading.Thread(target=lambda: statuses.append(copy.wait(WAIT_SECONDS))) for _ in range(3)]
        for thread in threads:
            thread.start()
        assert copy.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            copy.wait(0.01)
        copy.terminate()
        for thread in threads:
            thread.join(WAIT_SECONDS)
    assert statuses == [-signal.SIGTERM] * 3
    assert copy.poll() == copy.returncode == -signal.SIGTERM
    copy.kill()
