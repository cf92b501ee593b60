"""All that dashboard, alerts and autoscaler ask for is exposed by a running server, and a Prometheus finds it."""

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
import yaml

from tests.support import servers
from tests.support.commands import disk_cache, local_storage
from tests.support.deployed import thumb_server
from tests.support.monitoring import (
    PROMETHEUS,
    PROMETHEUS_METRICS,
    RULES,
    TARGET_LABELS,
    Expression,
    adapter_expressions,
    alerts,
    dashboard,
    everything,
    exposed,
    panel_expressions,
)
from tests.support.processes import workers_of
from tests.support.servers import Server
from tests.support.waiting import eventually

EXPRESSIONS = everything()
# Which statuses there have been is not known before.
_OPEN = {"status"}


@pytest.fixture(scope="module")
def server(originals: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has served a miss, a hit and a 404, and has a storage that cannot be reached."""
    directory = tmp_path_factory.mktemp("monitored")
    nothing = {"base_url": f"http://127.0.0.1:{servers.free_port()}/", "allowed_networks": ["127.0.0.0/8"]}
    storages = [
        local_storage(
            "photos",
            originals,
            memory={"enabled": True, "max_size_mb": 16},
            disk=disk_cache(directory / "cache", max_size_mb=64, ttl_seconds=600),
        ),
        {"name": "gone", "driver": "http", **nothing},
    ]
    with thumb_server({"storages": storages, "metrics": True}, directory / "mage", workers=2) as running:
        eventually(lambda: len(workers_of(running.process.pid)) == 2)
        assert [running.get(f"photos/thumbs/90x60/{name}").status for name in ("quarters.jpg",) * 3] == [200] * 3
        assert running.get("photos/thumbs/90x60/none.jpg").status == 404
        assert running.get("gone/thumbs/90x60/quarters.jpg").status == 502
        eventually(lambda: 'mage_storage_up{storage="photos"} 1.0' in running.get("metrics").body.decode())
        yield running


@pytest.fixture(scope="module")
def series(server: Server) -> dict[str, list[dict[str, str]]]:
    return exposed(server.get("metrics").body.decode())


def _labels(metric: str, series: dict[str, list[dict[str, str]]]) -> set[str]:
    if metric in PROMETHEUS_METRICS:
        return set(PROMETHEUS_METRICS[metric])
    return {name for labels in series[metric] for name in labels} | TARGET_LABELS


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=[each.place for each in EXPRESSIONS])
def test_every_metric_and_label_is_exposed(expression: Expression, series: dict[str, list[dict[str, str]]]) -> None:
    selectors = expression.selectors()
    assert selectors
    known: set[str] = set()
    for selector in selectors:
        assert selector.metric in series or selector.metric in PROMETHEUS_METRICS, selector.metric
        labels = _labels(selector.metric, series)
        known |= labels
        assert {name for name, _, _ in selector.matchers} <= labels, selector
    assert expression.grouping() <= known
    assert expression.shown <= known


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=[each.place for each in EXPRESSIONS])
def test_every_value_of_a_label_is_one_that_a_server_gives(
    expression: Expression, series: dict[str, list[dict[str, str]]]
) -> None:
    for selector in expression.selectors():
        if selector.metric in PROMETHEUS_METRICS:
            continue
        values = {
            name: {labels.get(name, "") for labels in series[selector.metric]} for name, _, _ in selector.matchers
        }
        for name, operator, value in selector.matchers:
            if name in TARGET_LABELS | _OPEN:
                continue
            parts = value.split("|") if "~" in operator else [value]
            assert set(parts) <= values[name], f"{selector.metric}: {name} is one of {sorted(values[name])}"


def test_a_name_or_a_label_that_is_not_there_is_found(series: dict[str, list[dict[str, str]]]) -> None:
    (selector,) = Expression("", 'rate(mage_request_total{job="mage"}[5m])').selectors()
    assert selector.metric not in series
    wrong = Expression("", "sum by (store) (mage_storage_up)", frozenset({"node"}))
    assert not (wrong.grouping() | wrong.shown) & _labels("mage_storage_up", series)


def test_every_metric_of_the_server_has_a_panel_and_a_row_in_the_documentation(
    series: dict[str, list[dict[str, str]]],
) -> None:
    shown = {selector.metric for each in panel_expressions() for selector in each.selectors()}
    page = (servers.ROOT / "docs" / "deployment.md").read_text()
    names = {re.sub(r"_(bucket|sum|count)$", "", name) for name in series if not name.endswith("_created")}
    assert names - {re.sub(r"_bucket$", "", name) for name in shown} == {"mage_codec"}
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []


def test_the_panels_of_the_dashboard_answer_the_questions_and_do_not_overlap() -> None:
    panels = dashboard()["panels"]
    assert [panel["title"] for panel in panels if panel["type"] == "row"] == [
        "Is it up?",
        "Is it fast?",
        "Which storage fails?",
        "Does each cache work? Is one full?",
        "Do queues grow?",
        "Do renders time out? Are children or workers replaced?",
        "Does a reload lose requests?",
        "Is memory growing?",
    ]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        own = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & own, panel["title"]
        assert max(x for x, _ in own) < 24
        cells |= own
        assert panel["type"] == "row" or panel["description"]


# -------------------------------------------------------------------------------------- a Prometheus


@pytest.fixture(scope="module")
def prometheus(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Debian's Prometheus with our files; the pods of Kubernetes are two targets with the labels that it would find.

    It gives the base of its API.
    """
    directory = tmp_path_factory.mktemp("prometheus")
    shutil.copy(RULES, directory)
    machines = yaml.safe_load((PROMETHEUS / "scrape.yaml").read_text())
    machines["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    (job,) = machines["scrape_configs"]
    job["static_configs"] = [{"targets": [f"localhost:{server.port}"]}]
    (pods,) = yaml.safe_load((PROMETHEUS / "scrape-kubernetes.yaml").read_text())["scrape_configs"]
    del pods["kubernetes_sd_configs"]
    found = "__meta_kubernetes_pod_"
    pod = {
        "__meta_kubernetes_namespace": "default",
        f"{found}name": "mage-1",
        f"{found}phase": "Running",
        f"{found}label_app_kubernetes_io_name": "mage",
        f"{found}annotation_prometheus_io_scrape": "true",
        f"{found}annotation_prometheus_io_port": str(server.port),
        f"{found}annotation_prometheus_io_path": "/metrics",
    }
    others = {**pod, f"{found}label_app_kubernetes_io_name": "mage-memcached"}
    ended = {**pod, f"{found}phase": "Succeeded"}
    pods |= {
        "job_name": "pods",
        "static_configs": [
            {"targets": [f"127.0.0.1:{number}"], "labels": labels}
            for number, labels in enumerate((pod, others, ended), 1)
        ],
    }
    # Two jobs of one configuration need two names. In the file it is `mage`.
    pods["relabel_configs"].append({"target_label": "job", "replacement": "mage"})
    machines["scrape_configs"].append(pods)
    config = directory / "prometheus.yml"
    config.write_text(yaml.safe_dump(machines))
    port, log = servers.free_port(), directory / "log"
    command = [servers.service("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={directory}/data"]
    with servers.running([*command, f"--web.listen-address=127.0.0.1:{port}"], log=log) as process:
        servers.wait_for_port(port, process, log)
        eventually(lambda: servers.fetch(f"http://127.0.0.1:{port}/-/ready").status == 200)
        base = f"http://127.0.0.1:{port}/api/v1"
        eventually(lambda: len(_query(base, 'mage_workers{job="mage"}')) == 2)
        eventually(lambda: len(_query(base, "rate(mage_requests_total[1m])")) > 0)
        yield base


def _get(url: str) -> object:
    answer = json.loads(servers.fetch(url).body)
    assert answer["status"] == "success", answer
    return answer["data"]


def _query(base: str, expression: str) -> list[dict[str, dict[str, str]]]:
    data = _get(f"{base}/query?{urlencode({'query': expression})}")
    assert isinstance(data, dict)
    found: list[dict[str, dict[str, str]]] = data["result"]
    return found


def test_prometheus_finds_machines_and_pods_as_one_job(server: Server, prometheus: str) -> None:
    def found() -> list[tuple[str | None, ...]]:
        labels = [each["metric"] for each in _query(prometheus, 'up{job="mage"} == 1')]
        return [(each["instance"], each.get("namespace"), each.get("pod")) for each in labels]

    both = {(f"127.0.0.1:{server.port}", "default", "mage-1"), (f"localhost:{server.port}", None, None)}
    # A scrape of a busy machine may take more than its second.
    eventually(lambda: Counter(found()) == Counter(both))


def test_prometheus_evaluates_every_alert_and_none_is_wrong(prometheus: str) -> None:
    def rules() -> dict[str, str]:
        data = _get(f"{prometheus}/rules")
        assert isinstance(data, dict)
        return {rule["name"]: rule["health"] for group in data["groups"] for rule in group["rules"]}

    eventually(lambda: rules() == {rule["alert"]: "ok" for rule in alerts()})


# What has no data on a server on which nothing of this has happened: alerts, and statuses.
_EMPTY = {"panel Firing alerts", "panel Refused", "panel Timeouts", "annotation Reloads"}


def test_every_panel_has_data(prometheus: str) -> None:
    wanted = [each for each in panel_expressions() if each.place not in _EMPTY]
    eventually(lambda: [each.place for each in wanted if not _query(prometheus, each.text)] == [])
    for each in panel_expressions():
        _query(prometheus, each.text)


def test_the_autoscaler_gets_the_queue_of_each_pod(prometheus: str) -> None:
    series, metric = adapter_expressions()
    eventually(lambda: [each["metric"]["pod"] for each in _query(prometheus, series.text)] == ["mage-1"])
    eventually(lambda: [each["metric"] for each in _query(prometheus, metric.text)] == [{"pod": "mage-1"}])
