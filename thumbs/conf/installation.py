"""Finds out which libvips pyvips loads, and whether the files of pyvips-binary are as they were installed.

pyvips and pyvips-binary both install the extension module `_libvips`. Where pyvips was built against the headers of
another libvips, the package that is installed last wins. Where the module does not load, pyvips takes the system's
library silently. So the file is compared with the record of pyvips-binary, and a process of its own imports pyvips and
prints the version: libvips must not be loaded in a process that forks afterwards.

`python -m thumbs.conf.installation` prints the result, and ends with status 1 where it is an error. `--repair` first
reinstalls pyvips-binary where another libvips runs. It needs the standard library only:
`python -I thumbs/conf/installation.py` works before anything else is installed.
"""

import base64
import csv
import hashlib
import importlib
import importlib.util
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

BINARY = "pyvips-binary"
EXTENSION = "_libvips"

NOT_THE_BUNDLED = "thumbs.E017"
TOO_OLD = "thumbs.E018"
UNPATCHED = "thumbs.W003"

# libvips: `keep` of its savers came with 8.15. 8.18.7 has the fixes for the advisories of 2026.
LEAST = (8, 15, 0)
PATCHED = (8, 18, 7)
UPGRADE = f"Install pyvips>=3.2 and {BINARY}>=8.18.7, or upgrade the libvips of the system."

_SECONDS = 60.0  # importing pyvips takes 0.05 s
_PROBE = f"""
import sys
sys.path[:], sys.argv[1:] = sys.argv[1:], []
reason = "it was made for another version of libvips"
try:
    import {EXTENSION}
except Exception as error:
    reason = " ".join(repr(error).split())
import pyvips
jxl = all(map(pyvips.type_find, ("VipsForeignLoad", "VipsForeignSave"), ("jxlload_buffer", "jxlsave_buffer")))
print("libvips", *(pyvips.version(part) for part in range(3)), "API" if pyvips.API_mode else "ABI", reason)
print("codecs", "jxl" if jxl else "")
"""


class Problem(NamedTuple):
    """One thing that is wrong, with the stable id of a system check."""

    id: str
    where: str
    sentence: str
    hint: str


class Libvips(NamedTuple):
    """What pyvips loads. `bundled`: the library of pyvips-binary, as it was installed.

    `mode` is API where pyvips uses its extension module, else ABI; then `reason` is why. `jxl`: it reads and writes
    JPEG XL.
    """

    version: tuple[int, ...]
    bundled: bool
    mode: str
    reason: str
    jxl: bool = False

    def __str__(self) -> str:
        return f"{dotted(self.version)} ({self.origin}, {self.mode} mode)"

    @property
    def origin(self) -> str:
        return "bundled" if self.bundled else "system"


class Unknown(NamedTuple):
    """Why the version is unknown. `broken`: pyvips cannot be imported; else its process could not run."""

    sentence: str
    broken: bool

    def __str__(self) -> str:
        return f"of an unknown version: {self.sentence}"


def dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)


# ------------------------------------------------------------------------------------ the files of pyvips-binary


def fault() -> str | None:
    """How the files of pyvips-binary differ from its record, as a sentence.

    None where they do not differ, or where it is not installed. Nothing is imported or loaded. The extension module is
    compared by its digest, the libraries beside it by their size.
    """
    try:
        binary = metadata.distribution(BINARY)
    except metadata.PackageNotFoundError:
        return None
    # Not `binary.files`: from Python 3.12 on that leaves out what is missing.
    rows = [row for row in csv.reader((binary.read_text("RECORD") or "").splitlines()) if len(row) == 3]
    extension = next((row for row in rows if row[0].startswith(f"{EXTENSION}.")), None)
    if extension is None:
        return f"there is no record of its {EXTENSION}."
    for row in (extension, *(row for row in rows if ".libs/" in row[0] or ".dylibs/" in row[0])):
        path = Path(str(binary.locate_file(row[0])))
        try:
            same = _digest(path, row[1]) == row[1] if row is extension else path.stat().st_size == int(row[2])
        except (OSError, ValueError) as error:
            return f"its file {path} cannot be used: {getattr(error, 'strerror', None) or error}."
        if not same:
            return f"its file {path} was replaced, perhaps by a pyvips that was built here."
    return _shadow(Path(str(binary.locate_file(extension[0]))))


def _digest(path: Path, recorded: str) -> str:
    """The digest of a file in the form of a RECORD (PEP 427), by the algorithm of `recorded`."""
    algorithm = recorded.partition("=")[0]
    digest = hashlib.new(algorithm, path.read_bytes()).digest()
    return f"{algorithm}={base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def _shadow(path: Path) -> str | None:
    """The problem where Python imports another module of the same name; else None."""
    found = importlib.util.find_spec(EXTENSION)
    if found is None or found.origin is None:
        return f"Python does not take its file {path} for a module."
    if Path(found.origin).exists() and path.samefile(found.origin):
        return None
    return f"Python imports {found.origin} instead of its file {path}: remove the former."


# ------------------------------------------------------------------------------------------- what pyvips loads


def libvips() -> Libvips | Unknown:
    """What pyvips would load in a process like this one. It is found once, in about 0.1 s.

    Where the machine has no room for the process that finds it, each call tries again.
    """
    try:
        return _found()
    except OSError as error:
        return _not_run(error)


def known() -> Libvips | Unknown | None:
    """What `libvips` has found; None where it has not. No process is started."""
    return libvips() if _found.cache_info().currsize else None


def forget() -> None:
    """Let the next call of `libvips` look anew."""
    _found.cache_clear()


@cache
def _found() -> Libvips | Unknown:
    """What `libvips` returns. Raises OSError where the process cannot be started, or was killed."""
    python = interpreter()
    if python is None:
        return Unknown("there is no Python interpreter to import it with", broken=False)
    command = [python, "-c", _PROBE, *map(str, sys.path)]
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.SubprocessError as error:  # a try that hangs is the last: the next one would, too
        return _not_run(error)
    # The exit status is not used: a server that waits for all of its children may have collected it first.
    printed = next((line.split(None, 5) for line in done.stdout.splitlines() if line.startswith("libvips ")), None)
    if printed is None:
        if done.returncode == -signal.SIGKILL:
            raise ChildProcessError("it was killed, perhaps for lack of memory")
        said = (done.stderr.strip().splitlines() or [f"Python ended with status {done.returncode}"])[-1]
        return Unknown(f"pyvips cannot be imported: {said}", broken=True)
    version, mode, reason = tuple(int(part) for part in printed[1:4]), printed[4], printed[5]
    bundled = mode == "API" and bundled_version() is not None and fault() is None
    return Libvips(version, bundled, mode, reason, "codecs jxl" in done.stdout.splitlines())


def _not_run(error: Exception) -> Unknown:
    return Unknown(f"the process that imports pyvips could not run: {' '.join(str(error).split())[:200]}", broken=False)


def interpreter() -> str | None:
    """The path of this interpreter. In a program that embeds Python, such as uWSGI, it is not `sys.executable`."""
    for path in (sys.executable, os.path.join(sys.exec_prefix, "bin", "python3")):  # noqa: PTH118 - it may be empty
        if path and Path(path).name.startswith(("python", "pypy")) and Path(path).exists():
            return path
    return None


def bundled_version() -> str | None:
    """The installed version of pyvips-binary."""
    try:
        return metadata.version(BINARY)
    except metadata.PackageNotFoundError:
        return None


# ------------------------------------------------------------------------------------------------- what is wrong


def problems() -> Iterator[Problem]:
    """The problems of the libvips that would run."""
    found, version, wrong = libvips(), bundled_version(), fault()
    if version is not None and wrong is None and isinstance(found, Libvips) and found.mode == "ABI":
        wrong = f"its {EXTENSION} does not load: {found.reason}."
    if wrong is not None:
        taken = f" What runs is libvips {found}." if isinstance(found, Libvips) else ""
        yield Problem(NOT_THE_BUNDLED, f"{BINARY} {version}", f"{wrong}{taken}", _reinstall(version))
    if isinstance(found, Unknown):
        sentence = f"its version is not known: {found.sentence.removesuffix('.')}."
        yield Problem(TOO_OLD if found.broken else UNPATCHED, "libvips", sentence, UPGRADE)
    elif found.version < LEAST:
        yield Problem(TOO_OLD, f"libvips {found}", f"is too old: {dotted(LEAST)} is the least that works.", UPGRADE)
    elif found.version < PATCHED:
        sentence = f"lacks security fixes: {dotted(PATCHED)} has those of 2026."
        yield Problem(UNPATCHED, f"libvips {found}", sentence, UPGRADE)


def _reinstall(version: str | None) -> str:
    python = shlex.quote(interpreter() or "python")
    return (
        f"With pip: {python} -m pip install --force-reinstall --no-deps {BINARY}=={version}. "
        f"With uv: uv pip install --python {python} --reinstall --no-deps {BINARY}=={version}. "
        f"For a libvips of your own uninstall {BINARY}, or silence {NOT_THE_BUNDLED}."
    )


# ------------------------------------------------------------------------------------------------- as a program


def repair() -> None:
    """Reinstall the installed version of pyvips-binary over the files that replaced its own."""
    python, wanted = interpreter() or "python", f"{BINARY}=={bundled_version()}"
    install = ["install", "--no-deps", "--force-reinstall", wanted]
    if importlib.util.find_spec("pip"):
        command = [python, "-m", "pip", *install]
    elif uv := shutil.which("uv"):  # it has the same option as pip
        command = [uv, "pip", *install, "--python", python]
    else:
        command = [shutil.which("pip") or "pip", "--python", python, *install]
    subprocess.run(command, check=False, stdout=sys.stderr)  # noqa: S603 - our own command
    importlib.invalidate_caches()
    forget()


def main(arguments: list[str]) -> int:
    """Print which libvips runs, and its problems. Returns the exit status: 1 where one is an error, else 0."""
    if arguments not in ([], ["--repair"]):
        sys.stderr.write("usage: python -m thumbs.conf.installation [--repair]\n")
        return 2
    found = list(problems())
    if arguments and any(problem.id == NOT_THE_BUNDLED for problem in found):
        repair()
        found = list(problems())
    for problem in found:
        sys.stderr.write(f"({problem.id}) {problem.where}: {problem.sentence} {problem.hint}\n")
    if isinstance(libvips(), Libvips):
        sys.stdout.write(f"libvips {libvips()}\n")
    return 1 if any(".E" in problem.id for problem in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
