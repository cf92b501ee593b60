"""The limits for clients that take no bytes hold with every event loop, with TLS, and on a Unix socket."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.servers import OUR_WORKER, eventually
from tests.support.unread import UnreadingClient, draw_noise, large


@contextmanager
def served(directory: Path, bind: str, options: Sequence[str]) -> Iterator[Path]:
    """The log of a gunicorn with our worker, bound to `bind`."""
    storage = {"name": "local", "driver": "local", "root": str(draw_noise(directory / "originals"))}
    config = directory / "storages.json"
    config.write_text(json.dumps({"storages": [storage], "limits": {"send_seconds": 2, "render_seconds": 600}}))
    command = [sys.executable, "-m", "gunicorn", "mage_project.asgi:application", "--worker-class", OUR_WORKER]
    command += ["--bind", bind, "--no-control-socket", "--keep-alive", "75", *options]
    environ = {**os.environ, "STORAGES_CONFIG_PATH": str(config), "DJANGO_SETTINGS_MODULE": "mage_project.settings"}
    log = directory / "server.log"
    with servers.running(command, log=log, environ=environ):
        eventually(lambda: "listening on" in log.read_text())
        yield log


def certificate(directory: Path) -> list[str]:
    """gunicorn's options for TLS with a new certificate."""
    key, chain = directory / "key.pem", directory / "chain.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(key), "-out", str(chain), "-subj", "/CN=localhost", "-days", "1"]
    subprocess.run([servers.service(command[0]), *command[1:]], check=True, capture_output=True)
    return ["--certfile", str(chain), "--keyfile", str(key)]


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("kind", ["TCP", "TLS", "Unix"])
def test_a_client_that_reads_slowly_is_served_and_one_that_does_not_read_is_disconnected(
    tmp_path: Path, loop: str, kind: str
) -> None:
    port, path = servers.free_port(), str(tmp_path / "socket")
    address = path if kind == "Unix" else ("127.0.0.1", port)
    options = ["--asgi-loop", loop, *(certificate(tmp_path) if kind == "TLS" else ())]
    with served(tmp_path, f"unix:{path}" if kind == "Unix" else f"127.0.0.1:{port}", options) as log:
        slow, idle = (UnreadingClient(address, tls=kind == "TLS") for _ in range(2))
        slow.ask(large())
        begun = slow.read_slowly(seconds=8, count=2000, pause=0.05)
        idle.ask(large(1))
        while not idle.is_closed():
            begun += slow.read_slowly(seconds=0, count=2000, pause=0.05)
        status, _, body = slow.read_answer(begun)
        assert status == 200
        assert len(body) > 6_000_000
        slow.ask(large())
        assert slow.read_answer()[0] == 200
        assert "took no bytes" in log.read_text()
        for client in (slow, idle):
            client.close()
