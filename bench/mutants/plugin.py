"""A pytest plugin for runs of mutants: it checks that the copy's code is tested, and limits memory."""

import resource
from pathlib import Path

import pytest

import thumbs

# Address space of a process. A mutant whose loop allocates without end must not take the machine's memory.
_MEMORY_BYTES = 16 << 30
_HEAP_BYTES = 4 << 30


def pytest_configure(config: pytest.Config) -> None:
    """Raises UsageError where `thumbs` comes from another tree, as an editable installation's would."""
    found = Path(thumbs.__file__).resolve().parent.parent
    if found != config.rootpath.resolve():
        raise pytest.UsageError(f"the mutant in {config.rootpath} is not tested: thumbs is imported from {found}")
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_DATA, (_HEAP_BYTES, _HEAP_BYTES))
