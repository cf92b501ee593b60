"""The result of a run: a Markdown table of the rooms, and the survivors."""

from collections.abc import Sequence

from bench.mutants.trial import Outcome, Verdict

_LEAST_KILLED = 0.9


def is_good(outcomes: Sequence[Outcome]) -> bool:
    """Whether nine of ten mutants were killed. Of guards, whether all were."""
    killed = sum(outcome.verdict is not Verdict.SURVIVED for outcome in outcomes)
    least = 1.0 if any(outcome.mutant.kind == "guard" for outcome in outcomes) else _LEAST_KILLED
    return killed >= least * len(outcomes)


def markdown(outcomes: Sequence[Outcome], *, title: str) -> str:
    """The table, one row for each room and one for all, and a list of survivors. A timeout counts as killed."""
    rooms = sorted({outcome.mutant.room for outcome in outcomes})
    rows = [_row(room, [outcome for outcome in outcomes if outcome.mutant.room == room]) for room in rooms]
    lines = [
        title,
        "",
        "| room | mutants | killed | of these by timeout | survived | killed, % |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *rows,
        _row("all", outcomes),
        "",
    ]
    survivors = [outcome for outcome in outcomes if outcome.verdict is Verdict.SURVIVED]
    lines += ["Survivors:", "", *map(_survivor, survivors)] if survivors else ["No mutant survived."]
    return "\n".join(lines)


def describe(outcome: Outcome) -> str:
    """One line for the progress of a run."""
    mutant = outcome.mutant
    by = f" by {outcome.test}" if outcome.test else ""
    return f"{mutant.place} {mutant.function}: {_change(mutant.before, mutant.after)}: {outcome.verdict.value}{by}"


def _row(name: str, outcomes: Sequence[Outcome]) -> str:
    timeouts = sum(outcome.verdict is Verdict.TIMEOUT for outcome in outcomes)
    survived = sum(outcome.verdict is Verdict.SURVIVED for outcome in outcomes)
    killed = len(outcomes) - survived
    percent = f"{100 * killed / len(outcomes):.1f}" if outcomes else "–"
    return f"| {name} | {len(outcomes)} | {killed} | {timeouts} | {survived} | {percent} |"


def _survivor(outcome: Outcome) -> str:
    mutant = outcome.mutant
    return f"* {mutant.place}, {mutant.function}, {mutant.kind}: {_change(mutant.before, mutant.after)}"


def _change(before: str, after: str) -> str:
    return f"`{_line(before)}` → `{_line(after) or '(nothing)'}`"


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 100 else f"{line[:99]}…"
