"""The scripts do what they document, and report what is missing in one line; the files beside them agree."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mage_project import demo
from tests.support.installations import environment, pyvips_wheel
from tests.support.longest import LONGEST
from tests.support.script_trees import ROOT, executable, project, quick_python, run
from tests.support.waiting import WAIT_SECONDS
from thumbs import extras
from thumbs.conf import installation
from thumbs.conf.loading import load

CI = sorted(str(path.relative_to(ROOT)) for path in (ROOT / ".ci").glob("*") if not path.suffix)  # the sdist has none
SCRIPTS = ("script/setup", "script/server", "script/test", *CI)
BASH = shutil.which("bash") or "/bin/bash"
TOOLS = ("bash", "cat", "dirname", "env", "find", "flock", "grep", "head", "mkdir", "rm", "rmdir", "sed", "tail")


def path_with(directory: Path, **pythons: str) -> str:
    """A PATH on which there are a few tools and only the Pythons given, each the text of a shell script."""
    directory.mkdir()
    for tool in TOOLS:
        if found := shutil.which(tool):
            (directory / tool).symlink_to(found)
    for name, text in pythons.items():
        executable(directory / name.replace("_", "."), f"#!{BASH}\n{text}\n")
    return str(directory)


def remove_pip(tree: Path) -> None:
    """So that no installation can succeed from here on."""
    for pip in (tree / ".venv").glob("lib/python*/site-packages/pip"):
        shutil.rmtree(pip)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_executable_and_valid_bash(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    result = run([BASH, "-n", ROOT / script])
    assert (result.returncode, result.stderr) == (0, "")


# ------------------------------------------------------------------------------------------ script/setup


OLD = 'case "$*" in *version_info*) exit 1 ;; *version*) echo 3.9.18 ;; esac'
BARE = f'case "$*" in *ensurepip*) exit 1 ;; *) exec {sys.executable} "$@" ;; esac'


@pytest.mark.parametrize(
    ("pythons", "complaint"),
    [
        ({}, "python3 is not there"),
        ({"python3": OLD}, "python3 is Python 3.9.18"),
        ({"python3": BARE}, "has no venv module; on Debian: apt-get install python3-venv"),
        ({"python3": "exit 127"}, "python3 does not run"),
    ],
)
def test_setup_says_in_one_line_which_python_is_missing(
    tmp_path: Path, pythons: dict[str, str], complaint: str
) -> None:
    tree = project(tmp_path)
    result = run([BASH, tree / "script/setup"], PATH=path_with(tmp_path / "bin", **pythons))
    assert result.returncode == 1
    assert result.stdout == ""
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tree / ".venv").exists()


def test_setup_prefers_no_python_to_a_chosen_one_that_is_too_old(tmp_path: Path) -> None:
    chosen = executable(tmp_path / "old python", f"#!{BASH}\n{OLD}\n")
    result = run([project(tmp_path) / "script/setup"], PYTHON=str(chosen))
    assert result.returncode == 1
    assert f"{chosen} is Python 3.9.18" in result.stderr


def test_setup_finds_the_newer_python_beside_an_old_one(tmp_path: Path) -> None:
    """The search succeeds: the newer one is called to make an environment, and its output is shown."""
    newer = f'case "$*" in *"-m venv"*) echo "asked for a venv"; exit 3 ;; *) exec {sys.executable} "$@" ;; esac'
    path = path_with(tmp_path / "bin", python3=OLD, python3_12=newer)
    result = run([BASH, project(tmp_path) / "script/setup"], PATH=path)
    assert result.returncode == 1
    assert "asked for a venv" in result.stderr
    assert "could not make the virtual environment" in result.stderr


def test_setup_leaves_an_environment_alone_that_it_did_not_make(tmp_path: Path) -> None:
    tree = project(tmp_path)
    mine = executable(tree / ".venv/bin/python", "mine")
    result = run([tree / "script/setup"], PYTHON=sys.executable)
    assert result.returncode == 1
    assert "was not made by this script" in result.stderr
    assert mine.read_text(encoding="utf-8") == "mine"


def test_setup_refuses_an_argument_that_it_does_not_know(tmp_path: Path) -> None:
    result = run([project(tmp_path) / "script/setup", "--tests"])
    assert result.returncode == 1
    assert "unknown argument" in result.stderr


def test_a_whole_environment_is_found_again_without_pip(tmp_path: Path) -> None:
    tree = project(tmp_path)
    first = run([tree / "script/setup", "--test"], PYTHON=sys.executable)
    assert first.returncode == 0, first.stderr
    assert first.stdout == ""
    assert first.stderr.count("HTTP parser in Python") == 1
    assert first.stderr.count("\n") == 2
    stamp = (tree / ".venv/setup-stamp").read_text(encoding="utf-8").splitlines()
    assert (stamp[0], stamp[-1]) == (str(tree), "test")

    remove_pip(tree)
    for arguments in ([], ["--test"]):
        again = run([tree / "script/setup", *arguments])
        assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


@pytest.fixture
def quick(tmp_path: Path) -> str:
    """A Python for environments that need a pip, of any version: one test above has all of what a user gets."""
    return str(quick_python(tmp_path))


@pytest.mark.slow
def test_changed_requirements_are_installed_and_an_unfinished_environment_is_made_again(
    tmp_path: Path, quick: str
) -> None:
    tree = project(tmp_path)
    assert run([tree / "script/setup"], PYTHON=quick).returncode == 0
    remove_pip(tree)
    (tree / "requirements.txt").write_text("# changed\n", encoding="utf-8")
    changed = run([tree / "script/setup"])
    assert changed.returncode == 1
    assert "pip could not install Mage" in changed.stderr
    assert (tree / ".venv/setup-begun").exists()

    again = run([tree / "script/setup"], PYTHON=quick)
    assert again.returncode == 0, again.stderr
    assert "setting up .venv" in again.stderr
    assert not (tree / ".venv/setup-begun").exists()


@pytest.mark.slow
def test_setup_says_that_the_index_cannot_be_reached_and_is_not_whole_then(tmp_path: Path, quick: str) -> None:
    tree = project(tmp_path, dependencies='"a-package-that-no-index-has"')
    index = {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": "http://127.0.0.1:9/simple"}
    for _ in range(2):
        result = run([tree / "script/setup"], PYTHON=quick, **index)
        assert result.returncode == 1
        assert result.stderr.splitlines()[-1].startswith("script/setup: pip cannot reach its package index")
        assert not (tree / ".venv/setup-stamp").exists()


@pytest.mark.slow
def test_an_environment_that_was_moved_is_made_again(tmp_path: Path, quick: str) -> None:
    tree = project(tmp_path)
    assert run([tree / "script/setup"], PYTHON=quick).returncode == 0
    moved = tree.rename(tmp_path / "moved")
    assert "setting up .venv" in run([moved / "script/setup"], PYTHON=quick).stderr
    assert (moved / ".venv/setup-stamp").read_text(encoding="utf-8").splitlines()[0] == str(moved)


# ---------------------------------------------------------------------------- script/server, script/test


REPORT = """
import json, os, sys
names = ("PORT", "STORAGES_CONFIG_PATH")
print(json.dumps({"arguments": sys.argv[1:], "pid": os.getpid()} | {name: os.environ.get(name) for name in names}))
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree that is set up already, whose manage.py reports how it was called."""
    tree = tmp_path / "a tree with spaces"
    executable(tree / "script/setup", "#!/bin/sh\nexit 0\n")
    executable(tree / ".venv/bin/python", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    for name in ("script/server", "script/test", "thumbs/conf/installation.py"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    (tree / "manage.py").write_text(REPORT, encoding="utf-8")
    shutil.copytree(ROOT / "mage_project/demo", tree / "mage_project/demo")
    originals = tree / "var/demo/originals"
    originals.mkdir(parents=True)
    for name in demo.PICTURES:
        (originals / name).write_bytes(b"drawn before")
    return tree


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def test_without_a_configuration_the_server_is_a_demo_and_prints_three_urls(tree: Path, port: int) -> None:
    result = run([tree / "script/server", "--workers", "2"], PORT=str(port))
    assert result.returncode == 0, result.stderr
    *printed, report = result.stdout.splitlines()
    assert [line.strip() for line in printed if "/demo/" in line] == demo.urls(port)
    assert any(f"http://localhost:{port}/" in line and "playground" in line for line in printed)
    assert len(demo.urls(port)) == 3
    called = json.loads(report)
    assert called["arguments"] == ["run_thumb_server", "--workers", "2"]
    assert called["PORT"] == str(port)
    assert called["STORAGES_CONFIG_PATH"] == str(tree / "var/demo/storages.json")
    written = json.loads((tree / "var/demo/storages.json").read_text(encoding="utf-8"))
    assert written == demo.storages(tree / "var/demo")


def test_a_demo_that_this_libvips_cannot_draw_is_reported_without_a_traceback(tree: Path, tmp_path: Path) -> None:
    made = environment(tmp_path / "environment")
    made.install("uv", pyvips_wheel(tmp_path, "8.14.1 API"))
    executable(tree / ".venv/bin/python", f'#!/bin/sh\nexec "{made.python}" "$@"\n')
    result = run([tree / "script/server", "--bind", "127.0.0.1:1"])
    assert (result.returncode, result.stdout) == (1, "")
    assert "(thumbs.E018) libvips 8.14.1 (system, API mode): is too old" in result.stderr
    assert result.stderr.endswith("script/server: the pictures of the demo cannot be drawn with this libvips.\n")


def test_storages_json_beside_the_script_is_served_instead(tree: Path, port: int) -> None:
    (tree / "storages.json").write_text("{}", encoding="utf-8")
    result = run([tree / "script/server"], PORT=str(port))
    assert json.loads(result.stdout)["STORAGES_CONFIG_PATH"] == str(tree / "storages.json")


def test_a_configuration_named_in_the_environment_comes_first(tree: Path, port: int) -> None:
    (tree / "storages.json").write_text("{}", encoding="utf-8")
    result = run([tree / "script/server"], PORT=str(port), STORAGES_CONFIG_PATH="elsewhere.json")
    assert json.loads(result.stdout)["STORAGES_CONFIG_PATH"] == str(Path.cwd() / "elsewhere.json")


def test_signals_reach_the_server_because_it_takes_the_scripts_place(tree: Path, port: int) -> None:
    (tree / "storages.json").write_text("{}", encoding="utf-8")
    with subprocess.Popen(
        [tree / "script/server"], env=os.environ | {"PORT": str(port)}, stdout=subprocess.PIPE
    ) as child:
        report, _ = child.communicate(timeout=WAIT_SECONDS)
    assert json.loads(report)["pid"] == child.pid


def test_a_taken_port_is_one_clear_line(tree: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        result = run([tree / "script/server"], PORT=str(number))
    assert (result.returncode, result.stdout) == (1, "")
    example = f"PORT={number + 1} script/server"
    assert result.stderr == f"script/server: port {number} is in use; choose another one, for example: {example}\n"


@pytest.mark.parametrize("value", ["http", "0", "65536", "-1", "80 80"])
def test_a_port_that_is_no_port_is_refused(tree: Path, value: str) -> None:
    result = run([tree / "script/server"], PORT=value)
    assert result.returncode == 1
    assert result.stderr == f"script/server: PORT must be 1 to 65535, not '{value}'.\n"


FORMAT = "ruff format --check thumbs tests bench mage_project manage.py"
FAST = "pytest -n auto --dist loadfile --ignore tests/system -m not system and not slow"
SLOW = "pytest -n auto --dist loadfile --ignore tests/system -m not system and (slow or hypothesis)"
COVERAGE = "--cov --cov-report=term:skip-covered"
AT_ONCE = "-n 3 --dist loadfile --no-loadscope-reorder"


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ([], [FAST, "pytest -m system and not slow"]),
        (["--fast"], [FAST]),
        (["--slow"], [FAST, SLOW, "pytest -m system"]),
        (["--fast", "--slow", "--coverage"], [f"{FAST} {COVERAGE}", SLOW]),
        (["--at-once", "3"], [FAST, f"pytest -m system and not slow {AT_ONCE}"]),
        (["--coverage"], [f"{FAST} {COVERAGE}", "pytest -m system and not slow"]),
        (["--fast", "-k", "name"], [f"{FAST} -k name"]),
        (["-k", "name"], [f"{FAST} -k name", "pytest -m system and not slow -k name"]),
    ],
)
def test_the_test_script_runs_every_part_and_fails_when_one_fails(
    tree: Path, arguments: list[str], parts: list[str]
) -> None:
    executable(tree / ".venv/bin/python", '#!/bin/sh\necho "ran $*"\ntest "$2" != mypy\n')
    result = run([tree / "script/test", *arguments])
    assert result.returncode == 1
    ran = [line.removeprefix("ran -m ") for line in result.stdout.splitlines() if line.startswith("ran ")]
    assert ran == ["ruff check .", FORMAT, "mypy", "tests.support.words", *parts]
    report = result.stdout.partition("== script/test:\n")[2]
    verdicts = [re.sub(r" +|, \d+ s$", " ", line).strip() for line in report.splitlines()]
    names = {FAST: "fast", SLOW: "slow"}
    tests = [f"{names.get(part.partition(' --cov')[0].partition(' -k')[0], 'system')} tests passed" for part in parts]
    assert verdicts == ["ruff passed", "format passed", "mypy FAILED", "words passed", *tests]


@pytest.mark.parametrize(
    ("arguments", "wished", "examples"), [([], "", ""), (["--slow"], "", "200"), (["--slow"], "7", "7")]
)
def test_the_slow_tests_come_with_all_examples_of_the_properties(
    tree: Path, arguments: list[str], wished: str, examples: str
) -> None:
    executable(tree / ".venv/bin/python", '#!/bin/sh\necho "examples: $MAGE_TEST_EXAMPLES"\n')
    result = run([tree / "script/test", *arguments], MAGE_TEST_EXAMPLES=wished)
    slow = result.stdout.partition("== slow tests\n")[2].partition("\n")[0]
    assert slow == (f"examples: {examples}" if examples else "")


def test_the_test_script_passes_when_all_pass(tree: Path) -> None:
    executable(tree / ".venv/bin/python", "#!/bin/sh\n")
    assert run([tree / "script/test"]).returncode == 0


def test_the_test_script_names_what_failed_once_more_at_its_end(tree: Path) -> None:
    failed = [
        "FAILED tests/a.py::b - assert 0",
        "ERROR tests/c.py::d",
        "FAIL Required test coverage not reached.",
    ]
    lines = "\\n".join(["tests/a.py::ok PASSED", *failed, "1 failed"])
    executable(
        tree / ".venv/bin/python", f"#!/bin/sh\ncase $* in *'not system'*) printf '{lines}\\n'; exit 1 ;; esac\n"
    )
    result = run([tree / "script/test"])
    assert result.returncode == 1
    report = result.stdout.partition("== script/test:\n")[2]
    fast = report.partition("fast tests")[2].splitlines()
    assert [fast[0].split(",")[0].strip(), *fast[1:4]] == ["FAILED", *failed]
    assert fast[4].split()[:3] == ["system", "tests", "passed,"]


NO_TESTS_COLLECTED = 5


@pytest.mark.parametrize(("without", "status"), [("auto", 0), ("-m?system", 0), ("", 1)])
def test_a_part_without_a_test_that_the_arguments_name_fails_only_when_the_other_part_has_none_too(
    tree: Path, without: str, status: int
) -> None:
    python = f'#!/bin/sh\ncase "$*" in *pytest*{without}*) exit {NO_TESTS_COLLECTED} ;; esac\n'
    executable(tree / ".venv/bin/python", python)
    result = run([tree / "script/test", "tests/conf"])
    assert result.returncode == status
    assert "found none" in result.stdout


# ---------------------------------------------------------------------------------------- files in step


def pyproject() -> dict[str, list[str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {"dependencies": project["dependencies"], **project["optional-dependencies"]}


def test_requirements_are_the_dependencies_of_pyproject_and_those_of_all_extras_of_the_server() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    listed = [line for line in lines if line and not line.startswith("#")]
    project = pyproject()
    wanted = [each for extra in extras.PACKAGES if extra not in extras.SEPARATE for each in project[extra]]
    assert sorted(listed) == sorted({*project["dependencies"], *wanted})


@pytest.mark.parametrize("file", ["Dockerfile", "docs/deployment.md"])
def test_the_parser_in_c_is_the_one_that_pyproject_names(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert re.findall(r'"(gunicorn_h1c[^"]*)"', text) == pyproject()["fast"]


def test_the_bounds_of_libvips_in_checks_and_docs_are_those_of_pyproject() -> None:
    dependencies = pyproject()["dependencies"]
    least = installation.dotted(installation.PATCHED)
    assert f"pyvips-binary>={least},<9" in dependencies
    docs = (ROOT / "docs/deployment.md").read_text(encoding="utf-8")
    named = set(re.findall(r'"(pyvips>=[^"]*)"', docs))
    assert named == {each for each in dependencies if each.startswith("pyvips>")}
    hint = installation.UPGRADE
    assert all(each.partition(",")[0] in hint for each in dependencies if each.startswith("pyvips"))


def test_the_image_gets_every_file_that_its_dockerfile_copies() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("COPY ") and "--from" not in line]
    copied = [name for line in lines for name in line.split()[1:-1]]
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert sorted(f"!{name}" for name in copied) == sorted(line for line in ignored if line.startswith("!"))


def test_mage_finds_no_fault_with_the_example_but_the_directory_that_is_not_here() -> None:
    environ = {"UPLOADS_SECRET": "x" * 32, "S3_ACCESS_KEY": "key", "S3_SECRET_KEY": "secret"}
    read = load({"STORAGES_FILE": str(ROOT / "storages.example.json"), "ENVIRON": environ})
    assert [(storage.name, storage.driver) for storage in read.storages] == [("uploads", "local"), ("s3-images", "s3")]
    assert all(storage.cache.memory.enabled and storage.cache.disk.enabled for storage in read.storages)
    assert {problem.where for problem in read.problems} <= {"storages[uploads].root"}


def test_the_modules_that_are_said_to_take_longest_exist() -> None:
    system = Path(__file__).parent
    assert [name for name in LONGEST if not (system / f"{name}.py").exists()] == []
