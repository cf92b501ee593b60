"""What the dashboard, the alert rules and the autoscaler ask Prometheus for, and what a server exposes."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.support.servers import ROOT

PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES, RULE_TESTS = PROMETHEUS / "mage.rules.yaml", PROMETHEUS / "mage.rules.test.yaml"
DASHBOARD = ROOT / "deploy" / "grafana" / "mage.json"
# Labels that Prometheus gives to every target, and those of its own metrics.
TARGET_LABELS = {"job", "instance", "namespace", "pod"}
PROMETHEUS_METRICS = {"up": TARGET_LABELS, "ALERTS": {"alertname", "alertstate"}}

_SELECTOR = re.compile(r"\b(mage_\w+|up|ALERTS)\b(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"')
_GROUPING = re.compile(r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_LEGEND = re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")


@dataclass(frozen=True)
class Selector:
    """A metric, and its matchers: label, operator, value."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Expression:
    """An expression in PromQL, where it stands, and the labels that the text beside it shows."""

    place: str
    text: str
    shown: frozenset[str] = frozenset()

    def selectors(self) -> list[Selector]:
        return [
            Selector(name, tuple(_MATCHER.findall(matchers or ""))) for name, matchers in _SELECTOR.findall(self.text)
        ]

    def grouping(self) -> set[str]:
        return {name for group in _GROUPING.findall(self.text) for name in re.findall(r"\w+", group)}


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return read


def rule_expressions() -> list[Expression]:
    return [
        Expression(
            str(rule["alert"]),
            str(rule["expr"]),
            frozenset(name for text in rule["annotations"].values() for name in _LEGEND.findall(text)),
        )
        for rule in alerts()
    ]


def panel_expressions() -> list[Expression]:
    return list(_panels(dashboard()))


def _panels(read: dict[str, Any]) -> Iterator[Expression]:
    for panel in read["panels"]:
        for target in panel.get("targets", []):
            text = target["expr"].replace("$instance", ".*").replace("$__rate_interval", "1m")
            shown = frozenset(_LEGEND.findall(target["legendFormat"]))
            yield Expression(f"panel {panel['title']}", text, shown)
    for each in read["annotations"]["list"]:
        yield Expression(f"annotation {each['name']}", each["expr"].replace("$instance", ".*"))
    for each in read["templating"]["list"]:
        if each["type"] == "query":
            series, label = re.fullmatch(r"label_values\((.*), (\w+)\)", each["query"]["query"]).groups()  # type: ignore[union-attr]
            yield Expression(f"variable {each['name']}", series, frozenset({label}))


def adapter_rule() -> dict[str, Any]:
    (rule,) = yaml.safe_load((PROMETHEUS / "adapter.yaml").read_text())["rules"]["custom"]
    found: dict[str, Any] = rule
    return found


def adapter_expressions() -> list[Expression]:
    """The two queries of the adapter, the second one filled in as it does for the pods of a namespace."""
    rule = adapter_rule()
    (series,) = re.findall(r"^\w+", rule["seriesQuery"])
    filled = rule["metricsQuery"]
    for name, value in (
        ("<<.Series>>", series),
        ("<<.LabelMatchers>>", 'namespace="default", pod=~"mage-1|mage-2"'),
        ("<<.GroupBy>>", "pod"),
    ):
        assert name in filled
        filled = filled.replace(name, value)
    return [Expression("adapter: series", rule["seriesQuery"]), Expression("adapter: metric", filled)]


def everything() -> list[Expression]:
    return [*rule_expressions(), *panel_expressions(), *adapter_expressions()]


def as_recording_rules(expressions: list[Expression], path: Path) -> Path:
    """A file of rules, which promtool parses; a rule for each expression."""
    rules = [{"record": f"test:{number}", "expr": each.text} for number, each in enumerate(expressions)]
    path.write_text(yaml.safe_dump({"groups": [{"name": "expressions", "rules": rules}]}))
    return path


def exposed(text: str) -> dict[str, list[dict[str, str]]]:
    """The series of an answer of `/metrics`: their labels, by metric."""
    found: dict[str, list[dict[str, str]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(dict(sample.labels))
    return found
