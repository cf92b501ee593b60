"""The bounds of every wait in the tests: generous, because the machine may be busy with something else."""

import time
from collections.abc import Callable

# No test measures this time. It is reached only when something is broken.
WAIT_SECONDS = 60.0
# For a command that itself takes a minute or more: an installation, a type check, a build.
LONG_WAIT_SECONDS = 600.0


def eventually(condition: Callable[[], bool], *, seconds: float = WAIT_SECONDS) -> None:
    """Return as soon as `condition` holds; fail when it never does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)
