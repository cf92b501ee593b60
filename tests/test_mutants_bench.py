"""The mutation run: which mutants it makes of a source, which it chooses, and what it reports."""

import functools
from dataclasses import replace
from pathlib import Path

import pytest

from bench.mutants.choice import PROJECT, ROOMS, Equivalent, all_mutants, choose, equivalents
from bench.mutants.guards import GUARDS, Guard, GuardError
from bench.mutants.mutation import Mutant
from bench.mutants.operators import mutants
from bench.mutants.report import is_good, markdown
from bench.mutants.trial import Outcome, Verdict

PATH = "thumbs/cache/made_up.py"


def changes(*body: str, header: str = "def f(a, b):") -> set[tuple[str, str]]:
    """What is changed in a function with these lines: texts before and after."""
    source = "\n".join([header, *(f"    {line}" for line in body), ""])
    return {(mutant.before, mutant.after) for mutant in mutants(PATH, source.encode())}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a < b", {("<", ">="), ("<", "<=")}),
        ("a  is   not b", {("is   not", "is")}),
        ("a not in b", {("not in", "in")}),
        ("(a) >= (b)", {(">=", "<"), (">=", ">")}),
        ("a == 'x'", {("==", "!="), ("'x'", "'\\x00\\x01'")}),
        ("not (a)", {("not", "")}),
        ("a and b", {("and", "or")}),
        ("a or b", {("or", "and")}),
        ("b if a else b", {("a", "(not (a))")}),
        ("b if not a else b", {("not", "")}),
        ("f(7)", {("7", "8"), ("7", "(6)")}),
        ("f(1.5)", {("1.5", "3.0")}),
        ("f(True)", {("True", "False")}),
        ("f(f'{a < 7}')", set()),
    ],
)
def test_an_expression_is_mutated(line: str, expected: set[tuple[str, str]]) -> None:
    assert changes(f"c = {line}") == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("f(a)", {("f(a)", "pass")}),
        ("a.b = b", {("a.b = b", "pass")}),
        ("a += b", {("a += b", "pass")}),
        ("raise a", {("raise a", "pass"), ("a", 'RuntimeError("mutant")')}),
        ("return a", {("a", "None")}),
        ("return None", set()),
        ('"""A docstring, and its 7 words."""', set()),
        ("c = a", set()),
        ("c: int = a", set()),
    ],
)
def test_a_statement_is_mutated(line: str, expected: set[tuple[str, str]]) -> None:
    assert changes(line) == expected


def test_annotations_and_defaults_and_what_is_outside_functions_are_not_mutated() -> None:
    source = b"LIMIT = 7\n\n@cache(8)\ndef f(a: 'x < 9' = 3) -> 5:\n    pass\n\nclass C:\n    size = 4\n"
    assert mutants(PATH, source) == []


def test_a_mutant_changes_one_position_and_names_it() -> None:
    source = (
        "# é – comment\nclass C:\n    def f(self, a):\n        if 'é' in a or a > 1:\n            return a\n".encode()
    )
    [mutant] = [each for each in mutants(PATH, source) if each.after == ">="]
    assert mutant.apply(source) == source.replace(b"a > 1", b"a >= 1")
    assert (mutant.place, mutant.function, mutant.room) == (f"{PATH}:4", "C.f", "cache")


def test_a_mutant_is_not_applied_to_another_source() -> None:
    [mutant, *_] = mutants(PATH, b"def f(a):\n    return a > 1\n")
    with pytest.raises(ValueError, match="is not"):
        mutant.apply(b"def f(a):\n    return 1 < a\n")


def test_the_choice_is_the_same_for_the_same_seed_and_another_one_for_another_seed() -> None:
    path = "thumbs/request/grammar.py"
    candidates = mutants(path, (PROJECT / path).read_bytes())
    chosen = choose(candidates, 20, seed=1)
    assert len(set(chosen)) == 20
    assert choose(candidates, 20, seed=1) == chosen
    assert choose(candidates, 30, seed=1)[:20] == chosen
    assert set(choose(candidates, 20, seed=2)) != set(chosen)


def test_a_change_elsewhere_keeps_the_choice(tmp_path: Path) -> None:
    file = tmp_path / PATH
    file.parent.mkdir(parents=True)
    lines = [f"    print(a > {number}, a < 7, a < 7)" for number in range(10, 20)]

    def chosen(*body: str) -> list[tuple[str, str, int]]:
        source = "\n".join(["def f(a):", *body, ""])
        file.write_text(source)
        picked = choose(all_mutants(tmp_path, rooms=["cache"]), 12, seed=1, root=tmp_path)
        starts = [source.splitlines()[mutant.line - 1] for mutant in picked]
        return [
            (line, mutant.after, mutant.start - source.index(line)) for line, mutant in zip(starts, picked, strict=True)
        ]

    assert len(set(before := chosen(*lines))) == 12
    kept = [pick for pick in chosen("    print(a)", *lines) if "print(a)" not in pick[0]]
    assert kept == before[: len(kept)]
    assert len(kept) >= 9


@pytest.mark.parametrize("room", ROOMS)
def test_a_file_of_every_room_has_mutants(room: str, tmp_path: Path) -> None:
    folder = tmp_path / "thumbs" / room / "deeper"
    folder.mkdir(parents=True)
    folder.joinpath("made_up.py").write_text("def f(a):\n    return a > 1\n")
    assert {mutant.room for mutant in all_mutants(tmp_path)} == {room}
    assert (PROJECT / "thumbs" / room).is_dir()


def test_a_known_equivalent_is_not_chosen(tmp_path: Path) -> None:
    file = tmp_path / PATH
    file.parent.mkdir(parents=True)
    file.write_text("def f(a):\n    return a > 1\n")
    candidates = all_mutants(tmp_path, rooms=["cache"])
    known = Equivalent(PATH, "f", "return a > 1", ">", ">=", "a is never 1")
    chosen = choose(candidates, 99, seed=1, known=[known], root=tmp_path)
    assert {mutant.after for mutant in candidates} - {mutant.after for mutant in chosen} == {">="}


@functools.cache
def mutants_of(path: str) -> list[Mutant]:
    return list(mutants(path, (PROJECT / path).read_bytes()))


@pytest.mark.parametrize("known", equivalents(), ids=lambda known: f"{known.path}-{known.function}-{known.after}")
def test_every_known_equivalent_is_in_the_source_and_has_a_reason(known: Equivalent) -> None:
    source = (PROJECT / known.path).read_bytes()
    assert any(known.matches(mutant, source) for mutant in mutants_of(known.path))
    assert known.reason


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_every_guard_is_in_the_source_and_has_a_test(guard: Guard) -> None:
    mutant = guard.mutant()
    source = (PROJECT / guard.path).read_bytes()
    compile(mutant.apply(source), guard.path, "exec")
    assert mutant.apply(source) != source
    assert (PROJECT / guard.test).is_file()


@pytest.mark.parametrize("before", ["no such text", "return"])
def test_a_guard_that_the_source_does_not_have_once_is_an_error(before: str) -> None:
    guard = replace(GUARDS[0], before=before)
    with pytest.raises(GuardError, match="times, not once"):
        guard.mutant()


def outcomes(*, killed: int, survived: int, timeouts: int = 0, kind: str = "comparison") -> list[Outcome]:
    mutant = Mutant(PATH, "f", 7, 0, 1, "<", ">=", kind)
    verdicts = [Verdict.KILLED] * killed + [Verdict.TIMEOUT] * timeouts + [Verdict.SURVIVED] * survived
    return [Outcome(mutant, verdict) for verdict in verdicts]


def test_nine_of_ten_mutants_must_be_killed_and_a_timeout_is_a_kill() -> None:
    assert is_good(outcomes(killed=8, timeouts=1, survived=1))
    assert not is_good(outcomes(killed=8, survived=2))


def test_every_guard_must_be_killed() -> None:
    assert is_good(outcomes(killed=10, survived=0, kind="guard"))
    assert not is_good(outcomes(killed=99, survived=1, kind="guard"))


def test_the_report_counts_by_room_and_lists_survivors() -> None:
    report = markdown(outcomes(killed=6, timeouts=1, survived=1), title="8 mutants")
    assert "| cache | 8 | 7 | 1 | 1 | 87.5 |" in report
    assert f"* {PATH}:7, f, comparison: `<` → `>=`" in report
