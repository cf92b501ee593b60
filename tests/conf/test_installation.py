"""Which libvips runs: the files of pyvips-binary are compared with their record, and each fault names its remedy."""

import shlex
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.installations import EXTENSION, LIBRARY, binary_wheel, wheel
from thumbs.conf import installation
from thumbs.conf.installation import Libvips, Unknown

BUNDLED = Libvips((8, 18, 7), bundled=True, mode="API", reason="none")


def unpacked(made: Path, directory: Path) -> Path:
    with zipfile.ZipFile(made) as archive:
        archive.extractall(directory)
    return directory


@pytest.fixture
def python_path(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """`sys.path` with the standard library alone. A test puts directories of packages before it."""
    path = [sysconfig.get_path("stdlib"), *(each for each in sys.path if each.endswith("lib-dynload"))]
    monkeypatch.setattr(sys, "path", path)
    monkeypatch.delitem(sys.modules, installation.EXTENSION, raising=False)
    return path


@pytest.fixture
def packages(tmp_path: Path, python_path: list[str]) -> Path:
    """A directory of packages with a whole pyvips-binary 8.18.7."""
    directory = unpacked(binary_wheel(tmp_path), tmp_path / "packages")
    python_path.insert(0, str(directory))
    return directory


# ---------------------------------------------------------------------------------------------------- the files


def test_a_whole_installation_has_no_fault(packages: Path) -> None:
    assert installation.fault() is None


def test_no_installation_has_no_fault(python_path: list[str]) -> None:
    assert installation.fault() is None


@pytest.mark.parametrize("file", [EXTENSION, LIBRARY])
def test_a_file_that_is_missing_or_replaced_is_named(packages: Path, file: str) -> None:
    damaged = packages / file
    whole = damaged.read_text()
    damaged.write_text(whole + "x")
    assert installation.fault() == f"its file {damaged} was replaced, perhaps by a pyvips that was built here."
    damaged.unlink()
    assert installation.fault() == f"its file {damaged} cannot be used: No such file or directory."
    damaged.write_text(whole)
    assert installation.fault() is None


def test_the_extension_is_compared_by_its_bytes_and_a_library_by_its_size(packages: Path) -> None:
    library, extension = packages / LIBRARY, packages / EXTENSION
    library.write_text(library.read_text().upper())
    assert installation.fault() is None
    extension.write_text(extension.read_text().upper())
    assert installation.fault() == f"its file {extension} was replaced, perhaps by a pyvips that was built here."


def test_a_record_that_cannot_be_read_is_a_fault(packages: Path) -> None:
    (record,) = packages.glob("*.dist-info/RECORD")
    rows = record.read_text().splitlines()
    record.write_text("\n".join(row.rpartition(",")[0] + ",many" if ".libs/" in row else row for row in rows))
    fault = installation.fault()
    assert fault is not None
    assert fault.startswith(f"its file {packages / LIBRARY} cannot be used: invalid literal for int()")
    record.write_text("\n".join(row for row in rows if EXTENSION not in row))
    assert installation.fault() == "there is no record of its _libvips."
    record.unlink()
    assert installation.fault() == "there is no record of its _libvips."


def test_a_module_that_python_finds_first_is_named(packages: Path, python_path: list[str], tmp_path: Path) -> None:
    first = tmp_path / "first"
    first.mkdir()
    (first / "_libvips.py").touch()
    python_path.insert(0, str(first))
    assert installation.fault() == (
        f"Python imports {first / '_libvips.py'} instead of its file {packages / EXTENSION}: remove the former."
    )


def test_a_file_that_is_no_module_for_this_python_is_named(python_path: list[str], tmp_path: Path) -> None:
    file = "_libvips.of-another-python.so"
    directory = unpacked(wheel(tmp_path, "pyvips-binary", "8.18.7", {file: "x"}), tmp_path / "packages")
    python_path.insert(0, str(directory))
    assert installation.fault() == f"Python does not take its file {directory / file} for a module."


# ----------------------------------------------------------------------------------------------- what pyvips loads


class Interpreter:
    """Stands for `subprocess`: the process that imports pyvips prints `stdout` and `stderr`, or raises `error`."""

    DEVNULL, SubprocessError = subprocess.DEVNULL, subprocess.SubprocessError

    def __init__(self, stdout: str = "", stderr: str = "", *, status: int = 0, error: Exception | None = None) -> None:
        self.commands: list[Sequence[str]] = []
        self._done = SimpleNamespace(stdout=stdout, stderr=stderr, returncode=status)
        self._error = error

    def run(self, command: Sequence[str], **_: object) -> SimpleNamespace:
        self.commands.append(command)
        if self._error is not None:
            raise self._error
        return self._done


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[[Interpreter], Libvips | Unknown]:
    # The session has found the libvips that runs: it is not forgotten.
    monkeypatch.setattr(installation, "_found", installation._found.__wrapped__)

    def asked(interpreter: Interpreter) -> Libvips | Unknown:
        monkeypatch.setattr(installation, "subprocess", interpreter)
        return installation.libvips()

    return asked


def test_the_version_is_that_which_a_process_of_its_own_prints(
    packages: Path, ask: Callable[[Interpreter], Libvips | Unknown]
) -> None:
    interpreter = Interpreter("a warning\nlibvips 8 18 7 API none at all\n")
    found = ask(interpreter)
    assert found == Libvips((8, 18, 7), bundled=True, mode="API", reason="none at all")
    assert str(found) == "8.18.7 (bundled, API mode)"
    (command,) = interpreter.commands
    assert command[:2] == [sys.executable, "-c"]
    assert command[3:] == sys.path


def test_a_library_is_the_bundled_one_only_in_api_mode_with_a_whole_installation(
    packages: Path, python_path: list[str], ask: Callable[[Interpreter], Libvips | Unknown]
) -> None:
    found = ask(Interpreter("libvips 8 14 1 ABI no module\n"))
    assert str(found) == "8.14.1 (system, ABI mode)"
    (packages / EXTENSION).write_text("another")
    assert str(ask(Interpreter("libvips 8 18 7 API none\n"))) == "8.18.7 (system, API mode)"
    python_path.remove(str(packages))
    assert str(ask(Interpreter("libvips 8 18 7 API none\n"))) == "8.18.7 (system, API mode)"


@pytest.mark.parametrize(
    ("interpreter", "sentence", "broken"),
    [
        (
            Interpreter(stderr="Traceback\nOSError: no libvips\n", status=1),
            "pyvips cannot be imported: OSError: no libvips",
            1,
        ),
        (Interpreter(status=9), "pyvips cannot be imported: Python ended with status 9", True),
        (Interpreter(error=OSError("no\n  memory")), "the process that imports pyvips could not run: no memory", False),
        (
            Interpreter(error=subprocess.SubprocessError("x" * 300)),
            f"the process that imports pyvips could not run: {'x' * 200}",
            False,
        ),
    ],
)
def test_why_the_version_is_unknown_is_told(
    ask: Callable[[Interpreter], Libvips | Unknown], interpreter: Interpreter, sentence: str, broken: bool
) -> None:
    found = ask(interpreter)
    assert found == Unknown(sentence, broken=bool(broken))
    assert str(found) == f"of an unknown version: {sentence}"


@pytest.mark.parametrize(
    "refused",
    [
        Interpreter(error=BlockingIOError(11, "busy")),
        Interpreter(error=OSError(12, "no memory")),
        Interpreter(status=-9),
    ],
    ids=["no process", "no memory", "killed"],
)
def test_a_version_that_is_unknown_for_lack_of_a_process_is_asked_for_again_until_it_is_known(
    packages: Path, monkeypatch: pytest.MonkeyPatch, refused: Interpreter
) -> None:
    monkeypatch.setattr(installation, "_found", cache(installation._found.__wrapped__))
    monkeypatch.setattr(installation, "subprocess", refused)
    for _ in range(2):
        found = installation.libvips()
        assert isinstance(found, Unknown)
        assert not found.broken
        assert installation.known() is None
    assert len(refused.commands) == 2
    good = Interpreter("libvips 8 18 7 API none\n")
    monkeypatch.setattr(installation, "subprocess", good)
    assert installation.libvips() == installation.libvips() == installation.known() == BUNDLED
    assert len(good.commands) == 1


@pytest.mark.parametrize(
    "broken",
    [Interpreter(status=1), Interpreter(error=subprocess.TimeoutExpired("python", 60))],
    ids=["broken", "hangs"],
)
def test_a_pyvips_that_does_not_work_is_asked_for_once(
    packages: Path, monkeypatch: pytest.MonkeyPatch, broken: Interpreter
) -> None:
    monkeypatch.setattr(installation, "_found", cache(installation._found.__wrapped__))
    monkeypatch.setattr(installation, "subprocess", broken)
    assert installation.libvips() == installation.libvips() == installation.known()
    assert len(broken.commands) == 1


def test_a_program_that_embeds_python_is_not_asked_but_the_python_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: Callable[[Interpreter], Libvips | Unknown]
) -> None:
    monkeypatch.setattr(sys, "executable", "/usr/sbin/uwsgi")
    monkeypatch.setattr(sys, "exec_prefix", str(tmp_path))
    interpreter = Interpreter("libvips 8 18 7 API none\n")
    assert ask(interpreter) == Unknown("there is no Python interpreter to import it with", broken=False)
    assert interpreter.commands == []
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").touch()
    ask(interpreter)
    assert interpreter.commands[0][0] == str(tmp_path / "bin" / "python3")


# ------------------------------------------------------------------------------------------------- what is wrong


def runs(monkeypatch: pytest.MonkeyPatch, *found: Libvips | Unknown) -> None:
    """What pyvips loads: the first of `found`, and the next one each time that it is looked at anew."""
    rest = list(found)

    monkeypatch.setattr(installation, "libvips", lambda: rest[0])
    monkeypatch.setattr(installation, "forget", lambda: rest.pop(0))


def of_the_system(*version: int) -> Libvips:
    return Libvips(version, bundled=False, mode="API", reason="none")


@pytest.mark.parametrize(
    ("found", "ids", "sentence"),
    [
        (of_the_system(8, 14, 9), ["thumbs.E018"], "is too old: 8.15.0 is the least that works."),
        (of_the_system(8, 15, 0), ["thumbs.W003"], "lacks security fixes: 8.18.7 has those of 2026."),
        (of_the_system(8, 18, 6), ["thumbs.W003"], "lacks security fixes: 8.18.7 has those of 2026."),
        (of_the_system(8, 18, 7), [], ""),
        (of_the_system(9, 0, 0), [], ""),
        (Unknown("no Python.", broken=False), ["thumbs.W003"], "its version is not known: no Python."),
        (Unknown("no pyvips", broken=True), ["thumbs.E018"], "its version is not known: no pyvips."),
    ],
)
def test_a_libvips_of_the_system_is_judged_by_its_version(
    python_path: list[str], monkeypatch: pytest.MonkeyPatch, found: Libvips | Unknown, ids: list[str], sentence: str
) -> None:
    runs(monkeypatch, found)
    problems = list(installation.problems())
    assert [problem.id for problem in problems] == ids
    assert [problem.sentence for problem in problems] == [sentence] * len(ids)
    place = "libvips" if isinstance(found, Unknown) else f"libvips {found}"
    assert {problem.where for problem in problems} <= {place}
    assert {problem.hint for problem in problems} <= {installation.UPGRADE}


def test_another_library_in_place_of_the_bundled_one_is_an_error_with_the_commands_that_mend_it(
    packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs(monkeypatch, of_the_system(8, 18, 7))
    (packages / EXTENSION).write_text("another")
    (problem,) = installation.problems()
    assert (problem.id, problem.where) == ("thumbs.E017", "pyvips-binary 8.18.7")
    assert problem.sentence.endswith("was built here. What runs is libvips 8.18.7 (system, API mode).")
    python = shlex.quote(sys.executable)
    assert problem.hint == (
        f"With pip: {python} -m pip install --force-reinstall --no-deps pyvips-binary==8.18.7. "
        f"With uv: uv pip install --python {python} --reinstall --no-deps pyvips-binary==8.18.7. "
        "For a libvips of your own uninstall pyvips-binary, or silence thumbs.E017."
    )


def test_an_extension_that_does_not_load_is_an_error_although_its_file_is_whole(
    packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs(monkeypatch, Libvips((8, 18, 9), bundled=False, mode="ABI", reason="ImportError('no symbol')"))
    (problem,) = installation.problems()
    assert problem.id == "thumbs.E017"
    assert problem.sentence == (
        "its _libvips does not load: ImportError('no symbol'). What runs is libvips 8.18.9 (system, ABI mode)."
    )


def test_a_fault_is_an_error_also_where_pyvips_does_not_run(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs(monkeypatch, Unknown("no pyvips", broken=True))
    (packages / LIBRARY).unlink()
    first, second = installation.problems()
    assert (first.id, second.id) == ("thumbs.E017", "thumbs.E018")
    assert first.sentence == f"its file {packages / LIBRARY} cannot be used: No such file or directory."


# --------------------------------------------------------------------------------------------------- as a program


def test_the_program_prints_what_runs(
    packages: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs(monkeypatch, BUNDLED)
    assert installation.main([]) == 0
    assert capsys.readouterr() == ("libvips 8.18.7 (bundled, API mode)\n", "")


def test_a_warning_is_printed_and_is_no_failure(
    python_path: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs(monkeypatch, of_the_system(8, 16, 0))
    assert installation.main([]) == 0
    said = capsys.readouterr()
    assert said.out == "libvips 8.16.0 (system, API mode)\n"
    assert said.err == (
        "(thumbs.W003) libvips 8.16.0 (system, API mode): lacks security fixes: 8.18.7 has those of 2026. "
        f"{installation.UPGRADE}\n"
    )


def test_an_error_is_a_failure_and_no_version_is_printed_that_is_unknown(
    python_path: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs(monkeypatch, Unknown("no pyvips", broken=True))
    assert installation.main([]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("(thumbs.E018) libvips: its version is not known: no pyvips. ")


@pytest.mark.parametrize("arguments", [["--repare"], ["--repair", "--repair"]])
def test_other_arguments_are_refused(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert installation.main(arguments) == 2
    assert capsys.readouterr().err == "usage: python -m thumbs.conf.installation [--repair]\n"


@pytest.mark.parametrize(
    ("tools", "command"),
    [
        ({"its own pip", "uv"}, [sys.executable, "-m", "pip", "install", "--no-deps", "--force-reinstall"]),
        ({"uv", "pip"}, ["/tools/uv", "pip", "install", "--no-deps", "--force-reinstall"]),
        ({"pip"}, ["/tools/pip", "--python", sys.executable, "install", "--no-deps", "--force-reinstall"]),
        (set(), ["pip", "--python", sys.executable, "install", "--no-deps", "--force-reinstall"]),
    ],
    ids=["its own pip", "uv", "another pip", "none"],
)
def test_repair_installs_the_same_version_again_and_looks_again(
    packages: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tools: set[str],
    command: list[str],
) -> None:
    whole = (packages / EXTENSION).read_text()
    (packages / EXTENSION).write_text("another")
    runs(monkeypatch, of_the_system(8, 18, 7), BUNDLED)
    if "its own pip" in tools:
        (packages / "pip").mkdir()
        (packages / "pip" / "__init__.py").touch()
    monkeypatch.delitem(sys.modules, "pip", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: f"/tools/{name}" if name in tools else None)
    ran: list[Sequence[str]] = []

    def run(arguments: Sequence[str], *, check: bool, stdout: object) -> None:
        assert (check, stdout) == (False, sys.stderr)
        ran.append(arguments)
        (packages / EXTENSION).write_text(whole)

    monkeypatch.setattr(installation, "subprocess", SimpleNamespace(run=run))
    assert installation.main(["--repair"]) == 0
    uv = ["--python", sys.executable] if command[0].endswith("uv") else []
    assert ran == [[*command, "pyvips-binary==8.18.7", *uv]]
    assert capsys.readouterr() == ("libvips 8.18.7 (bundled, API mode)\n", "")


def test_repair_leaves_what_is_whole(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs(monkeypatch, BUNDLED)
    monkeypatch.setattr(installation, "repair", lambda: pytest.fail("nothing is to be repaired"))
    assert installation.main(["--repair"]) == 0
