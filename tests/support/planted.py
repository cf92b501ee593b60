"""Processes of other users, and what they plant in places that a server uses. Only root can start them."""

import contextlib
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

OTHER, SERVICE = 65534, 4321

# Opens a file as root, becomes another user, locks all of the file in every way that there is, prints that, and stays.
_HOLDER = """
import fcntl, os, signal, struct, sys
signal.alarm(300)
fd = os.open(sys.argv[1], os.O_RDWR)
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[2]))
fcntl.flock(fd, fcntl.LOCK_EX)
fcntl.fcntl(fd, fcntl.F_OFD_SETLK, struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
print("holds it", flush=True)
signal.pause()
"""


@contextlib.contextmanager
def locked_by(user: int, file: Path) -> Iterator[None]:
    """`file` is locked by a process of `user` for as long as the block lasts."""
    command = [sys.executable, "-c", _HOLDER, str(file), str(user)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "holds it\n"
            yield
        finally:
            holder.kill()


def plant(directory: Path, user: int, *, mode: int = 0o700) -> Path:
    """A directory of another user's."""
    directory.mkdir(parents=True, exist_ok=True)
    os.chown(directory, user, user)
    directory.chmod(mode)
    return directory


def as_user(user: int, act: Callable[[], object]) -> str:
    """What `act` ends with in a process of that user: nothing, or the name of its error.

    The process is a copy of this one: what `act` needs must have been imported, because that user may not read it.
    """
    there, here = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(120)
        said = ""
        try:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
            act()
        except BaseException as error:
            said = type(error).__name__
            traceback.print_exc()  # where a test fails, pytest shows it
        os.write(here, said.encode())
        os._exit(0)
    os.close(here)
    with os.fdopen(there, "rb") as pipe:
        said = pipe.read().decode()
    os.waitpid(child, 0)
    return said
