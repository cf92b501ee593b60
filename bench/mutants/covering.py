"""Which tests run a line of the code: one run of all fast tests under coverage.py, with a context for each test."""

import ast
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from coverage import CoverageData

from bench.mutants.mutation import Mutant

ARGUMENTS = ("--cov=thumbs", "--cov-context=test", "--cov-report=", "--cov-fail-under=0")
_SETUP = "setup"  # the phase of a fixture, which other tests of the module may share


@dataclass(frozen=True, slots=True)
class Covering:
    """`tests` has, for each path of a source file and each line, the pytest arguments of the tests that run it."""

    tests: dict[str, dict[int, frozenset[str]]]

    @classmethod
    def read(cls, file: Path, root: Path) -> "Covering":
        """From coverage's data in `file`, measured in the tree at `root`."""
        data = CoverageData(basename=str(file))
        data.read()
        found = {}
        for name in data.measured_files():
            lines = data.contexts_by_lineno(name)
            path = Path(name).resolve().relative_to(root.resolve()).as_posix()
            found[path] = {line: frozenset(_arguments(contexts)) for line, contexts in lines.items()}
        return cls(found)

    def of(self, mutant: Mutant, source: bytes) -> list[str]:
        """The tests that run the statement of `mutant`, an offset in `source`; empty when none does."""
        lines = self.tests.get(mutant.path, {})
        return sorted(frozenset().union(*(lines.get(number, frozenset()) for number in _statement(mutant, source))))


def _arguments(contexts: Iterable[str]) -> Iterable[str]:
    """The arguments for `tests/test_a.py::test_b[c]|run`: its function, or its module."""
    for context in filter(None, contexts):
        test, _, phase = context.rpartition("|")
        function, _, _ = test.partition("[")
        yield function.partition("::")[0] if phase == _SETUP else function


def _statement(mutant: Mutant, source: bytes) -> Collection[int]:
    """The lines of the smallest statement around the mutant. Of a compound one, those of its head."""
    smallest: ast.stmt | None = None
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt) and node.lineno <= mutant.line <= (node.end_lineno or 0):
            inside = smallest is None or node.lineno >= smallest.lineno
            smallest = node if inside else smallest
    if smallest is None:
        return [mutant.line]
    body = getattr(smallest, "body", None) or getattr(smallest, "cases", None)
    last = (smallest.end_lineno or smallest.lineno) if not body else max(smallest.lineno, mutant.line)
    return range(smallest.lineno, last + 1)


def grouped(arguments: Iterable[str]) -> list[str]:
    """The same without tests of a module that is there as a whole."""
    modules: defaultdict[str, list[str]] = defaultdict(list)
    for argument in arguments:
        modules[argument.partition("::")[0]].append(argument)
    return [each for module, found in modules.items() for each in ([module] if module in found else found)]
