"""The tests of an ordinary site pass in sessions of their own: of pytest, of pytest-xdist, of Django's test runner."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.modules import ROOT
from tests.support.waiting import LONG_WAIT_SECONDS

SITE = ROOT / "tests" / "ordinary_site"
# By their modules: the same session where the package is not installed, and without the plugins of this one.
PLUGINS = ("pytest_django.plugin", "pytest_timeout", "thumbs.pytest_plugin")


def session(directory: Path, *command: str, **more: str) -> str:
    """The output of a session of tests, which is successful, in a process whose site keeps its files in `directory`."""
    environ = {
        **os.environ,
        "SITE_DIRECTORY": str(directory),
        "PYTHONPATH": str(ROOT),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        **more,
    }
    for inherited in ("DJANGO_SETTINGS_MODULE", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER"):
        environ.pop(inherited, None)
    environ.update(more)
    line = [sys.executable, *command]
    done = subprocess.run(
        line, cwd=directory, env=environ, capture_output=True, text=True, check=False, timeout=LONG_WAIT_SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def pytest_line(*options: str, plugins: tuple[str, ...] = PLUGINS) -> tuple[str, ...]:
    loaded = [part for name in plugins for part in ("-p", name)]
    site = str(SITE)
    return ("-m", "pytest", *loaded, "-c", f"{site}/pytest.ini", "--rootdir", site, "-p", "no:cacheprovider", *options)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where the site that runs has its files and its cache. The tests of the site must not leave anything there."""
    (tmp_path / "site").mkdir()
    return tmp_path / "site"


def _require_pytest_django() -> None:
    assert find_spec("pytest_django") is not None, "install the extra `test`: pytest-django is missing"


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_its_tests_pass_one_by_one_and_in_parallel(directory: Path, workers: tuple[str, ...]) -> None:
    _require_pytest_django()
    plugins = (*PLUGINS, "xdist.plugin") if workers else PLUGINS
    said = session(directory, *pytest_line(str(SITE), *workers, plugins=plugins))
    passed = re.search(r"(\d+) passed", said)
    assert passed is not None
    assert int(passed[1]) >= 50
    assert not re.search(r"failed|error|skipped|warning", said.splitlines()[-1])
    assert list(directory.iterdir()) == []


def test_its_classes_pass_with_the_test_runner_of_django(directory: Path) -> None:
    said = session(
        directory,
        *("-W", "error", "-m", "django", "test", "tests.ordinary_site"),
        DJANGO_SETTINGS_MODULE="tests.ordinary_site.settings",
    )
    ran = re.search(r"Ran (\d+) tests", said)
    assert ran is not None
    assert int(ran[1]) >= 20
    assert list(directory.iterdir()) == []


def test_the_plugin_leaves_projects_without_django_alone(directory: Path) -> None:
    (directory / "test_nothing.py").write_text(
        "import sys\n"
        "def test_nothing():\n"
        "    assert not [name for name in sys.modules if name.split('.')[0] in ('django', 'pyvips', 'boto3')]\n"
    )
    line = ("-m", "pytest", "-p", "thumbs.pytest_plugin", "-p", "no:cacheprovider", str(directory))
    assert "1 passed" in session(directory, *line)


def test_the_plugin_leaves_projects_without_this_app_alone(directory: Path) -> None:
    _require_pytest_django()
    (directory / "test_nothing.py").write_text(
        "import sys\n"
        "def test_nothing(settings):\n"
        "    settings.MEDIA_ROOT = 'x'\n"
        "    assert not [name for name in sys.modules if name.startswith(('thumbs.wiring', 'thumbs.conf', 'pyvips'))]\n"
    )
    (directory / "bare.py").write_text("SECRET_KEY = 'x'\nUSE_TZ = True\n")
    plugins = ("-p", "pytest_django.plugin", "-p", "thumbs.pytest_plugin", "-p", "no:cacheprovider")
    more = {"DJANGO_SETTINGS_MODULE": "bare", "PYTHONPATH": f"{directory}:{ROOT}"}
    assert "1 passed" in session(directory, "-m", "pytest", *plugins, str(directory), **more)


def test_tests_without_the_plugin_leave_the_cache_of_the_site_alone_while_they_override_its_media(
    directory: Path,
) -> None:
    _require_pytest_django()
    plugins = ("pytest_django.plugin", "pytest_timeout")
    session(directory, *pytest_line(str(SITE / "test_media_root.py"), str(SITE / "test_storages.py"), plugins=plugins))
    assert list(directory.iterdir()) == []
