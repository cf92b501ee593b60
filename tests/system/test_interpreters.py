"""script/setup finds an interpreter: on PATH, and among those that pyenv has installed."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.support.script_trees import executable, project, run

BASH = shutil.which("bash") or "/bin/bash"
TOOLS = ("bash", "cat", "dirname", "env", "find", "flock", "grep", "head", "mkdir", "rm", "rmdir", "sed", "tail")
SHIM = 'echo "pyenv: command not found" >&2; exit 127'


def python(version: str) -> str:
    """The text of an interpreter that says it is `version` and, when it is to make an environment, its own path."""
    major, minor, _ = version.split(".")
    new_enough = 0 if (int(major), int(minor)) >= (3, 11) else 1
    return (
        f'case "$*" in *version_info*) exit {new_enough} ;; *version*) echo {version} ;; '
        '*"-m venv"*) echo "a venv by $0"; exit 3 ;; esac'
    )


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    """A directory for PATH with a few tools, and no Python."""
    directory = tmp_path / "bin"
    directory.mkdir()
    for tool in TOOLS:
        if found := shutil.which(tool):
            (directory / tool).symlink_to(found)
    return directory


def script(path: Path, text: str) -> Path:
    return executable(path, f"#!{BASH}\n{text}\n")


def pyenv(commands: Path, root: Path, *versions: str) -> None:
    """A pyenv whose shims do not run, as where none of its versions is chosen, with `versions` installed."""
    script(commands / "pyenv", f'test "$*" = root && echo "{root}"')
    script(commands / "python3", SHIM)
    for version in versions:
        series = version.rpartition(".")[0]
        script(commands / f"python{series}", SHIM)
        script(root / "versions" / version / "bin" / f"python{series}", python(version))


def test_setup_takes_an_interpreter_of_pyenv_whose_shim_does_not_run(tmp_path: Path, commands: Path) -> None:
    root = tmp_path / "pyenv of mine"
    pyenv(commands, root, "3.9.18", "3.11.7", "3.12.1")
    result = run([BASH, project(tmp_path) / "script/setup"], PATH=str(commands))
    assert f"a venv by {root}/versions/3.12.1/bin/python3.12" in result.stderr


def test_setup_prefers_what_path_has_to_what_pyenv_has(tmp_path: Path, commands: Path) -> None:
    pyenv(commands, tmp_path / "pyenv", "3.13.0")
    script(commands / "python3.11", python("3.11.2"))
    result = run([BASH, project(tmp_path) / "script/setup"], PATH=str(commands))
    assert f"a venv by {commands}/python3.11" in result.stderr


def test_setup_names_the_fault_of_path_when_pyenv_has_none_either(tmp_path: Path, commands: Path) -> None:
    pyenv(commands, tmp_path / "pyenv", "3.9.18")
    result = run([BASH, project(tmp_path) / "script/setup"], PATH=str(commands))
    assert result.returncode == 1
    assert "no Python 3.11 or later with a venv module: python3 does not run" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("series", ["3.11", "3.13"])
def test_setup_prints_the_interpreter_of_one_series_and_makes_nothing(
    tmp_path: Path, commands: Path, series: str
) -> None:
    root = tmp_path / "pyenv"
    pyenv(commands, root, f"{series}.4", "3.12.1")
    tree = project(tmp_path)
    result = run([BASH, tree / "script/setup", "--find", series], PATH=str(commands))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"{root}/versions/{series}.4/bin/python{series}\n"
    assert not (tree / ".venv").exists()


def test_setup_finds_no_other_series_than_the_one_named(tmp_path: Path, commands: Path) -> None:
    """`python3` may be of any series, and so may a command whose name says another one."""
    pyenv(commands, tmp_path / "pyenv", "3.12.1")
    script(commands / "python3", python("3.12.9"))
    script(commands / "python3.13", python("3.12.9"))
    result = run([BASH, project(tmp_path) / "script/setup", "--find", "3.13"], PATH=str(commands))
    assert (result.returncode, result.stdout) == (1, "")
    assert "no Python 3.13 with a venv module" in result.stderr
    assert result.stderr.count("\n") == 1


def test_setup_finds_a_series_under_the_name_python3(tmp_path: Path, commands: Path) -> None:
    script(commands / "python3", f'exec {sys.executable} "$@"')
    series = f"{sys.version_info[0]}.{sys.version_info[1]}"
    result = run([BASH, project(tmp_path) / "script/setup", "--find", series], PATH=str(commands))
    assert (result.returncode, result.stdout) == (0, f"{commands}/python3\n")


@pytest.mark.parametrize("arguments", [["--find"], ["--find", ""], ["--find", "python"], ["--find", "3"]])
def test_setup_refuses_to_find_what_is_no_series(tmp_path: Path, arguments: list[str]) -> None:
    result = run([project(tmp_path) / "script/setup", *arguments])
    assert (result.returncode, result.stdout) == (1, "")
    assert "unknown argument" in result.stderr
