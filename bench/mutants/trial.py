"""Runs tests on a mutant, in a copy of the tree: first the mirrored module, then all fast tests that run its lines."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from bench.mutants import covering
from bench.mutants.choice import PROJECT
from bench.mutants.covering import Covering, grouped
from bench.mutants.mutation import Mutant
from bench.processes import UnavailableError, running

_TEST_SECONDS = 60  # a test that takes longer has met a mutant that does not end
_STAGE_SECONDS = 1800.0
_FAST = "not system and not slow"
# Tests that read the source as text would notice a mutant for its text.
_READERS = ("test_mutants_bench", "test_words", "test_documented_names")
_ALL = ("tests", *(f"--ignore=tests/{name}.py" for name in _READERS))
_AT_ONCE = ("-n", "2", "--dist", "loadfile")
_MANY = 100  # tests or modules, for which it pays to start two processes
_EXAMPLES = "25"  # of each property test
# pytest's exit status 4: it cannot load tests/conftest.py, which a mutant can cause. 5: there are no such tests.
_PASSED, _NO_TESTS = 0, 5
_FAILED_TEST = re.compile(r"^(?:FAILED|ERROR) ([^\s\[]+)", re.MULTILINE)


class TrialError(Exception):
    """The tests say nothing about mutants; the message says why, in one line."""


class Verdict(Enum):
    KILLED = "killed"
    TIMEOUT = "timeout"
    SURVIVED = "survived"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`test` is the one that failed first, if the output names one."""

    mutant: Mutant
    verdict: Verdict
    test: str = ""


class Tree:
    """A copy of the files that git tracks, in `directory/tree`. One thread uses it at a time.

    `sound` are the tests and modules of tests that are known to pass without a mutant; trees may share it.
    """

    def __init__(self, directory: Path, sound: set[str] | None = None) -> None:
        self._directory = directory
        self.root = directory / "tree"
        self._sound = set() if sound is None else sound
        self._environment = {
            **os.environ,
            "PYTHONDONTWRITEBYTECODE": "1",  # bytecode is matched by size and second, so it could be another mutant's
            "MAGE_TEST_EXAMPLES": _EXAMPLES,
        }
        _copy(PROJECT, self.root)

    def try_mutant(self, mutant: Mutant, stages: Sequence[Sequence[str]]) -> Outcome:
        """Run `stages`, each the arguments of pytest, until a test fails.

        Raises `TrialError` when that test fails without the mutant as well, and when a stage has no tests.
        """
        for stage in stages:
            with self._mutated(mutant):
                verdict, test = self._run(stage)
            if verdict is not Verdict.SURVIVED:
                self.require_sound([test or stage[0]])
                return Outcome(mutant, verdict, test)
        return Outcome(mutant, Verdict.SURVIVED)

    def measure(self, tests: Sequence[str] = _ALL) -> Covering:
        """Which of `tests` run which lines. One that fails is measured as well: it kills no mutant."""
        file = self._directory / "coverage"
        self._run((*tests, "--maxfail=0", *_AT_ONCE, *covering.ARGUMENTS), {"COVERAGE_FILE": str(file)})
        if not file.exists():
            raise TrialError(f"nothing was measured: {self._log.read_text(errors='replace')[-2000:]}")
        return Covering.read(file, self.root)

    def stages(self, mutant: Mutant, covered: Covering | None) -> list[Sequence[str]]:
        """The tests that mirror the mutant's file, or else its folder; then the others that run its lines.

        Where these are not known, all tests that mirror its room.
        """
        room = Path("tests", mutant.room)
        folder = Path("tests", *Path(mutant.path).parent.parts[1:])
        name = f"test_{Path(mutant.path).stem.strip('_')}.py"
        mirrored = [file.relative_to(self.root).as_posix() for file in sorted((self.root / room).rglob(name))]
        if not mirrored and folder != room and (self.root / folder).is_dir():
            mirrored = [folder.as_posix()]
        if covered is None:
            return [stage for stage in (mirrored, [room.as_posix(), *_AT_ONCE]) if stage]
        tests = covered.of(mutant, (self.root / mutant.path).read_bytes())
        others = [test for test in tests if not test.startswith(tuple(mirrored))]
        if len(others) > _MANY:
            others = [*grouped(others), *_AT_ONCE]
        return [stage for stage in (mirrored, others) if stage]

    @contextmanager
    def _mutated(self, mutant: Mutant) -> Iterator[None]:
        file = self.root / mutant.path
        source = file.read_bytes()
        file.write_bytes(mutant.apply(source))
        try:
            yield
        finally:
            file.write_bytes(source)

    def require_sound(self, tests: Iterable[str]) -> None:
        """A test that fails without a mutant kills none. Each test is run once without one.

        Raises `TrialError` when one of them fails.
        """
        unknown = [test for test in tests if self._sound.isdisjoint((test, test.partition("::")[0]))]
        if unknown and self._run(unknown)[0] is not Verdict.SURVIVED:
            log = self._log.read_text(errors="replace")
            raise TrialError(f"{' '.join(unknown)} fails without a mutant: {log[-2000:]}")
        self._sound.update(unknown)

    @property
    def _log(self) -> Path:
        return self._directory / "log"

    def _run(self, arguments: Sequence[str], more: Mapping[str, str] | None = None) -> tuple[Verdict, str]:
        """Run pytest with these arguments, and `more` in its environment."""
        command = [
            sys.executable,
            *("-m", "pytest", "-x", "-q", "--tb=line", "-m", _FAST),
            *("-p", "no:cacheprovider", "-p", "bench.mutants.plugin", "--hypothesis-seed=0"),
            *(f"--timeout={_TEST_SECONDS}", f"--basetemp={self._directory / 'tmp'}"),
            *arguments,
        ]
        try:
            with running(command, log=self._log, env={**self._environment, **(more or {})}, cwd=self.root) as tests:
                status = tests.await_end(_STAGE_SECONDS)
        except UnavailableError:
            return Verdict.TIMEOUT, ""
        output = self._log.read_text(errors="replace")
        if status == _PASSED:
            return Verdict.SURVIVED, ""
        if status == _NO_TESTS or "is not tested: thumbs is imported from" in output:
            raise TrialError(f"pytest {' '.join(arguments)}: {output.strip().splitlines()[-1]}")
        found = _FAILED_TEST.search(output)
        return (Verdict.TIMEOUT if "from pytest-timeout" in output else Verdict.KILLED), found[1] if found else ""


def _copy(project: Path, target: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=project, check=True, stdout=subprocess.PIPE)
    for name in filter(None, listed.stdout.decode().split("\0")):
        file = target / name
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(project / name, file, follow_symlinks=False)
