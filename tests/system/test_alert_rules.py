"""Each alert is valid, fires for its fault, is silent otherwise, and says where its remedy stands."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import servers
from tests.support.monitoring import (
    PROMETHEUS,
    RULE_TESTS,
    RULES,
    adapter_expressions,
    alerts,
    as_recording_rules,
    panel_expressions,
)
from tests.support.servers import ROOT
from tests.support.waiting import LONG_WAIT_SECONDS

NAMES = [rule["alert"] for rule in alerts()]


def promtool(*arguments: object, directory: Path = PROMETHEUS) -> "subprocess.CompletedProcess[str]":
    command = [servers.service("promtool"), *map(str, arguments)]
    return subprocess.run(
        command, cwd=directory, check=False, capture_output=True, text=True, timeout=LONG_WAIT_SECONDS
    )


def rule_tests() -> list[tuple[str, bool]]:
    """Of each test of an alert its name, and whether it must fire."""
    groups = yaml.safe_load(RULE_TESTS.read_text())["tests"]
    return [(case["alertname"], bool(case["exp_alerts"])) for group in groups for case in group["alert_rule_test"]]


def test_promtool_finds_no_fault_with_the_rules_and_the_scrape_configuration() -> None:
    for arguments in (("check", "rules", RULES), ("check", "config", PROMETHEUS / "scrape.yaml")):
        done = promtool(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"SUCCESS: {len(NAMES)} rules found" in done.stdout


def test_the_scrape_configuration_for_kubernetes_is_valid_but_for_what_debian_leaves_out(tmp_path: Path) -> None:
    read = yaml.safe_load((PROMETHEUS / "scrape-kubernetes.yaml").read_text())
    for job in read["scrape_configs"]:
        assert job.pop("kubernetes_sd_configs") == [{"role": "pod"}]
        job["static_configs"] = [{"targets": ["10.0.0.1:8080"]}]
    path = tmp_path / "prometheus.yml"
    path.write_text(yaml.safe_dump(read))
    done = promtool("check", "config", path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_behaves_as_its_tests_say() -> None:
    done = promtool("test", "rules", RULE_TESTS)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_every_alert_is_tested_firing_and_silent(name: str) -> None:
    assert {fires for tested, fires in rule_tests() if tested == name} == {True, False}


def _spoiled(tmp_path: Path, expression: str) -> str:
    """The output of the tests with rules that all have this expression, and do not wait."""
    read: Any = yaml.safe_load(RULES.read_text())
    for group in read["groups"]:
        for rule in group["rules"]:
            rule["expr"] = expression
            rule.pop("for", None)
    (tmp_path / RULES.name).write_text(yaml.safe_dump(read))
    shutil.copy(RULE_TESTS, tmp_path)
    done = promtool("test", "rules", RULE_TESTS.name, directory=tmp_path)
    assert done.returncode == 1
    return done.stdout + done.stderr


@pytest.mark.parametrize("expression", ["vector(0) > 0", "vector(1)"], ids=["never", "always"])
def test_the_tests_find_every_alert_that_never_or_always_fires(tmp_path: Path, expression: str) -> None:
    output = _spoiled(tmp_path, expression)
    assert {name for name in NAMES if re.search(rf"alertname: {name}, ", output)} == set(NAMES), output[:2000]


@pytest.mark.parametrize("rule", alerts(), ids=NAMES)
def test_every_alert_has_a_severity_and_leads_to_a_heading_of_the_documentation(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    titles = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(), re.MULTILINE)
    assert anchor in {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_expression_of_the_dashboard_and_of_the_autoscaler_is_valid(tmp_path: Path) -> None:
    found = [*panel_expressions(), *adapter_expressions()]
    done = promtool("check", "rules", as_recording_rules(found, tmp_path / "rules.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"SUCCESS: {len(found)} rules found" in done.stdout
    broken = [*found, type(found[0])("a panel", "sum by (status (mage_requests_total)")]
    assert promtool("check", "rules", as_recording_rules(broken, tmp_path / "rules.yaml")).returncode != 0


def test_the_documentation_has_a_row_for_every_alert() -> None:
    text = (ROOT / "docs" / "deployment.md").read_text()
    rows = re.findall(r"^\| (`Mage[^|]+) \|", text, re.MULTILINE)
    assert [name for row in rows for name in re.findall(r"`(\w+)`", row)] == NAMES
