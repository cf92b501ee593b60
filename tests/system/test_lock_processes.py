"""Key locks between processes: a lock ends with the process that holds it."""

import subprocess
import sys
from pathlib import Path

import pytest

from thumbs.cache.locks import KeyLocks

KEY = "group/name"
# Takes the claim, says so, and holds it until it is killed.
_HOLDER = """
import sys, time
from pathlib import Path
from thumbs.cache.locks import KeyLocks
lock = KeyLocks(Path(sys.argv[1])).take(sys.argv[2])
print("has it" if lock else "has it not", flush=True)
time.sleep(60)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "claims"


def test_a_lock_ends_with_the_process_that_is_killed(file: Path) -> None:
    command = [sys.executable, "-c", _HOLDER, str(file), KEY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "has it\n"
        assert KeyLocks(file).take(KEY) is None
        holder.kill()
        holder.wait()
    assert KeyLocks(file).take(KEY) is not None
