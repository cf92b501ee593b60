"""The access log: each response is one line of JSON, without secrets."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from thumbs.http.messages import Request
from thumbs.observability.access_log import AccessLog
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
