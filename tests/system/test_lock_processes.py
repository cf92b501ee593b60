"""Key locks between processes: a lock ends with the process that holds it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.private_files import private_file
from thumbs.cache.locks import KeyLocks

KEY = "group/name"
# Takes the lock, prints that, and holds it until it is killed.
_HOLDER = """
import sys, time
from pathlib import Path
from tests.support.private_files import private_file
from thumbs.cache.locks import KeyLocks
lock = KeyLocks(private_file(Path(sys.argv[1]))).try_lock(sys.argv[2])
print("has it" if lock else "has it not", flush=True)
time.sleep(60)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "locks"


def test_a_lock_ends_with_the_process_that_is_killed(file: Path) -> None:
    command = [sys.executable, "-c", _HOLDER, str(file), KEY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "has it\n"
        assert KeyLocks(private_file(file)).try_lock(KEY) is None
        holder.kill()
        holder.wait()
    assert KeyLocks(private_file(file)).try_lock(KEY) is not None
