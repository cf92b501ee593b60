"""The access log: each response is one line of JSON, without secrets."""

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, example, given, settings

from tests.support import strategies
from thumbs.http.messages import Request
from thumbs.image.transforms import Transform
from thumbs.observability.access_log import AccessLog
from thumbs.observability.redaction import redacted
from thumbs.request.resolve import ThumbRequest
from thumbs.request.signing import Signer
from thumbs.wiring.process import configuration, reset, thumbnailer

SECRET = "a secret that no line may hold"


ASKED = "/photos/thumbs/{}/40x30/filters:format(webp)/quarters.jpg"


def request(path: str, **fields: Any) -> Request:
    return Request("GET", path.encode(), len(path), **fields)


@pytest.fixture
def lines(originals: Path, caplog: pytest.LogCaptureFixture) -> "list[dict[str, object]]":
    """What is logged of a miss, a hit, a wrong signature, a missing original and another page, in this order."""
    storage = {"name": "photos", "driver": "local", "root": str(originals), "signature_secret_key": SECRET}
    storage["cache"] = {"memory": {"enabled": True, "max_size_mb": 16}}  # type: ignore[assignment]
    signer = Signer((SECRET.encode(),))
    good = signer.sign("/photos/thumbs/40x30/filters:format(webp)/quarters.jpg")
    none = signer.sign("/photos/thumbs/x/none.jpg")
    with override_settings(THUMBS={"STORAGES": [storage], "ACCESS_LOG": True}), caplog.at_level(logging.INFO):
        assert configuration().unusable == ()
        reset()
        ask = thumbnailer().answer
        ask(request(ASKED.format(good), request_id="from-the-proxy"))
        ask(request(ASKED.format(good), request_id='forged", "status": 200'))
        ask(request(ASKED.format("w" * 22)))
        ask(request(f"/photos/thumbs/{none}/x/none.jpg"))
        ask(request("/nothing/thumbs/x/a.jpg"))
        reset()
    told = [record.getMessage() for record in caplog.records if record.name == "thumbs.access"]
    assert not [line for line in told if SECRET in line or good in line or none in line or "w" * 22 in line]
    assert str(originals) not in "".join(told)
    return [json.loads(line) for line in told]


def test_a_line_tells_what_was_asked_for_and_where_it_came_from(lines: "list[dict[str, object]]") -> None:
    miss, hit = lines[:2]
    wanted = {"storage": "photos", "path": "quarters.jpg", "size": "40x30", "method": "GET", "status": 200}
    assert wanted.items() <= miss.items()
    assert wanted.items() <= hit.items()
    assert "format(webp)" in str(miss["filters"])
    assert (miss["layer"], hit["layer"]) == ("source", "memory")
    assert {"queue_ms", "fetch_ms", "render_ms", "encode_ms"} <= miss.keys()
    assert not [name for name in hit if name.endswith("_ms")]


def test_the_id_of_a_request_is_the_proxys_or_a_new_one(lines: "list[dict[str, object]]") -> None:
    ids = [str(line["request_id"]) for line in lines]
    assert ids[0] == "from-the-proxy"
    assert len(ids[1]) == 32
    assert len(set(ids)) == len(ids)


def test_errors_are_told_without_what_could_not_be_believed(lines: "list[dict[str, object]]") -> None:
    assert [line["status"] for line in lines] == [200, 200, 403, 404, 404]
    refused, missing, unknown = lines[2:]
    assert "path" not in refused
    assert missing["path"] == "none.jpg"
    assert "storage" not in unknown
    assert (refused["layer"], missing["layer"]) == (None, None)


def test_a_name_that_would_end_the_line_does_not(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        AccessLog().log(Request("GET\nx", b"/", 1), None, 405, "", {})
    assert "\n" not in caplog.records[0].getMessage()


# ------------------------------------------------------------------------------------------ texts of clients

FIELDS = {"time", "request_id", "client", "method", "status", "bytes", "ms", "layer", "code", "storage", "path"}
FIELDS |= {"size", "filters", "stages", "fetch_ms"}


def line_of(path: str, method: str, caplog: pytest.LogCaptureFixture, *, as_text: bool = False) -> str:
    """What is logged of a request for the original `path`, with the filter of the logger."""
    thumb = ThumbRequest("photos", path, Transform(width=40, height=30), "", "", (), ())
    caplog.clear()
    with caplog.at_level(logging.INFO):
        AccessLog(as_text=as_text).log(Request(method, b"/", 1), thumb, 404, "", {"fetch": 0.25})
    return caplog.records[0].getMessage()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=strategies.telling, method=strategies.telling)
@example(path="token='x.jpg", method="GET")
@example(path='secret=b"c.jpg', method="GET")
@example(path='cookie:a"b.jpg', method="GET")
@example(path="secret=b\\", method="secret=b\\")
def test_no_text_of_a_client_breaks_or_hides_a_line(path: str, method: str, caplog: pytest.LogCaptureFixture) -> None:
    found = json.loads(line_of(path, method, caplog))
    assert found.keys() == FIELDS
    assert found["path"] == redacted(path.partition("?")[0] + "?…" * ("?" in path))
    assert (found["method"], found["size"], found["fetch_ms"]) == (redacted(method), "40x30", 250)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=strategies.telling, method=strategies.telling)
@example(path="token='x.jpg", method="GET")
@example(path="cookie: x.jpg", method="GET")
def test_no_text_of_a_client_hides_the_rest_of_a_line_of_text(
    path: str, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    found = line_of(path, method, caplog, as_text=True)
    assert re.search(r" status=404 bytes=0 ms=0.0 storage=photos path=", found)
    assert re.search(r" size=40x30 filters=\S* fetch_ms=250.0$", found)


def test_what_looks_like_a_secret_is_hidden_in_a_line(caplog: pytest.LogCaptureFixture) -> None:
    assert json.loads(line_of("a/token=abcd", "GET", caplog))["path"] == "a/token=[hidden]"
    assert "path=\"a/token='[hidden]'\" " in line_of("a/token='ab cd'", "GET", caplog, as_text=True)
    signature = "w" * 22
    assert signature not in line_of(f"a/thumbs/{signature}/x", f"/thumbs/{signature}", caplog)
