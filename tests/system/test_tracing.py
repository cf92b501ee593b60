"""Tracing through whole servers: a collector gets every request of every front, and one that fails touches none."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import local_storage
from tests.support.origins import redirect, response, running_origin
from tests.support.pictures import encoded, quarters
from tests.support.servers import OUR_WORKER, ROOT, fetch, free_port, site, standalone
from tests.support.spans import Collector, attributes, collecting
from tests.support.waiting import eventually

MEMORY = {"enabled": True, "max_size_mb": 16}
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SENT = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
PATH = "photos/thumbs/40x30/quarters.jpg"


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A collector that the servers of the test know of."""
    with collecting() as running:
        tell(monkeypatch, running.url)
        yield running


def tell(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")


def document(originals: Path) -> dict[str, object]:
    return {"storages": [local_storage("photos", originals, memory=MEMORY)]}


@pytest.mark.parametrize("worker", [OUR_WORKER, "asgi", "gthread"])
def test_a_miss_and_a_hit_of_the_standalone_server_are_spans_of_the_callers_trace(
    originals: Path, tmp_path: Path, collector: Collector, worker: str
) -> None:
    with standalone(document(originals), tmp_path, worker=worker) as server:
        assert [server.get(PATH, headers=SENT).status for _ in range(2)] == [200, 200]
        miss, hit = collector.wait_for(2)
    for span in (miss, hit):
        assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
        assert attributes(span)["http.response.status_code"] == 200
    assert [attributes(span)["mage.layer"] for span in (miss, hit)] == ["source", "memory"]
    children = collector.children(miss)
    assert [name for name in children if name != "queue"] == ["lookup", "fetch", "render", "store"]
    assert children.count("queue") == 4
    assert collector.children(hit) == []
    assert collector.services == {"mage"}
    assert server.log.read_text().count("Traceback") == 0


@pytest.mark.parametrize("worker", ["asgi", "gthread"])
def test_a_site_is_traced_by_its_setting(originals: Path, tmp_path: Path, collector: Collector, worker: str) -> None:
    """By the view. The wrappers, which a site may have as well, are those of the standalone server."""
    with site({**document(originals), "tracing": True}, tmp_path, worker=worker) as server:
        assert [server.get(PATH, headers=SENT).status for _ in range(2)] == [200, 200]
        spans = collector.wait_for(2)
    assert {span.trace_id.hex() for span in spans} == {TRACE}
    assert {attributes(span)["url.scheme"] for span in spans} == {"http"}


def test_all_workers_send_spans_also_after_a_reload_and_the_last_ones_at_the_end(
    originals: Path, tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "600000")  # only the end of a worker sends
    asked = 0
    with standalone(document(originals), tmp_path, worker=OUR_WORKER, workers=2) as server:
        for _ in range(2):
            for _ in range(20):
                assert server.get(PATH).status == 200
                asked += 1
            server.process.send_signal(signal.SIGHUP)
            collector.wait_for(asked)
        assert server.get(PATH).status == 200
    collector.wait_for(asked + 1)
    assert len(collector.of_requests()) == asked + 1


def test_the_origin_gets_the_span_of_the_fetch_as_its_parent_and_where_it_leads_to_does_not(
    tmp_path: Path, collector: Collector
) -> None:
    picture = response(encoded(quarters(300, 200), "JPEG"))
    with running_origin() as origin, running_origin() as elsewhere:
        base, other = (f"http://127.0.0.1:{each.port}/" for each in (origin, elsewhere))
        origin.answers |= {"/a.jpg": picture, "/moved.jpg": redirect(f"{other}b.jpg")}
        elsewhere.answers["/b.jpg"] = picture
        http = {"driver": "http", "allowed_networks": ["127.0.0.1/32"], "allowed_sizes": ["40x30"]}
        storages = [
            {"name": "shop", **http, "base_url": base, "allowed_redirects": [other]},
            {"name": "exact", **http, "allowed_sources": [base]},
        ]
        with standalone({"storages": storages}, tmp_path, worker=OUR_WORKER) as server:
            exact = f"exact/thumbs/40x30/{base.replace('://', '/')}a.jpg"
            for count, path in enumerate(("shop/thumbs/40x30/a.jpg", exact, "shop/thumbs/40x30/moved.jpg"), 1):
                assert server.get(path, headers=SENT).status == 200
                collector.wait_for(count)
        sent = [request.fields.get("traceparent") for request in origin.requests]
        assert [request.fields.get("traceparent") for request in elsewhere.requests] == [None]
    fetches = [span.span_id.hex() for span in collector.spans if span.name == "fetch"]
    assert sent == [f"00-{TRACE}-{fetch}-01" for fetch in fetches]


@pytest.mark.parametrize(
    ("worker", "how"),
    # What becomes of the spans is the same under each; what stops a worker that waits for a collector is not.
    [(OUR_WORKER, "hangs"), (OUR_WORKER, "refuses"), (OUR_WORKER, "is-not-there"), ("gthread", "hangs")],
)
def test_a_collector_that_fails_touches_no_request_and_no_stop(
    originals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, worker: str
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "64")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "16")
    with collecting(Collector(status=503, hangs=how == "hangs")) as broken:
        tell(monkeypatch, f"http://127.0.0.1:{free_port()}" if how == "is-not-there" else broken.url)
        with standalone(document(originals), tmp_path, worker=worker) as server:
            answers = [server.get(PATH) for _ in range(300)]
            if how != "is-not-there":
                eventually(lambda: broken.calls > 0)
            answers += [server.get(f"photos/thumbs/{width}x/quarters.jpg") for width in range(20, 30)]
            assert {answer.status for answer in answers} == {200}
            server.process.terminate()
            began = time.monotonic()
            server.process.wait(25)  # gunicorn kills a worker after 30 s
            assert time.monotonic() - began < 25
        log = server.log.read_text()
    assert "WORKER TIMEOUT" not in log
    assert log.count("opentelemetry") < 30


_ANSWER = """
import sys
from pathlib import Path
import django
from django.conf import settings
cache = {"memory": {"enabled": True, "max_size_mb": 4}}
storage = {"name": "photos", "driver": "local", "root": sys.argv[1], "cache": cache}
settings.configure(THUMBS={"STORAGES": [storage], "RUN_DIR": sys.argv[2]}, INSTALLED_APPS=["thumbs"])
django.setup()
from thumbs.asgi import ThumbsASGI
from thumbs.http.messages import Request
from thumbs.wiring.process import thumbnailer
path = b"/photos/thumbs/40x30/quarters.jpg"
assert [thumbnailer().answer(Request("GET", path, len(path))).status for _ in range(2)] == [200, 200]
assert ThumbsASGI(None).hit("GET", path, {}).status == 200
assert not [name for name in sys.modules if name.startswith("opentelemetry")]
"""


def test_without_the_setting_nothing_of_opentelemetry_is_imported(originals: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", _ANSWER, str(originals), str(tmp_path / "run")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


_SWITCHED = """
import importlib, json, os, sys
from mage_project import settings
for variables in json.load(sys.stdin):
    os.environ.update(variables)
    print(importlib.reload(settings).THUMBS.get("TRACING"))
    for name in variables:
        del os.environ[name]
"""


def test_the_environment_of_the_standalone_server_switches_tracing_on() -> None:
    switches: list[tuple[dict[str, str], bool | None]] = [
        ({}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
    ]
    environ = {name: text for name, text in os.environ.items() if not name.startswith("OTEL_")}
    document = json.dumps([variables for variables, _ in switches])
    done = subprocess.run(
        [sys.executable, "-c", _SWITCHED],
        cwd=ROOT,
        env=environ,
        input=document,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(expected) for _, expected in switches]


def test_a_plain_request_with_the_fields_of_a_trace_is_answered_by_the_worker_itself(
    originals: Path, tmp_path: Path
) -> None:
    with standalone(document(originals), tmp_path, worker=OUR_WORKER) as server:
        answers = [fetch(server.url(PATH), headers={**SENT, "tracestate": "a=1"}) for _ in range(3)]
    assert [answer.headers["x-cache"] for answer in answers] == ["MISS", "HIT", "HIT"]


def test_without_the_extra_the_check_names_the_variable_that_switched_tracing_on(tmp_path: Path) -> None:
    (tmp_path / "storages.json").write_text(json.dumps(document(tmp_path)))
    hidden = "import sys; sys.modules['opentelemetry.sdk'] = None; sys.argv = ['manage.py', 'check']; "
    environ = {
        **os.environ,
        "STORAGES_CONFIG_PATH": str(tmp_path / "storages.json"),
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318",
        "DJANGO_SETTINGS_MODULE": "mage_project.settings",
    }
    code = hidden + "from django.core.management import execute_from_command_line as run; run(sys.argv)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "(thumbs.E045) OTEL_EXPORTER_OTLP_ENDPOINT: tracing needs opentelemetry.sdk" in done.stderr
