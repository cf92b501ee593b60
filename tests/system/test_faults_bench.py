"""`bench.faults`: six faults of four seconds each, and what its report says of a run that was not good."""

import json
import re
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from bench.faults.clients import Tally
from bench.faults.faults import FAULTS
from bench.faults.report import Report, Row
from tests.support import servers
from tests.support.waiting import LONG_WAIT_SECONDS

SIX = ("kill-worker", "reloads", "s3-denied", "objects-swapped", "redis-paused", "full-disk")
BY_NAME = {fault.name: fault for fault in FAULTS}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    for program in ("nginx", "memcached", "redis-server"):
        servers.service(program)
    file = tmp_path_factory.mktemp("faults") / "report.json"
    command = [sys.executable, "-m", "bench.faults", "--seconds", "4", "--seed", "3", "--json", str(file)]
    # Each picture is read from each storage of both servers before each fault: four show what twelve do. Were
    # an answer there in only half of a pause, one of the seven clients would still have a request under way at 94 % of
    # all moments: 1 - (2 / 3) ** 7.
    command += ["--pictures", "4", "--pause", "0.02"]
    done = subprocess.run(
        [*command, "--only", *SIX],
        cwd=servers.ROOT,
        capture_output=True,
        text=True,
        timeout=LONG_WAIT_SECONDS,
        check=False,
    )
    print(done.stdout)  # noqa: T201 - figures to read with `pytest -s`
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_no_byte_is_wrong_and_no_request_is_lost(report: dict[str, Any]) -> None:
    rows = {row["fault"]: row for row in report["faults"]}
    assert {*rows, *report["left_out"]} == set(SIX)
    assert set(report["left_out"]) <= {"full-disk"}  # where no file system can be mounted
    for row in rows.values():
        assert (row["wrong"], row["lost"], row["complaints"]) == ([], [], [])
        assert row["cached"].keys() == {"200"}
        assert row["cached"]["200"] > 0


def test_stale_copies_are_served_while_the_storage_denies_everything(report: dict[str, Any]) -> None:
    (row,) = (row for row in report["faults"] if row["fault"] == "s3-denied")
    assert row["stale"] > 0
    assert row["new"].keys() <= {"200", "404", "502"}


def test_the_object_layer_is_used_and_what_it_gives_of_another_picture_is_not_served(report: dict[str, Any]) -> None:
    rows = {row["fault"]: row for row in report["faults"]}
    assert all(row["from_objects"] > 0 for row in rows.values())
    assert re.fullmatch(r"4 s, [1-9][\d,]* answers", rows["objects-swapped"]["done"])


def test_a_report_names_what_a_fault_does_not_excuse() -> None:
    tally = Tally(
        Counter({200: 5, 503: 1}), Counter({200: 1, 502: 2}), lost=["/a"], wrong=["/b"], without_retry_after=1
    )
    assert Row(BY_NAME["s3-503"], "4 s", tally).complaints == [
        "1 wrong bodies: ['/b']",
        "1 lost requests: ['/a']",
        "1 × 503 for cached pictures",
        "no stale copy was served",
        "nothing came from the object layer",
        "1 × 503 without Retry-After",
    ]
    without_objects = "nothing came from the object layer"
    assert Row(BY_NAME["none"], "nothing", Tally()).complaints == ["no cached picture was served", without_objects]
    assert Row(BY_NAME["none"], "nothing", Tally(Counter({200: 1}))).complaints == [without_objects]
    assert Row(BY_NAME["none"], "nothing", Tally(Counter({200: 1}), from_objects=1)).complaints == []
    new = Row(BY_NAME["none"], "nothing", Tally(Counter({200: 1}), Counter({502: 2}), from_objects=1)).complaints
    assert new == ["2 × 502 for new pictures"]


def test_a_run_is_good_without_complaints_only() -> None:
    good, bad = (Row(BY_NAME["none"], "nothing", Tally(Counter({200: count}), from_objects=1)) for count in (1, 0))
    assert Report("two cores", 4, 1, [good]).is_good
    assert not Report("two cores", 4, 1, [good, bad]).is_good
    assert not Report("two cores", 4, 1).is_good
    lines = Report("two cores", 4, 1, [bad], {"full-disk": "no mount"}).markdown().splitlines()
    assert "* none: no cached picture was served." in lines
    assert "* Left out: full-disk: no mount" in lines
