"""The report of renders in children beside renders in threads."""

import os

from bench import isolation
from bench.cpu import family
from bench.isolation import CHILDREN, THREADS, IsolationReport
from bench.report import Plan
from tests.support.isolated import pss

PLAN = Plan(rounds=2, seconds=1.0, kinds=frozenset(), peers=frozenset(), against={})


def report() -> IsolationReport:
    made = IsolationReport(PLAN, "two cores")
    for party, rates in ((CHILDREN, (95.0, 97.0, 91.0)), (THREADS, (100.0, 90.0, 101.0))):
        for rate in rates:
            made.rates.add(party, "6 MP to JPEG", rate)
        made.p99[party, "idle"] = [0.5, 0.25, 9.0]
        made.memory[party, "before the first render"] = 126.4
    return made


def test_the_tables_have_medians_and_their_ratio() -> None:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in report().markdown().splitlines()]
    assert ["6 MP to JPEG", "95", "100", "0.950"] in rows
    assert ["16 pixels to PNG", "–", "–", "–"] in rows
    assert ["idle", "0.50", "0.50"] in rows
    assert ["before the first render", "126", "126"] in rows


def test_what_failed_is_named_and_fails_the_run() -> None:
    made = report()
    assert not made.mage_failed
    made.left_out["isolation"] = "the probe failed"
    assert made.mage_failed
    assert "* Left out: isolation: the probe failed" in made.markdown()
    assert made.json()["left_out"] == {"isolation": "the probe failed"}


def test_every_round_is_in_the_json() -> None:
    found = report().json()
    assert found["rates"] == [
        {"party": CHILDREN, "case": "6 MP to JPEG", "rates": [95.0, 97.0, 91.0]},
        {"party": THREADS, "case": "6 MP to JPEG", "rates": [100.0, 90.0, 101.0]},
    ]


def test_the_memory_of_a_process_includes_its_own() -> None:
    assert os.getpid() in family(os.getpid())
    assert isolation._pss(os.getpid()) > 0.5 * pss({os.getpid()}) / 2**20
