"""Lines of JSON: one object for each record, with the fields of failures, and without secrets."""

import json
import logging
import sys

import pytest

from thumbs.observability import redaction
from thumbs.observability.log_format import JsonFormatter


def record(message: str, *arguments: object, name: str = "thumbs", **extra: object) -> logging.LogRecord:
    return logging.getLogger(name).makeRecord(
        name, logging.WARNING, "a.py", 1, message, arguments, None, extra=extra or None
    )


def line(made: logging.LogRecord) -> dict[str, object]:
    text = JsonFormatter().format(made)
    assert "\n" not in text
    found: dict[str, object] = json.loads(text)
    return found


def test_a_record_is_one_object() -> None:
    found = line(record("two\nlines of %s", "text"))
    assert str(found.pop("time")).endswith("+00:00")
    assert found == {"level": "WARNING", "logger": "thumbs", "message": "two\nlines of text"}


def test_what_a_failure_names_is_a_field_of_its_own() -> None:
    found = line(record("failed", storage="photos", key="tom.jpg", request_id="", code="storage-failed", other="x"))
    assert found.items() >= {"storage": "photos", "key": "tom.jpg", "code": "storage-failed"}.items()
    assert not {"request_id", "other"} & found.keys()


def test_a_field_has_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_known", set())
    monkeypatch.setattr(redaction, "_secrets", None)
    redaction.hide(["canary-of-a-secret"])
    assert line(record("failed", error="KeyError('canary-of-a-secret')"))["error"] == "KeyError('[hidden]')"


def test_a_traceback_is_a_field() -> None:
    made = record("failed")
    try:
        raise ValueError("wrong")
    except ValueError:
        made.exc_info = sys.exc_info()
    assert str(line(made)["exception"]).endswith("ValueError: wrong")


def test_a_line_of_the_access_log_stays_as_it_is() -> None:
    assert line(record('{"status": 200}', name="thumbs.access")) == {"status": 200}
