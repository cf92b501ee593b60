"""No signature and no secret in any log, of the server or of what it starts, at the most verbose level there is."""

import contextlib
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support import servers
from tests.support.commands import environ_with, manage
from tests.support.fronts import BUCKET, signature
from tests.support.processes import descendants
from tests.support.servers import Server
from tests.support.startproject import ASGI, WRAP, startproject
from tests.support.waiting import WAIT_SECONDS, eventually
from thumbs.conf.loading import load

_SECRET = "canary-signature-secret"
# moto takes any.
_ACCESS_KEY, _SECRET_KEY = "CANARYACCESSKEY12345", "canary/s3+secret/key0"
_PASSWORD = "canary:pass word"
_GOOD = signature("/signed/thumbs/90x60/quarters.jpg", _SECRET)
_OF_S3 = signature("/s3/thumbs/90x60/quarters.jpg", _SECRET)
_OF_ABSENT = signature("/s3/thumbs/90x60/absent.jpg", _SECRET)
_OF_BROKEN = signature("/leaky/thumbs/90x60/quarters.jpg", _SECRET)
_WRONG = "wrong0SIGNATURE-of_22c"
_SIGNATURES = (_GOOD, _OF_S3, _OF_ABSENT, _OF_BROKEN, _WRONG)
_ENCODED = "".join(f"%{ord(char):02X}" for char in _GOOD)


def _storages(root: Path, s3: str) -> list[dict[str, object]]:
    signed = {"signature_secret_key": _SECRET}
    keys = {"bucket": BUCKET, "base_url": s3, "access_key": _ACCESS_KEY, "secret_key": _SECRET_KEY}
    leaky = {
        "driver": "tests.support.leaky_storage.LeakyStorage",
        "options": {"location": str(root), "password": _PASSWORD},
    }
    closed = f"http://127.0.0.1:{servers.free_port()}"
    return [
        {"name": "signed", "driver": "local", "root": str(root), **signed},
        {"name": "s3", "driver": "s3", **keys, **signed},
        {"name": "s3-closed", "driver": "s3", **keys, "base_url": closed, "allowed_sizes": ["90x60"]},
        {"name": "leaky", **leaky, **signed},
    ]


# Each is sent as it stands, with a `Host` and the end of a head after it, where it does not bring its own.
_LINES: Sequence[bytes] = [
    f"GET {target} HTTP/1.1".encode()
    for target in (
        f"/signed/thumbs/{_GOOD}/90x60/quarters.jpg",
        f"/signed/thumbs/{_ENCODED}/90x60/quarters.jpg",
        f"/signed/thumbs/{_WRONG}/90x60/quarters.jpg",
        f"/signed/thumbs/{_GOOD[:15]}/90x60/quarters.jpg",
        f"/signed/thumbs/{_GOOD}{_GOOD}/90x60/quarters.jpg",
        f"/signed/thumbs/90x60/{_GOOD}/quarters.jpg",
        f"/signed/%74humbs%2F{_GOOD}%2F90x60/quarters.jpg",
        f"/signed/thumbs/{_GOOD}/90x60/quarters.jpg?signature={_GOOD}",
        f"http://localhost/signed/thumbs/{_GOOD}/90x60/quarters.jpg",
        f"//signed/thumbs/{_GOOD}/90x60/quarters.jpg",
        f"/signed/thumb/{_GOOD}/90x60/quarters.jpg",
        f"/{_GOOD}",
        f"/signed/thumbs/{_GOOD}/90x60/{'x' * 2100}.jpg",
        f"/signed/thumbs/{_GOOD}/90x60/{'x' * 9000}.jpg",
        f"/s3/thumbs/{_OF_S3}/90x60/quarters.jpg",
        f"/s3/thumbs/{_OF_ABSENT}/90x60/absent.jpg",
        "/s3-closed/thumbs/90x60/quarters.jpg",
        f"/leaky/thumbs/{_OF_BROKEN}/90x60/quarters.jpg",
        "/health",
        "/ready",
        "/metrics",
    )
] + [
    f"GET /signed/thumbs/{_GOOD}/90x60/quarters.jpg HTTP/1.0".encode(),
    f"GET /signed/thumbs/{_GOOD}/90x60/quarters.jpg HTTP/9.1".encode(),
    f"GET /signed/thumbs/{_GOOD}/90x60/quarters.jpg".encode(),
    f"/signed/thumbs/{_GOOD}/90x60/quarters.jpg HTTP/1.1".encode(),
    f"GET /signed/thumbs/{_GOOD}/90x60/a b.jpg HTTP/1.1".encode(),
    f"get@ /signed/thumbs/{_GOOD}/90x60/quarters.jpg HTTP/1.1".encode(),
    f"{_GOOD} / HTTP/1.1".encode(),
    f"GET /signed/thumbs/{_GOOD}/90x60/quarters.jpg HTTP/1.1\r\nX Bad {_GOOD}: 1".encode(),
    f"GET /signed/thumbs/{_GOOD}/90x60/quarters.jpg HTTP/1.1\r\nX-Bad: {_GOOD}\x00".encode(),
    f"GET / HTTP/1.1\r\nReferer: http://localhost/signed/thumbs/{_GOOD}/90x60/quarters.jpg".encode(),
    f"POST /signed/thumbs/{_GOOD}/90x60/quarters.jpg HTTP/1.1\r\nContent-Length: 3".encode(),
    f"GET /signed/thumbs/{_GOOD}/90x60/quarters.jpg HTTP/1.1\r\nTransfer-Encoding: {_GOOD}".encode(),
    f"PRI /signed/thumbs/{_GOOD}/ HTTP/2.0".encode(),
    f"GET /signed/thumbs/{_GOOD}/90x60/quarters.jpg HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade".encode(),
    f"GET /signed/thumbs/{_GOOD}/90x60/".encode() + b"\xff\xfe.jpg HTTP/1.1",
]


def _ask_everything(port: int) -> list[bytes]:
    """The status lines; empty where the server only closed, or waits for more."""
    answers = []
    for line in _LINES:
        with socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS) as connection:
            connection.sendall(line + b"\r\nHost: localhost\r\nX-Forwarded-For: 10.0.0.1\r\n\r\nabc")
            answer = b""
            with contextlib.suppress(OSError):
                while b"\r\n" not in answer and (data := connection.recv(65536)):
                    answer += data
            answers.append(answer.partition(b"\r\n")[0])
    return answers


def _found(text: str) -> list[str]:
    """Every secret in `text`, and every part of a signature of eight characters or more, in any spelling."""
    secrets = [_SECRET, _ACCESS_KEY, _SECRET_KEY, _PASSWORD, "canary-user"]
    wanted = [spelling for secret in secrets for spelling in (secret, quote(secret, safe=""), repr(secret)[1:-1])]
    wanted += [each[at : at + 8] for each in _SIGNATURES for at in range(len(each) - 7)]
    wanted += [_ENCODED[at : at + 24] for at in range(0, len(_ENCODED) - 23, 3)]
    # AWS's own, of a request and of where it comes from.
    wanted += ["AWS4-HMAC", "/aws4_request", "X-Amz-Signature="]
    return [each for each in wanted if each in text]


@contextlib.contextmanager
def _talkative(environ: Mapping[str, str], directory: Path, *arguments: str) -> Iterator[tuple[Server, Path]]:
    """`run_thumb_server` with everything logged that can be."""
    port, log = servers.free_port(), directory / "server.log"
    command = [sys.executable, "manage.py", "run_thumb_server", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    with servers.running([*command, *arguments], log=log, environ=environ) as process:
        servers.wait_for_port(port, process, log)
        yield Server("run_thumb_server", port, process, log), log


@pytest.fixture
def talking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")
    monkeypatch.setenv("GUNICORN_CMD_ARGS", f"--log-level debug --access-logfile - --env CANARY_TOKEN={_SECRET}")


def _check(server: Server, log: Path) -> None:
    statuses = _ask_everything(server.port)
    assert statuses[0] == b"HTTP/1.1 200 OK", log.read_text()
    assert {b"200", b"400", b"403", b"404", b"405", b"414", b"502"} <= {line[9:12] for line in statuses}
    eventually(lambda: "storage s3-closed" in log.read_text())
    eventually(lambda: "storage leaky" in log.read_text())
    text = log.read_text()
    assert "DEBUG" in text  # it does log a lot
    assert "storage leaky: The storage did not give the original." in text
    assert "cannot open quarters.jpg at ftp://[hidden]@127.0.0.1:1/" in text
    assert _found(text) == [], text


@pytest.mark.usefixtures("talking")
def test_the_server_logs_no_secret(originals: Path, s3: str, tmp_path: Path) -> None:
    more = {"LOG_LEVEL": "DEBUG"}
    environ = environ_with(tmp_path, _storages(originals, s3), **more)
    with _talkative(environ, tmp_path) as (server, log):
        commands = descendants(server.process.pid)
        assert _found(" ".join(commands.values())) == []
        _check(server, log)


@pytest.mark.usefixtures("talking")
@pytest.mark.parametrize("worker", ["asgi", "gthread", servers.OUR_WORKER])
def test_gunicorn_logs_no_secret_without_the_configuration_of_this_directory(
    originals: Path, s3: str, tmp_path: Path, worker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty.conf.py").touch()
    options = f"--config {tmp_path / 'empty.conf.py'} --limit-request-line 8190 --log-level debug --access-logfile -"
    monkeypatch.setenv("GUNICORN_CMD_ARGS", options)
    with servers.standalone({"storages": _storages(originals, s3)}, tmp_path, worker=worker) as server:
        _check(server, server.log)


# ------------------------------------------------------------------------------- a site's own logging


def test_what_mage_says_in_a_site_has_no_secret_though_logging_is_the_sites(
    originals: Path, s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUNICORN_CMD_ARGS", f"--config {tmp_path / 'empty.conf.py'}")  # and not this project's own
    (tmp_path / "empty.conf.py").touch()
    settings = {"LOGGING": {"version": 1, "handlers": {"all": {"class": "logging.StreamHandler"}},
                            "loggers": {"thumbs": {"handlers": ["all"], "level": "DEBUG"},
                                        "django": {"handlers": ["all"], "level": "DEBUG"}}}}  # fmt: skip
    with servers.site({"storages": _storages(originals, s3)}, tmp_path, settings=settings) as server:
        assert server.get(f"leaky/thumbs/{_OF_BROKEN}/90x60/quarters.jpg").status == 502
        assert server.get(f"signed/thumbs/{_WRONG}/90x60/quarters.jpg").status == 403
        assert server.get(f"signed/thumbs/{_GOOD}/90x60/absent.jpg").status == 403
        assert server.get("elsewhere").status == 404
        text = server.log.read_text()
    assert "storage leaky: The storage did not give the original." in text
    assert "Not Found: /img/elsewhere" in text  # the site's own pages are logged as usual
    assert _found(text) == [], text


@pytest.mark.usefixtures("talking")
def test_a_site_that_logs_everything_has_clean_logs_under_the_server(originals: Path, s3: str, tmp_path: Path) -> None:
    project = startproject(tmp_path / "project")
    thumbs = {"STORAGES": _storages(originals, s3), "LOG_LEVEL": "DEBUG"}
    logging_of_site = {"version": 1, "disable_existing_loggers": False,
                       "handlers": {"all": {"class": "logging.StreamHandler"}},
                       "root": {"handlers": ["all"], "level": "DEBUG"}}  # fmt: skip
    project.add("settings", f"{ASGI}\nTHUMBS = {thumbs!r}\nLOGGING = {logging_of_site!r}\n")
    project.add("asgi", WRAP)
    port, log = servers.free_port(), tmp_path / "server.log"
    command = [sys.executable, "manage.py", "run_thumb_server", "--workers", "1", "--bind", f"127.0.0.1:{port}"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=project.directory, env=project.environ, stdout=output, stderr=output)
    try:
        servers.wait_for_port(port, process, log)
        for path in (f"s3/thumbs/{_OF_S3}/90x60/quarters.jpg", f"leaky/thumbs/{_OF_BROKEN}/90x60/quarters.jpg"):
            servers.fetch(f"http://127.0.0.1:{port}/img/{path}")
        eventually(lambda: "storage leaky" in log.read_text())
    finally:
        process.terminate()
        process.wait(WAIT_SECONDS)
    text = log.read_text()
    assert "Calculating signature using v4 auth" in text  # botocore logs everything, as the site has configured
    headers_of_aws = {"AWS4-HMAC", "/aws4_request"}  # the name of the method and the scope: no secret by themselves
    assert set(_found(text)) <= headers_of_aws, text
    assert not re.search(r"\b(?:Credential|Signature)=(?!\[hidden\])", text)


# ------------------------------------------------------------------------------------ other outputs


def test_commands_and_checks_name_no_secret(originals: Path, s3: str, tmp_path: Path) -> None:
    storages = _storages(originals, s3)
    options = {"location": str(originals), "password": _PASSWORD, "refuses": True}
    storages[3]["options"] = options
    storages += [
        {
            "name": "lists",
            "driver": "s3",
            "bucket": "b",
            "secret_key": [_SECRET_KEY],
            "access_key": {_ACCESS_KEY[0]: 1},
        },
        {"name": "deep", "driver": "local", "root": str(originals), "signature_secret_key": [{"x": _SECRET}]},
        {"name": "half", "driver": "s3", "bucket": "b", "secret_key": _SECRET_KEY},
    ]
    environ = environ_with(tmp_path, storages)
    for command in (["check"], ["clear_thumb_cache"], ["run_thumb_server"], ["thumb_url", "signed", "a.jpg"]):
        done = manage(environ, *command)
        assert done.returncode == 1
        assert "secret_key: must be" in done.stderr
        assert _found(done.stdout + done.stderr) == []
    environ = environ_with(tmp_path, storages[:4])
    done = manage(environ, "check")
    assert "LeakyStorage does not take them: cannot log in with '[hidden]'" in done.stderr
    assert _found(done.stdout + done.stderr) == []


def test_an_explanation_never_contains_the_right_signature(originals: Path, s3: str, tmp_path: Path) -> None:
    environ = environ_with(tmp_path, _storages(originals, s3)[:1])
    done = manage(environ, "thumb_url", "--explain", f"/signed/thumbs/{_WRONG}/90x60/quarters.jpg")
    assert done.returncode == 1
    assert _GOOD[:8] not in done.stdout + done.stderr


def test_the_repr_of_a_configuration_holds_no_secret(originals: Path) -> None:
    caches = {"fleet": {"location": f"redis://:{_PASSWORD}@127.0.0.1/0", "options": {"password": _PASSWORD}}}
    read = load({"STORAGES": _storages(originals, "http://127.0.0.1:1"), "CACHES": caches})
    assert read.problems == ()
    assert _found(f"{read!r} {read.document!r} {read.storages!r}") == []


_THREADS = """
import logging, threading, warnings
from thumbs.observability import redaction
redaction.hide(["canary-signature-secret"])
redaction.install()
logging.basicConfig(level="DEBUG", format="%(message)s %(args)s")
class Unprintable:
    def __str__(self):
        raise RuntimeError("canary-signature-secret")
def fail():
    raise ValueError("in a thread: canary-signature-secret")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
for name in (None, "x", "asyncio", "gunicorn.error", "django.request", "thumbs.janitor"):
    try:
        raise KeyError("canary-signature-secret")
    except KeyError:
        logging.getLogger(name).exception("%s and %r", "canary-signature-secret", {1: "canary-signature-secret"})
    logging.getLogger(name).debug("%(a)s", {"a": "canary-signature-secret"})
    logging.getLogger(name).info("canary-signature-secret", stack_info=True)
    logging.getLogger(name).info("does not fit %d", "canary-signature-secret")
    logging.getLogger(name).info("cannot be printed: %s", Unprintable())
    logging.getLogger(name).info({"canary-signature-secret": []})
raise RuntimeError("at the end: canary-signature-secret")
"""


def test_no_logger_no_level_no_traceback_and_no_thread_is_left_out() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _THREADS],
        cwd=servers.ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_SECONDS,
    )
    assert done.returncode == 1
    assert done.stderr.count("KeyError: '[hidden]'") == 6
    for said in ("in a thread: [hidden]", "at the end: [hidden]", "[hidden] and {1: '[hidden]'}"):
        assert said in done.stderr
    assert _SECRET not in done.stdout + done.stderr
