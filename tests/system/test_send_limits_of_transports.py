"""The limits for clients that take no bytes hold with every event loop, with TLS, and on a Unix socket."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.servers import OUR_WORKER, eventually
from tests.support.unread import FORMATS, TINY, UnreadingClient, draw_noise, large


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_noise(tmp_path_factory.mktemp("transports") / "originals")


@contextmanager
def served(noise: Path, directory: Path, bind: str, options: Sequence[str]) -> Iterator[Path]:
    """The log of a gunicorn with our worker, bound to `bind`."""
    storage = {"name": "local", "driver": "local", "root": str(noise), "formats": FORMATS}
    config = directory / "storages.json"
    servers.write_document(config, {"storages": [storage], "limits": {"send_seconds": 2, "render_seconds": 600}})
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


def outlasts_one_that_does_not_read(kind: str, loop: str, noise: Path, directory: Path) -> bool:
    """Whether a client that reads slowly is served, while one that does not read is disconnected."""
    directory.mkdir()
    port, path = servers.free_port(), str(directory / "socket")
    address = path if kind == "Unix" else ("127.0.0.1", port)
    options = ["--asgi-loop", loop, *(certificate(directory) if kind == "TLS" else ())]
    bind = f"unix:{path}" if kind == "Unix" else f"127.0.0.1:{port}"

    def renders() -> bool:
        with closing(UnreadingClient(address, tls=kind == "TLS")) as client:
            client.ask(TINY)
            return client.read_answer()[0] == 200

    with served(noise, directory, bind, options) as log, ExitStack() as stack:
        eventually(renders)  # a busy machine may not have a child in time
        slow, idle = (stack.enter_context(closing(UnreadingClient(address, tls=kind == "TLS"))) for _ in range(2))
        slow.ask(large())
        idle.ask(large(1))
        begun = slow.read_slowly(seconds=5, count=2000, pause=0.05)
        while not idle.is_closed():
            begun += slow.read_slowly(seconds=0, count=2000, pause=0.05)
        status, _, body = slow.read_answer(begun)
        assert status == 200
        assert len(body) > 6_000_000
        slow.ask(large())
        assert slow.read_answer()[0] == 200
        return "took no bytes" in log.read_text()


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_a_client_that_reads_slowly_is_served_and_one_that_does_not_read_is_disconnected(
    noise: Path, tmp_path: Path, loop: str
) -> None:
    """With all transports at once: most of the time the clients wait."""
    kinds = ("TCP", "TLS", "Unix")
    with ThreadPoolExecutor(len(kinds)) as pool:
        said = {
            kind: pool.submit(outlasts_one_that_does_not_read, kind, loop, noise, tmp_path / kind) for kind in kinds
        }
        assert {kind: each.result() for kind, each in said.items()} == dict.fromkeys(kinds, True)
