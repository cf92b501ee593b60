"""script/setup leaves an environment whose libvips is the one of pyvips-binary, or says that it is not."""

import sys
from pathlib import Path

import pytest

from tests.support.installations import Environment, binary_wheel, pyvips_wheel
from tests.support.script_trees import project, run


@pytest.fixture
def links(tmp_path: Path) -> Path:
    """Where pip finds both packages. It installs what another one requires first, so that pyvips has the file."""
    links = tmp_path / "links"
    links.mkdir()
    binary_wheel(links)
    pyvips_wheel(links, requires="pyvips-binary")
    return links


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return project(tmp_path, dependencies='"pyvips"')


def test_setup_restores_the_file_of_pyvips_binary_where_pyvips_replaced_it(tree: Path, links: Path) -> None:
    done = run([tree / "script/setup"], PYTHON=sys.executable, PIP_FIND_LINKS=str(links))
    assert done.returncode == 0, done.stderr
    made = Environment(tree / ".venv")
    assert "of the bundle" in made.extension.read_text()
    log = (tree / ".venv/setup.log").read_text(encoding="utf-8")
    assert "Successfully uninstalled pyvips-binary-8.18.7" in log  # it was indeed another one
    assert log.endswith("libvips 8.18.7 (bundled, API mode)\n")


@pytest.mark.slow
def test_setup_notices_an_environment_that_was_damaged_since(tree: Path, links: Path) -> None:
    def setup() -> str:
        done = run([tree / "script/setup"], PYTHON=sys.executable, PIP_FIND_LINKS=str(links))
        assert done.returncode == 0, done.stderr
        return done.stderr

    setup()
    made = Environment(tree / ".venv")
    assert setup() == ""
    for damage in (lambda: made.extension.write_text("8.14.1 API built by hand"), made.extension.unlink):
        damage()
        assert "bringing .venv up to date" in setup()
        assert "of the bundle" in made.extension.read_text()
        assert setup() == ""


@pytest.mark.slow
def test_setup_fails_where_it_cannot_be_mended_and_says_what_to_do(tree: Path, links: Path) -> None:
    (links / "pyvips_binary-8.18.7-py3-none-any.whl").unlink()
    binary_wheel(links, "8.18.7 ABI")  # its module does not load, however often it is installed
    for _ in range(2):
        done = run([tree / "script/setup"], PYTHON=sys.executable, PIP_FIND_LINKS=str(links))
        assert done.returncode == 1
        assert "script/setup: the libvips that would run is not the one of pyvips-binary." in done.stderr
        assert "pip install --force-reinstall --no-deps pyvips-binary==8.18.7" in done.stderr
        assert not (tree / ".venv/setup-stamp").exists()


@pytest.mark.slow
def test_an_environment_from_which_pyvips_binary_was_taken_away_is_left_as_it_is(tree: Path, links: Path) -> None:
    assert run([tree / "script/setup"], PYTHON=sys.executable, PIP_FIND_LINKS=str(links)).returncode == 0
    python = str(tree / ".venv/bin/python")
    assert run([python, "-m", "pip", "uninstall", "--yes", "pyvips-binary"]).returncode == 0
    again = run([tree / "script/setup"])
    assert (again.returncode, again.stderr) == (0, "")
