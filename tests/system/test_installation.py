"""The libvips that is promised is the one that runs: another one is found, reported and replaced."""

import json
import shutil
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.commands import environ_with, local_storage
from tests.support.installations import (
    EXTENSION,
    LIBRARY,
    Environment,
    binary_wheel,
    environment,
    pyvips_wheel,
    wheel,
)
from tests.support.waiting import WAIT_SECONDS

TOOLS = ("pip", "uv")
BUNDLED = "libvips 8.18.7 (bundled, API mode)\n"


@pytest.fixture
def made(tmp_path: Path) -> Environment:
    return environment(tmp_path / "an environment")


def check(made: Environment, directory: Path) -> tuple[int, str]:
    """`manage.py check` of a server, in that environment: status and what it says."""
    made.share()
    kept = {"enabled": True, "max_size_mb": 1}
    storages = [{**local_storage("photos", directory, memory=kept), "allowed_sizes": ["9x9"]}]
    done = made.run("manage.py", "check", **environ_with(directory, storages))
    return done.returncode, done.stdout + done.stderr


# --------------------------------------------------------------------------- two packages that own one file


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("last", ["pyvips", "pyvips-binary"])
def test_the_package_that_was_installed_last_has_the_file_and_the_check_sees_which(
    made: Environment, tmp_path: Path, tool: str, last: str
) -> None:
    wheels = [pyvips_wheel(tmp_path), binary_wheel(tmp_path)]
    for each in wheels if last == "pyvips-binary" else reversed(wheels):
        made.install(tool, each)
    whole = "of the bundle" in made.extension.read_text()
    assert whole == (last == "pyvips-binary")
    looked = made.look()
    status, said = check(made, tmp_path)
    assert (looked.returncode, status) == ((0, 0) if whole else (1, 1))
    assert (looked.stdout == BUNDLED) == whole
    for text in (looked.stderr, said):
        assert ("thumbs.E017" in text, "thumbs.E018" in text) == (not whole, not whole)


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_one_call_of_an_installer_leaves_is_judged_by_the_file(
    made: Environment, tmp_path: Path, tool: str, order: tuple[int, int]
) -> None:
    wheels = [pyvips_wheel(tmp_path), binary_wheel(tmp_path)]
    made.install(tool, *(wheels[number] for number in order))
    assert (made.look().returncode == 0) == ("of the bundle" in made.extension.read_text())


@pytest.mark.parametrize("tool", TOOLS)
def test_the_hint_has_the_command_that_repairs_it(made: Environment, tmp_path: Path, tool: str) -> None:
    made.install("uv", binary_wheel(tmp_path))
    made.install("uv", pyvips_wheel(tmp_path))
    said = made.look().stderr
    assert f"With pip: '{made.python}' -m pip install --force-reinstall --no-deps pyvips-binary==8.18.7." in said
    assert f"With uv: uv pip install --python '{made.python}' --reinstall --no-deps pyvips-binary==8.18.7." in said
    reinstall = "--force-reinstall" if tool == "pip" else "--reinstall"
    made.install(tool, reinstall, "pyvips-binary==8.18.7", links=tmp_path)
    assert made.look().stdout == BUNDLED


@pytest.mark.parametrize("tool", ["its own pip", "a pip beside it", "uv"])
def test_repair_reinstalls_the_same_version_with_the_tool_that_is_there(
    made: Environment, tmp_path: Path, tool: str
) -> None:
    binary_wheel(tmp_path, "8.18.8 API", version="8.18.8")  # a later one is not taken
    made.install("uv", binary_wheel(tmp_path))
    made.install("uv", pyvips_wheel(tmp_path))
    tools = tmp_path / "tools"
    tools.mkdir()
    if tool == "its own pip":
        (made.packages / "pip").symlink_to(Path(sysconfig.get_path("purelib"), "pip"))
    else:
        name = "uv" if tool == "uv" else "pip"
        (tools / name).symlink_to(Path(sys.executable).with_name(name))
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_NO_CACHE_DIR": "1"}
    offline |= {"UV_OFFLINE": "1", "UV_FIND_LINKS": str(tmp_path), "UV_NO_CACHE": "1", "UV_LINK_MODE": "copy"}
    mended = made.look("--repair", PATH=str(tools), **offline)
    assert (mended.returncode, mended.stdout) == (0, BUNDLED), mended.stderr
    again = made.look("--repair", PATH=str(tools))
    assert (again.returncode, again.stdout, again.stderr) == (0, BUNDLED, "")


def test_repair_fails_and_says_why_where_the_package_cannot_be_had(made: Environment, tmp_path: Path) -> None:
    made.install("uv", binary_wheel(tmp_path))
    made.install("uv", pyvips_wheel(tmp_path))
    failed = made.look("--repair", PIP_NO_INDEX="1")
    assert failed.returncode == 1
    assert "thumbs.E017" in failed.stderr
    assert "--force-reinstall --no-deps pyvips-binary==8.18.7" in failed.stderr


# ------------------------------------------------------------------------------- other ways to lose the library


def whole(made: Environment, directory: Path, says: str = "8.18.7 API") -> None:
    made.install("uv", pyvips_wheel(directory, None))
    made.install("uv", binary_wheel(directory, says))


def test_a_whole_installation_has_no_faults(made: Environment, tmp_path: Path) -> None:
    whole(made, tmp_path)
    assert check(made, tmp_path) == (0, "System check identified no issues (0 silenced).\n")


@pytest.mark.parametrize("file", [EXTENSION, LIBRARY])
@pytest.mark.parametrize("damage", ["missing", "cut", "a directory"])
def test_a_file_that_is_missing_or_damaged_is_found(made: Environment, tmp_path: Path, file: str, damage: str) -> None:
    whole(made, tmp_path)
    damaged = made.packages / file
    text = damaged.read_text()
    damaged.unlink()
    if damage == "cut":
        damaged.write_text(text[:-1])
    elif damage == "a directory":
        damaged.mkdir()
    looked = made.look()
    assert looked.returncode == 1
    assert "(thumbs.E017)" in looked.stderr
    assert str(damaged) in looked.stderr


def test_the_package_that_is_uninstalled_takes_the_file_of_the_other_with_it(made: Environment, tmp_path: Path) -> None:
    made.install("uv", binary_wheel(tmp_path))
    made.install("uv", pyvips_wheel(tmp_path))
    for row in (made.packages / "pyvips-3.2.0.dist-info/RECORD").read_text().splitlines():
        (made.packages / row.split(",")[0]).unlink(missing_ok=True)  # as `pip uninstall pyvips` does
    shutil.rmtree(made.packages / "pyvips")
    looked = made.look()
    assert looked.returncode == 1
    assert f"{made.extension} cannot be used: No such file or directory" in looked.stderr
    assert "(thumbs.E018) libvips: its version is not known: pyvips cannot be imported" in looked.stderr


def test_a_module_that_python_finds_first_is_named(made: Environment, tmp_path: Path) -> None:
    whole(made, tmp_path)
    shadow = made.packages / "_libvips.py"  # extension modules come before it, in one and the same directory
    shadow.write_text("")
    assert made.look().returncode == 0
    first = tmp_path / "first"
    first.mkdir()
    (first / EXTENSION).write_text("8.17.0 API built elsewhere")
    (made.packages / "_first.pth").write_text(f"import sys; sys.path.insert(0, {str(first)!r})\n")
    looked = made.look()
    assert looked.returncode == 1
    assert f"Python imports {first / EXTENSION} instead of its file {made.extension}" in looked.stderr
    assert looked.stdout == "libvips 8.17.0 (system, API mode)\n"


def test_an_extension_that_does_not_load_is_found_although_its_file_is_whole(made: Environment, tmp_path: Path) -> None:
    whole(made, tmp_path, "8.18.7 ABI")
    status, said = check(made, tmp_path)
    assert status == 1
    assert "(thumbs.E017) pyvips-binary 8.18.7: its _libvips does not load: ImportError(" in said
    assert "What runs is libvips 8.18.7 (system, ABI mode)." in said


def test_a_package_without_a_record_of_its_files_is_not_trusted(made: Environment, tmp_path: Path) -> None:
    whole(made, tmp_path)
    (made.packages / "pyvips_binary-8.18.7.dist-info/RECORD").unlink()
    assert "there is no record of its _libvips" in made.look().stderr


# ------------------------------------------------------------------------------------- a libvips of one's own


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("8.14.9", "(thumbs.E018) libvips 8.14.9 (system, API mode): is too old: 8.15.0 is the least that works."),
        ("8.15.0", "(thumbs.W003) libvips 8.15.0 (system, API mode): lacks security fixes: 8.18.7 has those of 2026."),
        ("8.18.6", "(thumbs.W003) libvips 8.18.6 (system, API mode): lacks security fixes: 8.18.7 has those of 2026."),
        ("8.18.7", ""),
        ("8.19.0", ""),
        ("9.0.0", ""),
    ],
)
def test_a_libvips_of_the_system_is_judged_by_its_version(
    made: Environment, tmp_path: Path, version: str, message: str
) -> None:
    made.install("uv", pyvips_wheel(tmp_path, f"{version} API"))
    looked = made.look()
    assert looked.returncode == (1 if "E018" in message else 0)
    assert looked.stderr.startswith(message)
    assert bool(looked.stderr) == bool(message)
    assert looked.stdout == f"libvips {version} (system, API mode)\n"


def test_an_old_bundle_is_as_old_as_any_other(made: Environment, tmp_path: Path) -> None:
    made.install("uv", pyvips_wheel(tmp_path, None), binary_wheel(tmp_path, "8.17.1 API", version="8.17.1"))
    status, said = check(made, tmp_path)
    assert status == 0
    assert "(thumbs.W003) libvips 8.17.1 (bundled, API mode): lacks security fixes" in said


def test_a_pyvips_that_cannot_be_imported_is_an_error_that_says_why(made: Environment, tmp_path: Path) -> None:
    whole(made, tmp_path, "nothing is")
    status, said = check(made, tmp_path)
    assert status == 1
    assert (
        "(thumbs.E018) libvips: its version is not known: "
        "pyvips cannot be imported: OSError: cannot load library 'libvips.so.42'." in said
    )
    assert "Traceback" not in said


def settings_that_silence(directory: Path, *ids: str) -> dict[str, str]:
    """The environment with which the server has settings of its own."""
    text = f"from mage_project.settings import *\nSILENCED_SYSTEM_CHECKS = {json.dumps(ids)}\n"
    (directory / "silent_settings.py").write_text(text)
    return {"DJANGO_SETTINGS_MODULE": "silent_settings", "PYTHONPATH": str(directory)}


@pytest.mark.parametrize("command", ["run_thumb_server", "gunicorn"])
@pytest.mark.parametrize("silenced", [True, False])
def test_a_server_with_another_libvips_starts_only_where_the_check_is_silenced(
    made: Environment, tmp_path: Path, command: str, silenced: bool
) -> None:
    made.install("uv", binary_wheel(tmp_path))
    made.install("uv", pyvips_wheel(tmp_path, "8.18.9 API"))
    storage = {**local_storage("photos", tmp_path), "allowed_sizes": ["9x9"]}
    environ = environ_with(tmp_path, [storage]) | settings_that_silence(tmp_path, *["thumbs.E017"] * silenced)
    made.share()
    port, log = servers.free_port(), tmp_path / "log"
    words = ["manage.py", "run_thumb_server", "--workers", "1"]
    if command == "gunicorn":
        words = ["-m", "gunicorn", "-k", "asgi", "mage_project.asgi:application", "--no-control-socket"]
    line = [str(made.python), *words, "--bind", f"127.0.0.1:{port}"]
    with servers.running(line, log=log, environ=environ) as process:
        if silenced:
            servers.wait_for_port(port, process, log)
            assert servers.fetch(f"http://127.0.0.1:{port}/health").status == 200
        else:
            assert process.wait(WAIT_SECONDS) != 0
    said = log.read_text()
    assert ("thumbs.E017" in said) != silenced
    if silenced and command == "run_thumb_server":
        assert said.count("libvips 8.18.9 (system, API mode)") == 1


def test_a_server_logs_its_libvips_once_when_it_starts(originals: Path, tmp_path: Path) -> None:
    environ = environ_with(tmp_path, [{**local_storage("photos", originals), "allowed_sizes": ["90x60"]}])
    port, log = servers.free_port(), tmp_path / "log"
    command = [sys.executable, "manage.py", "run_thumb_server", "--workers", "2", "--bind", f"127.0.0.1:{port}"]
    with servers.running(command, log=log, environ=environ) as process:
        servers.wait_for_port(port, process, log)
        for _ in range(8):
            assert servers.fetch(f"http://127.0.0.1:{port}/photos/thumbs/90x60/quarters.jpg").status == 200
    lines = [line for line in log.read_text().splitlines() if "libvips 8." in line]
    assert len(lines) == 1
    assert " INFO thumbs: libvips 8." in lines[0]
    assert lines[0].endswith(" (bundled, API mode)")


def test_a_wheel_that_the_tests_make_is_as_pip_wants_it(made: Environment, tmp_path: Path) -> None:
    """The other tests rely on RECORD: pip itself must refuse its digests when they are wrong."""
    made.install("uv", wheel(tmp_path, "tiny", "1", {"tiny.py": "there = True"}))
    assert made.run("-c", "import tiny; print(tiny.there)").stdout == "True\n"
