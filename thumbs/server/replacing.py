"""Replaces a process that no longer needs Django by a small one with the same id, parent, standard streams and log.

Django, the settings and the checks hold 25 MiB, for as long as a server runs.
"""

import atexit
import os
import pickle
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import thumbs
from thumbs.observability.log_setup import LogSetup

# The directory of our own package comes last: nothing beside it may hide a module of Python. Without `site`, as only
# Python and this package are needed.
_BOOT = "import sys; sys.path.append(sys.argv[2]); from thumbs.server.replacing import main; main(int(sys.argv[1]))"
_OPTIONS = ("-P", "-s", "-S")


def replace_process(work: Callable[..., int], *arguments: object) -> None:
    """Go on as a new program that calls `work` and ends with the status that it returns.

    `work` is a function of a module that imports no Django; it and `arguments` can be pickled. The command line ends
    with that of this process. Call it in the main thread, with nothing left to clean up: only what is registered with
    `atexit` runs.

    Returns where the process has to go on as it is: it is not on Linux, has other threads, or a log that only
    the site's own code writes.
    """
    setup = LogSetup.copy_of_this_process()
    if setup is None or threading.active_count() > 1 or not sys.executable or not hasattr(os, "memfd_create"):
        return
    try:
        job = pickle.dumps((setup, work, arguments))
    except (pickle.PicklingError, TypeError, AttributeError):  # such as the defaults of a formatter
        return
    descriptor = _memory_file(job)
    command = [sys.executable, *_OPTIONS, "-c", _BOOT, str(descriptor), str(Path(thumbs.__file__).parents[1])]
    atexit._run_exitfuncs()  # noqa: SLF001 - for this program, this is the exit
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    try:
        os.execv(sys.executable, [*command, *sys.argv])  # noqa: S606 - our own command
    except OSError:  # such as a Python that has been replaced
        os.close(descriptor)


def main(descriptor: int) -> None:
    """What the new program does. The job is in the file `descriptor`, by which only this process can read it."""
    with open(descriptor, "rb") as file:
        setup, work, arguments = pickle.load(file)  # noqa: S301 - of the program that was here before
    setup.apply()
    sys.exit(work(*arguments))


def _memory_file(content: bytes) -> int:
    """A descriptor that a new program keeps, of a file that is in no directory: the job has secrets to hide."""
    descriptor = os.memfd_create("mage", 0)
    with open(descriptor, "wb", closefd=False) as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
