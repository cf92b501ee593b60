"""The memory of processes is added up while they start and end."""

import subprocess
import sys

from tests.support.waiting import WAIT_SECONDS

# Of the code that failed, one reading in 11 did. The shell ends when the process that started it is gone.
# The process that reads is a small one, since it reads its own memory as well.
_PROGRAM = """
import subprocess
from thumbs.observability.memory import memory

with subprocess.Popen(["sh", "-c", "while kill -0 $PPID; do (:) & wait $!; done"]) as shell:
    try:
        for _ in range(1000):
            assert memory(None)
    finally:
        shell.kill()
"""


def test_processes_that_end_while_they_are_looked_at_do_no_harm() -> None:
    subprocess.run([sys.executable, "-c", _PROGRAM], check=True, timeout=WAIT_SECONDS)
