"""The lines of a standalone server: JSON or text by LOG_FORMAT, and which loggers are quiet or loud."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from urllib.parse import quote

import pytest

from tests.support import servers
from tests.support.commands import environ_with, local_storage, manage
from tests.support.waiting import LONG_WAIT_SECONDS, eventually
from thumbs.observability.redaction import redacted

PICTURE = "photos/thumbs/90x60/quarters.jpg"


def environ_of(directory: Path, originals: Path, log_format: str) -> dict[str, str]:
    disk = {"enabled": True, "dir": str(directory / "disk"), "ttl_seconds": 600}
    environ = environ_with(directory, [local_storage("photos", originals, disk=disk)])
    config = directory / "storages.json"
    more = '{"access_log": true, "trusted_proxies": ["127.0.0.0/8"], '
    config.write_text(config.read_text().replace("{", more, 1))
    return {**environ, "LOG_FORMAT": log_format}


@contextmanager
def serving(directory: Path, originals: Path, log_format: str) -> Iterator[str]:
    """The URL of a server whose output is the file `log` of `directory`."""
    environ = environ_of(directory, originals, log_format)
    port, log = servers.free_port(), directory / "log"
    command = [sys.executable, "manage.py", "run_thumb_server", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    with servers.running(command, log=log, environ=environ) as process:
        servers.wait_for_port(port, process, log)
        yield f"http://127.0.0.1:{port}"


def lines_of(directory: Path, originals: Path, log_format: str) -> list[str]:
    """What server, workers, janitor and the access log have written after two answers and a failure."""
    log = directory / "log"
    with serving(directory, originals, log_format) as server:
        forwarded = {"X-Forwarded-For": "203.0.113.9", "X-Request-ID": "of-the-test"}
        url = f"{server}/{PICTURE}"
        assert [servers.fetch(url, headers=forwarded).status for _ in range(2)] == [200, 200]
        assert servers.fetch(f"{server}/photos/thumbs/90x60/none.jpg").status == 404
        eventually(lambda: "photos: " in log.read_text())  # the janitor's first sweep
    return log.read_text().splitlines()


def test_with_json_every_line_is_an_object(originals: Path, tmp_path: Path) -> None:
    found = [json.loads(line) for line in lines_of(tmp_path, originals, "json")]
    assert {"thumbs", "thumbs.janitor", "gunicorn.error"} <= {line.get("logger") for line in found}
    answers = [line for line in found if "status" in line]
    miss, hit, missing = answers
    assert (miss["layer"], hit["layer"], missing["layer"]) == ("source", "disk", None)
    for line in answers:
        assert {"time", "client", "method", "status", "bytes", "ms", "layer", "stages", "code"} <= line.keys()
    assert miss["client"] == hit["client"] == "203.0.113.9"
    assert missing["client"] == "127.0.0.1"
    assert miss["bytes"] == hit["bytes"] > 0
    assert {"fetch", "render"} <= miss["stages"].keys()
    assert missing["code"] == "source-missing"


@pytest.mark.parametrize(
    ("document", "arguments", "sentence"),
    [
        ({"log_level": "verbose"}, (), "storages.json.log_level: must be one of "),
        ({}, ("--interval", "0"), "--interval takes seconds"),
        ({}, ("--once", "--storage", "none"), "No storage is called 'none'."),
    ],
)
def test_with_json_a_janitor_that_fails_says_so_in_an_object(
    originals: Path, tmp_path: Path, document: dict[str, object], arguments: tuple[str, ...], sentence: str
) -> None:
    environ = environ_of(tmp_path, originals, "json")
    environ.pop("LOG_LEVEL", None)
    config = tmp_path / "storages.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), **document}))
    done = manage(environ, "run_cache_janitor", *arguments)
    assert done.returncode == 1
    assert sentence in "\n".join(json.loads(line)["message"] for line in done.stderr.splitlines())


def test_with_text_no_line_is_an_object(originals: Path, tmp_path: Path) -> None:
    lines = lines_of(tmp_path, originals, "text")
    assert not [line for line in lines if line.startswith("{")]
    miss, hit, missing = (line for line in lines if " status=" in line)
    assert "request_id=of-the-test client=203.0.113.9 method=GET status=200 bytes=" in miss
    assert " layer=disk " in hit
    assert " code=source-missing " in missing
    assert " fetch_ms=" in miss


def telling_paths() -> list[str]:
    """Keys with what would end a value in a line, and what is redacted."""
    parts = ("token=", "secret='", "cookie:", '"password": ', "<token>", "a=", ":1", "'", '"', " ", ", ", "x", "é")
    random = Random(7)
    generated = ["".join(random.choices(parts, k=6)) + ".jpg" for _ in range(60)]
    return ["token='x.jpg", 'secret=b"c.jpg', 'cookie:a"b.jpg', *generated]


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_no_url_breaks_or_hides_a_line(originals: Path, tmp_path: Path, log_format: str) -> None:
    asked = telling_paths()
    with serving(tmp_path, originals, log_format) as server:
        for path in asked:
            url = f"{server}/photos/thumbs/400x300/{quote(path)}"
            assert servers.fetch(url, headers={"X-Request-ID": "asked"}).status == 404, path
    written = (tmp_path / "log").read_text().splitlines()
    if log_format == "json":
        lines = [line for line in map(json.loads, written) if "status" in line]
        assert [line["path"] for line in lines] == [redacted(path) for path in asked]
        assert {(line["status"], line["size"], line["code"]) for line in lines} == {(404, "400x300", "source-missing")}
        assert all({"filters", "stages", "ms", "bytes", "client"} <= line.keys() for line in lines)
    else:
        lines_of_text = [line for line in written if " request_id=asked " in line]
        assert len(lines_of_text) == len(asked)
        for line in lines_of_text:
            assert " code=source-missing storage=photos path=" in line
            assert " size=400x300 filters=" in line
    assert not [line for line in written if "x.jpg" in line and "token='" in line and "token='[hidden]" not in line]


def test_another_format_is_an_error_that_names_the_variable(originals: Path, tmp_path: Path) -> None:
    environ = environ_of(tmp_path, originals, "yaml")
    command = [sys.executable, "manage.py", "run_thumb_server"]
    done = subprocess.run(
        command, cwd=servers.ROOT, env=environ, capture_output=True, text=True, timeout=LONG_WAIT_SECONDS, check=False
    )
    assert done.returncode != 0
    assert "LOG_FORMAT: must be one of text, json." in done.stderr


@pytest.mark.parametrize("value", ["80a", "-1", "70000", "٨٠٨٠"])
def test_a_port_that_is_none_is_an_error_that_names_the_variable(originals: Path, tmp_path: Path, value: str) -> None:
    environ = environ_of(tmp_path, originals, "text") | {"PORT": value}
    command = [sys.executable, "manage.py", "run_thumb_server"]
    done = subprocess.run(
        command, cwd=servers.ROOT, env=environ, capture_output=True, text=True, timeout=LONG_WAIT_SECONDS, check=False
    )
    assert done.returncode != 0
    assert "PORT: must be " in done.stderr
    assert "Traceback" not in done.stderr


_SITE = """
import logging
from thumbs.wsgi import ThumbsWSGI  # before the settings, as in a wsgi.py
import thumbs.cache.layers, thumbs.pipeline.thumbnailer, thumbs.server.janitor
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["thumbs"], SECRET_KEY="x",
    LOGGING={"version": 1, "root": {"handlers": ["c"], "level": "INFO"},
             "handlers": {"c": {"class": "logging.StreamHandler", "formatter": "f"}},
             "formatters": {"f": {"format": "said: %(name)s"}}},
)
import django
django.setup()
for name in ("thumbs", "thumbs.cache", "thumbs.janitor", "thumbs.access"):
    logging.getLogger(name).warning("something")
"""


def test_logging_of_a_site_that_disables_existing_loggers_does_not_silence_mage() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SITE],
        cwd=servers.ROOT,
        capture_output=True,
        text=True,
        timeout=LONG_WAIT_SECONDS,
        check=False,
    )
    for name in ("thumbs", "thumbs.cache", "thumbs.janitor", "thumbs.access"):
        assert f"said: {name}\n" in done.stderr


def test_clients_of_object_stores_log_warnings_only() -> None:
    code = (
        "import django, logging; django.setup()\n"
        "names = ('azure', 'boto3', 'botocore', 'google', 'paramiko', 's3transfer', 'urllib3')\n"
        "print([logging.getLogger(name + '.some').getEffectiveLevel() for name in names])"
    )
    environ = {"DJANGO_SETTINGS_MODULE": "mage_project.settings", "LOG_LEVEL": "DEBUG", "PATH": "/usr/bin"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=servers.ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=LONG_WAIT_SECONDS,
        check=True,
    )
    assert json.loads(done.stdout) == [30] * 7
