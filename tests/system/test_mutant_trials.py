"""A trial of a mutant: the copy's code is what is tested, and only a test that passes without the mutant kills."""

from pathlib import Path

import pytest

from bench.mutants.choice import PROJECT
from bench.mutants.covering import Covering
from bench.mutants.guards import GUARDS, Guard
from bench.mutants.mutation import Mutant
from bench.mutants.trial import Tree, TrialError, Verdict

MODULE = "tests/http/test_conditions.py"
SOURCE = "thumbs/http/conditions.py"
OF_LINES = """
import pytest
from thumbs.http.targets import decoded_path, is_lossy

@pytest.fixture(scope="module")
def path():
    return decoded_path(b"/a%20b")

def test_a(path):
    assert path == b"/a b"

def test_b(path):
    assert not is_lossy("/a b")
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    if not (PROJECT / ".git").exists():
        pytest.skip("a trial copies what git tracks")
    return Tree(tmp_path_factory.mktemp("trial"))


def mutant(after: str) -> Mutant:
    """A mutant of the module's first import."""
    text = "import "
    source = (PROJECT / SOURCE).read_text()
    return Guard("import", SOURCE, source[: source.index(text)], source[: source.index(text)] + after, MODULE).mutant()


def test_a_mutant_of_the_copy_is_killed_and_the_copy_is_as_before(tree: Tree) -> None:
    outcome = tree.try_mutant(GUARDS[0].mutant(), [[GUARDS[0].test]])
    assert outcome.verdict is Verdict.KILLED
    assert outcome.test.startswith(f"{GUARDS[0].test}::")
    assert (tree.root / GUARDS[0].path).read_bytes() == (PROJECT / GUARDS[0].path).read_bytes()


def test_a_mutant_that_changes_nothing_survives(tree: Tree) -> None:
    assert tree.try_mutant(mutant(""), [[MODULE]]).verdict is Verdict.SURVIVED


def test_a_module_that_does_not_load_kills(tree: Tree) -> None:
    assert tree.try_mutant(mutant("import no_such_module\n"), [[MODULE]]).verdict is Verdict.KILLED


def test_a_test_that_fails_without_a_mutant_kills_none(tree: Tree) -> None:
    failing = Path("tests/http/test_that_fails.py")
    (tree.root / failing).write_text("def test_it() -> None:\n    raise AssertionError\n")
    with pytest.raises(TrialError, match="fails without a mutant"):
        tree.try_mutant(mutant(""), [[failing.as_posix()]])


def test_stages_without_tests_are_an_error(tree: Tree) -> None:
    with pytest.raises(TrialError):
        tree.try_mutant(mutant(""), [[MODULE, "-k", "no_such_test"]])


def test_the_module_that_mirrors_the_file_is_tried_first_then_what_else_runs_its_line(tree: Tree) -> None:
    guard = GUARDS[0].mutant()
    tests = frozenset(("tests/pipeline/test_negative_cache.py::test_a", "tests/http/test_errors.py::test_b"))
    [mirrored, others] = tree.stages(guard, Covering({guard.path: {guard.line: tests}}))
    assert list(mirrored) == ["tests/pipeline/test_negative_cache.py"]
    assert list(others) == ["tests/http/test_errors.py::test_b"]


def test_without_such_a_module_the_folder_that_mirrors_its_own_is_tried_first(tree: Tree) -> None:
    of_paths = Mutant("thumbs/cache/filestore/paths.py", "f", 1, 0, 1, "a", "b", "return")
    assert [list(stage) for stage in tree.stages(of_paths, Covering({}))] == [["tests/cache/filestore"]]


def test_without_a_measurement_the_tests_of_the_room_come_second(tree: Tree) -> None:
    stages = [list(stage) for stage in tree.stages(GUARDS[0].mutant(), None)]
    assert stages == [["tests/pipeline/test_negative_cache.py"], ["tests/pipeline", "-n", "2", "--dist", "loadfile"]]


def test_the_tests_that_run_a_line_are_found(tree: Tree) -> None:
    """One that a fixture of the module runs is a matter of the whole module."""
    module = "tests/http/test_of_lines.py"
    (tree.root / module).write_text(OF_LINES)
    lines = tree.measure([module]).tests["thumbs/http/targets.py"]
    source = (tree.root / "thumbs/http/targets.py").read_text().splitlines()
    decoded = next(number for number, line in enumerate(source, 2) if line.startswith("def decoded_path"))
    lossy = next(number for number, line in enumerate(source, 2) if line.startswith("def is_lossy"))
    found = [frozenset().union(*(lines.get(first + more, ()) for more in range(4))) for first in (decoded, lossy)]
    assert found == [{module}, {f"{module}::test_b"}]
